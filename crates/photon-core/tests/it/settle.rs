//! Ending a channel together.

use crate::world::{World, account, calls, channel, fails, timing};
use photon_core::view::{ChannelState, PaymentStatus};
use photon_core::{Answer, Command, Input, Rejection};
use photon_wire::Amount;
use photon_wire::contract::{Call, Event};

fn settle(world: &mut World, who: char, partner: char, drain: bool) -> Result<Answer, Rejection> {
    let channel = channel(who, partner);
    world.give(who, Input::Command(Command::SettleCooperatively { channel, drain }))
}

/// 70/30 after a payment in each direction.
fn paid() -> World {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 0);
    world.pay('A', 'B', 40, false).unwrap();
    world.run();
    world.pay('B', 'A', 10, false).unwrap();
    world.run().chart.clear();
    world
}

fn state(world: &World, who: char) -> ChannelState {
    world.nodes[&who].machine.channel(channel('A', 'B')).unwrap().state
}

/// What `who` tells the contract: transferred by the low, and by the high address.
fn submitted(world: &World, who: char) -> (Amount, Amount) {
    let last = calls(world, who).pop();
    let Some(Call::CooperativeSettle { transferred_low, transferred_high, .. }) = last else {
        panic!("{last:?}")
    };
    (transferred_low, transferred_high)
}

fn execute(world: &mut World) {
    let (channel, epoch) = (channel('A', 'B'), photon_wire::Epoch(1));
    let (paid_low, paid_high) = (Amount(70), Amount(30));
    world.event(Event::ChannelSettled { channel, epoch, paid_low, paid_high });
}

fn expire(world: &mut World) {
    world.mine(timing().lock_duration.0 + 2);
    world.run();
}

#[test]
fn both_agree_and_the_channel_is_gone() {
    let mut world = paid();
    settle(&mut world, 'A', 'B', false).unwrap();
    let chart = ["A -> B ProposeSettle 40/10", "B -> A AgreeSettle 40/10"];
    assert_eq!(world.run().chart, chart);
    assert_eq!(submitted(&world, 'A'), (Amount(40), Amount(10)));
    assert!(calls(&world, 'B').is_empty(), "only who asked can execute it");
    assert!(world.pay('A', 'B', 1, false).is_err() && world.pay('B', 'A', 1, false).is_err());
    execute(&mut world);
    assert!(world.nodes[&'A'].machine.channels().is_empty());
    assert!(world.nodes[&'B'].machine.channels().is_empty());
}

#[test]
fn pending_locks_refuse_it_and_an_absent_partner_too_and_nothing_has_changed() {
    let mut world = paid();
    world.lose = vec!["Reveal"];
    world.pay('A', 'B', 20, true).unwrap();
    world.run();
    assert_eq!(settle(&mut world, 'A', 'B', false), Err(Rejection::LocksPending { locks: 1 }));
    world.give('B', Input::Disconnected(account('A'))).unwrap();
    let partner = account('A');
    assert_eq!(settle(&mut world, 'B', 'A', true), Err(Rejection::PartnerOffline { partner }));
    assert_eq!((state(&world, 'A'), state(&world, 'B')), (ChannelState::Open, ChannelState::Open));
}

#[test]
fn a_draining_channel_waits_for_its_locks_and_takes_no_new_payments() {
    let mut world = paid();
    world.lose = vec!["Reveal"];
    let payment = world.pay('A', 'B', 20, true).unwrap();
    world.run();
    settle(&mut world, 'A', 'B', true).unwrap();
    assert!(world.pay('A', 'B', 1, false).is_err());
    let refused = world.pay('B', 'A', 5, true).unwrap();
    world.run();
    assert!(matches!(world.status('B', refused), PaymentStatus::Failed(_)));
    assert!(calls(&world, 'A').is_empty());
    world.lose.clear();
    world.restart('B');
    world.run();
    assert!(matches!(world.status('A', payment), PaymentStatus::Paid { .. }));
    assert_eq!(submitted(&world, 'A'), (Amount(60), Amount(10)));
}

#[test]
fn of_two_proposals_at_once_the_lower_address_has_its_way() {
    let mut world = paid();
    settle(&mut world, 'B', 'A', false).unwrap();
    settle(&mut world, 'A', 'B', false).unwrap();
    world.run();
    assert_eq!(submitted(&world, 'A'), (Amount(40), Amount(10)));
    assert!(calls(&world, 'B').is_empty());
    assert!(world.chart.iter().filter(|line| line.contains("AgreeSettle")).count() == 1);
}

/// B has paid before it heard of the proposal, which is of the time before.
#[test]
fn a_proposal_that_crosses_a_payment_is_made_again() {
    let mut world = paid();
    settle(&mut world, 'A', 'B', false).unwrap();
    let payment = world.pay('B', 'A', 5, false).unwrap();
    world.run();
    assert!(world.chart.contains(&"B -> A Decline 68".to_owned()), "{:#?}", world.chart);
    world.mine(1);
    world.run();
    assert_eq!(world.status('B', payment), PaymentStatus::Paid { proof: None });
    assert_eq!(submitted(&world, 'A'), (Amount(40), Amount(15)));
}

#[test]
fn a_channel_thaws_by_itself_when_nobody_has_executed_it() {
    let mut world = paid();
    settle(&mut world, 'A', 'B', false).unwrap();
    world.run();
    expire(&mut world);
    assert_eq!((state(&world, 'A'), state(&world, 'B')), (ChannelState::Open, ChannelState::Open));
    assert_eq!(fails(&world, 'A'), ["agreement_expired"]);
    world.pay('A', 'B', 10, false).unwrap();
    world.run();
    assert_eq!(world.balances('A', 'B'), "60/40");
}

/// A has thawed; B is still bound by its signature, and takes A's payment when it is not.
#[test]
fn a_payment_after_the_thaw_waits_until_both_have_thawed() {
    let mut world = paid();
    world.lose = vec!["AgreeSettle"];
    settle(&mut world, 'A', 'B', false).unwrap();
    world.run();
    world.give('A', Input::Command(Command::CancelSettle(channel('A', 'B')))).unwrap();
    let payment = world.pay('A', 'B', 10, false).unwrap();
    world.run();
    assert_eq!(world.status('A', payment), PaymentStatus::Pending);
    assert_eq!(state(&world, 'B'), ChannelState::Settling);
    expire(&mut world);
    world.mine(1);
    world.run();
    assert_eq!(world.status('A', payment), PaymentStatus::Paid { proof: None });
    assert_eq!(world.balances('A', 'B'), "60/40");
}

/// A-B: A gets B's signature on the end, pays B for something, and has the end executed that knows
/// nothing of the payment. So B, once it has signed, takes no payments.
#[test]
fn who_has_signed_the_end_accepts_nothing() {
    let mut world = paid();
    world.lose = vec!["AgreeSettle"];
    settle(&mut world, 'A', 'B', false).unwrap();
    world.run();
    world.give('A', Input::Command(Command::CancelSettle(channel('A', 'B')))).unwrap();
    world.pay('A', 'B', 50, false).unwrap();
    world.run();
    let received = world.nodes[&'B'].store.notices.iter().filter(|notice| {
        matches!(
            notice.kind,
            photon_core::view::NoticeKind::PaymentReceived { amount: Amount(50), .. }
        )
    });
    assert_eq!(received.count(), 0);
}

#[test]
fn a_restart_of_anybody_after_any_message_ends_it_the_same_way() {
    for victim in ['A', 'B'] {
        for moment in 0..4 {
            let mut world = paid();
            settle(&mut world, 'A', 'B', false).unwrap();
            for _ in 0..moment {
                world.deliver_one();
            }
            world.restart(victim);
            world.run();
            assert_eq!(submitted(&world, 'A'), (Amount(40), Amount(10)), "{victim} {moment}");
            let stood = [state(&world, 'A'), state(&world, 'B')];
            assert_eq!(stood, [ChannelState::Settling, ChannelState::Settling]);
        }
    }
}

#[test]
fn a_partner_that_vanishes_after_its_signature_blocks_nothing_for_ever() {
    let mut world = paid();
    world.lose = vec!["AgreeSettle"];
    settle(&mut world, 'A', 'B', false).unwrap();
    world.run();
    world.give('A', Input::Disconnected(account('B'))).unwrap();
    world.give('B', Input::Disconnected(account('A'))).unwrap();
    for _ in 0..3 {
        expire(&mut world);
    }
    world.lose.clear();
    world.restart('B');
    world.pay('A', 'B', 10, false).unwrap();
    world.run();
    assert_eq!(world.balances('A', 'B'), "60/40");
}

#[test]
fn a_closing_goes_before_and_ends_it() {
    let mut world = paid();
    settle(&mut world, 'A', 'B', false).unwrap();
    world.run();
    world.close('B', 'A');
    assert!(matches!(state(&world, 'A'), ChannelState::Closed { .. }));
    assert_eq!(fails(&world, 'A'), ["channel_closed"]);
}

#[test]
fn a_withdrawal_under_way_does_not_hinder_the_end() {
    let mut world = paid();
    let (id, amount) = (channel('A', 'B'), Amount(20));
    world.give('B', Input::Command(Command::Withdraw { channel: id, amount })).unwrap();
    world.run();
    settle(&mut world, 'A', 'B', false).unwrap();
    world.run();
    assert_eq!(submitted(&world, 'A'), (Amount(40), Amount(10)));
    let refused = world.give('A', Input::Command(Command::Withdraw { channel: id, amount }));
    assert_eq!(refused, Err(Rejection::ChannelSettling { channel: id }));
}
