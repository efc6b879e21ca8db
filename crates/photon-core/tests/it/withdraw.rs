//! Taking tokens out of an open channel, without stopping it.

use crate::world::{World, account, calls, channel, fails, timing};
use photon_core::view::PaymentStatus;
use photon_core::{Answer, Command, Input, Rejection, SignedMessage};
use photon_wire::contract::{Call, Event};
use photon_wire::message::{AgreeWithdraw, Message, RequestWithdraw};
use photon_wire::{Amount, Epoch, Signature, Timestamp};

fn withdraw(
    world: &mut World,
    who: char,
    partner: char,
    amount: u128,
) -> Result<Answer, Rejection> {
    let (channel, amount) = (channel(who, partner), Amount(amount));
    world.give(who, Input::Command(Command::Withdraw { channel, amount }))
}

/// The contract pays the withdrawal that `who` submitted last.
fn execute(world: &mut World, who: char) {
    let last = calls(world, who).pop();
    let Some(Call::Withdraw { key, epoch, participant, withdrawn, .. }) = last else {
        panic!("{last:?}")
    };
    world.event(Event::Withdrawn { channel: key.id(), epoch, participant, withdrawn });
    world.run();
}

fn opened() -> World {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 50);
    world
}

/// Nothing was executed in time, and that is past for good.
fn expire(world: &mut World) {
    world.mine(timing().lock_duration.0 + 2);
    world.run();
}

#[test]
fn a_part_is_withdrawn_and_payments_go_on_before_and_after() {
    let mut world = opened();
    withdraw(&mut world, 'A', 'B', 60).unwrap();
    assert_eq!(world.run().chart, ["A -> B RequestWithdraw 60", "B -> A AgreeWithdraw 60"]);
    assert_eq!(world.balances('A', 'B'), "40/50");
    world.pay('A', 'B', 30, false).unwrap();
    assert!(world.pay('A', 'B', 20, false).is_err(), "what is withdrawn cannot be paid");
    world.run();
    execute(&mut world, 'A');
    world.pay('B', 'A', 75, false).unwrap();
    world.run();
    assert_eq!(world.balances('A', 'B'), "85/5");
    withdraw(&mut world, 'A', 'B', 10).unwrap();
    world.run();
    let last = calls(&world, 'A').pop();
    assert!(matches!(last, Some(Call::Withdraw { withdrawn: Amount(70), .. })), "a running total");
}

#[test]
fn both_withdraw_at_the_same_time_and_both_win() {
    let mut world = opened();
    withdraw(&mut world, 'A', 'B', 100).unwrap();
    withdraw(&mut world, 'B', 'A', 50).unwrap();
    world.run();
    execute(&mut world, 'A');
    execute(&mut world, 'B');
    assert_eq!(world.balances('A', 'B'), "0/0");
}

#[test]
fn what_was_not_executed_in_time_is_in_the_balance_again() {
    let mut world = opened();
    withdraw(&mut world, 'A', 'B', 60).unwrap();
    world.run();
    expire(&mut world);
    assert_eq!(world.balances('A', 'B'), "100/50");
    assert_eq!(fails(&world, 'A'), ["agreement_expired"]);
    world.pay('A', 'B', 90, false).unwrap();
    world.run();
    assert_eq!(world.balances('A', 'B'), "10/140");
}

/// B sees the end of the time later than A, which pays out of what came back.
#[test]
fn a_payment_out_of_what_came_back_waits_until_both_see_it() {
    let mut world = opened();
    withdraw(&mut world, 'A', 'B', 60).unwrap();
    world.run();
    world.mine_for('A', timing().lock_duration.0 + 2);
    let payment = world.pay('A', 'B', 90, false).unwrap();
    world.run();
    assert_eq!(world.status('A', payment), PaymentStatus::Pending);
    world.mine(1);
    world.run();
    assert_eq!(world.status('A', payment), PaymentStatus::Paid { proof: None });
    assert_eq!(world.balances('A', 'B'), "10/140");
}

#[test]
fn more_than_there_is_is_not_withdrawn_and_not_twice_at_once() {
    let mut world = opened();
    let (spendable, needed) = (Amount(100), Amount(101));
    let refused = withdraw(&mut world, 'A', 'B', 101);
    assert_eq!(refused, Err(Rejection::InsufficientBalance { spendable, needed }));
    withdraw(&mut world, 'A', 'B', 10).unwrap();
    assert_eq!(withdraw(&mut world, 'A', 'B', 10), Err(Rejection::AlreadyPending));
    world.give('B', Input::Disconnected(account('A'))).unwrap();
    let partner = account('A');
    let refused = withdraw(&mut world, 'B', 'A', 10);
    assert_eq!(refused, Err(Rejection::PartnerOffline { partner }));
    assert_eq!(
        world.nodes[&'B'].machine.channel(channel('A', 'B')).unwrap().ours.withdrawing,
        Amount(0)
    );
}

/// A pays B and withdraws the rest at once; the payment comes first, whatever is lost on the way.
#[test]
fn a_withdrawal_crosses_payments_of_both() {
    let mut world = opened();
    world.lose = vec!["Update"];
    world.pay('A', 'B', 40, false).unwrap();
    world.pay('B', 'A', 20, false).unwrap();
    withdraw(&mut world, 'A', 'B', 60).unwrap();
    world.run();
    world.lose.clear();
    world.restart('A');
    world.run();
    execute(&mut world, 'A');
    assert_eq!(world.balances('A', 'B'), "20/70");
}

#[test]
fn a_restart_of_anybody_after_any_message_ends_a_withdrawal_the_same_way() {
    for victim in ['A', 'B'] {
        for moment in 0..4 {
            let mut world = opened();
            withdraw(&mut world, 'A', 'B', 60).unwrap();
            for _ in 0..moment {
                world.deliver_one();
            }
            world.restart(victim);
            world.run();
            execute(&mut world, 'A');
            assert_eq!(world.balances('A', 'B'), "40/50", "{victim} {moment}");
        }
    }
}

#[test]
fn rows_hold_all_that_a_withdrawal_needs_at_every_turn() {
    let mut world = opened();
    world.restart_always = true;
    withdraw(&mut world, 'A', 'B', 60).unwrap();
    world.run();
    execute(&mut world, 'A');
    assert_eq!(world.balances('A', 'B'), "40/50");
}

/// B consents to nothing: the tokens are A's again at once, because B has signed nothing.
#[test]
fn a_declined_withdrawal_changes_nothing() {
    let mut world = opened();
    world.open_only('A', 'B', 30);
    withdraw(&mut world, 'A', 'B', 120).unwrap();
    assert_eq!(world.run().chart, ["A -> B RequestWithdraw 120", "B -> A Decline 21"]);
    assert_eq!(fails(&world, 'A'), ["insufficient_balance"]);
    let view = world.nodes[&'A'].machine.channel(channel('A', 'B')).unwrap();
    assert_eq!(view.ours.spendable, Amount(130));
}

#[test]
fn a_closing_ends_a_withdrawal_under_way() {
    let mut world = opened();
    withdraw(&mut world, 'A', 'B', 60).unwrap();
    world.run();
    world.close('B', 'A');
    assert_eq!(world.balances('A', 'B'), "100/50");
    assert_eq!(fails(&world, 'A'), ["channel_closed"]);
}

/// Consent to something else, or signed by nobody, is none.
#[test]
fn only_what_was_asked_for_is_submitted() {
    let mut world = opened();
    world.lose = vec!["AgreeWithdraw"];
    withdraw(&mut world, 'A', 'B', 60).unwrap();
    world.run();
    let (channel, epoch, signature) = (channel('A', 'B'), Epoch(1), Signature([1; 65]));
    let valid_until = Timestamp(world.time + 5);
    let agree = AgreeWithdraw { channel, epoch, withdrawn: Amount(90), valid_until, signature };
    let _ = world.say('B', 'A', Message::AgreeWithdraw(agree));
    assert!(calls(&world, 'A').is_empty());
}

/// The contract has paid out what B does not know that it signed: B's store is an old one.
#[test]
fn a_withdrawal_that_nobody_here_knows_of_stops_the_channel() {
    let mut world = opened();
    let (channel, epoch, participant) = (channel('A', 'B'), Epoch(1), account('A'));
    world.event(Event::Withdrawn { channel, epoch, participant, withdrawn: Amount(60) });
    let view = world.nodes[&'B'].machine.channel(channel).unwrap();
    assert_eq!(view.state, photon_core::view::ChannelState::Stopped);
    assert!(world.pay('B', 'A', 1, false).is_err());
}

#[test]
fn what_is_asked_often_within_a_turn_is_signed_once() {
    let mut world = opened();
    world.lose = vec!["RequestWithdraw"];
    withdraw(&mut world, 'A', 'B', 60).unwrap();
    world.run().chart.clear();
    let valid_until = Timestamp(world.time + timing().lock_duration.0);
    let (channel, epoch, withdrawn) = (channel('A', 'B'), Epoch(1), Amount(60));
    let request = RequestWithdraw { channel, epoch, withdrawn, valid_until };
    for _ in 0..100 {
        let message = Message::RequestWithdraw(request);
        let said = SignedMessage { from: account('A'), message, signer: None, opened: vec![] };
        world.nodes.get_mut(&'B').unwrap().machine.step(Input::Message(said)).unwrap();
    }
    world.mine(0);
    assert_eq!(world.run().chart, ["B -> A AgreeWithdraw 60"]);
}
