//! What one side has not seen yet, and what it says too often or falsely.

use super::*;

/// A sees its deposit before B does, and pays out of it at once.
#[test]
fn a_payment_out_of_a_deposit_that_the_payee_has_not_seen_arrives_when_it_has() {
    let mut world = World::new("AB");
    world.open('A', 10, 'B', 0);
    let deposited = Event::Deposited {
        channel: channel('A', 'B'),
        epoch: Epoch(1),
        participant: account('A'),
        deposit: Amount(100),
    };
    world.tell('A', deposited.clone());
    let payment = world.pay('A', 'B', 60, false).unwrap();
    world.pay('A', 'B', 1, false).unwrap();
    world.run();
    assert_eq!(world.status('A', payment), PaymentStatus::Pending);
    world.tell('B', deposited);
    world.mine(1);
    world.run();
    assert_eq!(world.status('A', payment), PaymentStatus::Paid { proof: None });
    assert_eq!(world.balances('A', 'B'), "39/61");
}

/// The same for a whole channel: A signs nothing before B has said where it stands.
#[test]
fn a_channel_that_the_partner_has_not_seen_is_paid_in_when_it_has() {
    let mut world = World::new("AB");
    let key = ChannelKey::new(crate::world::TOKEN, account('A'), account('B')).unwrap();
    let (channel, epoch) = (key.id(), Epoch(1));
    let settle_timeout = Seconds(crate::world::SETTLE_TIMEOUT);
    let opened = Event::ChannelOpened { key, epoch, settle_timeout };
    let (participant, deposit) = (account('A'), Amount(100));
    let deposited = Event::Deposited { channel, epoch, participant, deposit };
    world.tell('A', opened.clone());
    world.tell('A', deposited.clone());
    world.mine(1);
    world.run();
    assert_eq!(world.pay('A', 'B', 60, false), Err(Rejection::ChannelBusy { channel }));
    world.tell('B', opened);
    world.tell('B', deposited);
    world.mine(1);
    world.run();
    let payment = world.pay('A', 'B', 60, false).unwrap();
    world.run();
    assert_eq!(world.status('A', payment), PaymentStatus::Paid { proof: None });
}

/// B says where it stands as often as fits into one message, always at the beginning.
#[test]
fn updates_are_sent_again_once_however_often_they_are_asked_for() {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 0);
    world.lose = vec!["Acknowledge"];
    world.pay('A', 'B', 30, false).unwrap();
    world.run().chart.clear();
    let (channel, epoch, none) = (channel('A', 'B'), Epoch(1), Nonce(0));
    let status = ChannelStatus { channel, epoch, sent: none, received: none, asks: false };
    world.say('B', 'A', Message::Reestablish(vec![status; 256])).unwrap();
    assert_eq!(world.run().chart, ["A -> B Update[pay]", "B -> A Acknowledge 1 (lost)"]);
}

/// B is closing: it asks for nothing, block after block. Its closing fails: it asks once.
#[test]
fn a_closing_channel_asks_for_nothing_until_its_closing_has_failed() {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 0);
    let close = Command::CloseChannel(channel('A', 'B'));
    let answer = world.give('B', Input::Command(close)).unwrap();
    let Answer::Channel(_, intent) = answer else { panic!("{answer:?}") };
    let payment = world.pay('A', 'B', 30, false).unwrap();
    for _ in 0..5 {
        world.run();
        world.mine(1);
    }
    assert_eq!(world.run().chart, ["A -> B Update[pay]"]);
    world.give('B', Input::Submitted { id: intent, outcome: Err("reverted".into()) }).unwrap();
    world.mine(1);
    world.run();
    assert_eq!(world.status('A', payment), PaymentStatus::Paid { proof: None });
}

/// A gap in the nonces may be an update that was lost: it is not accepted, and nothing is stopped.
/// The end of all nonces is no way around the next one.
#[test]
fn an_update_whose_nonce_jumps_is_refused() {
    for nonce in [2, u64::MAX] {
        let mut world = World::new("AB");
        world.open('A', 100, 'B', 0);
        let mut forger = Forger::new('A', 'B');
        let (payment, amount) = (PaymentId([9; 16]), Amount(10));
        let pay = Operation::Pay { payment, amount, note: vec![] };
        let Message::Update(update) = forger.update(vec![pay]) else { unreachable!() };
        let jumping = Message::Update(Update { nonce: Nonce(nonce), ..update.clone() });
        let refused = world.say('A', 'B', jumping);
        let (expected, got) = (Nonce(1), Nonce(nonce));
        assert_eq!(refused, Err(Rejection::WrongNonce { expected, got }));
        assert_eq!(balance(&world, 'B', 'A'), 0);
        world.say('A', 'B', Message::Update(update)).unwrap();
        assert_eq!(balance(&world, 'B', 'A'), 10);
    }
}

/// B acknowledges what A does not know: A's store is an old one, and signing on would be signing
/// those nonces twice.
#[test]
fn an_acknowledgement_of_what_we_never_signed_stops_the_channel() {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 0);
    let (channel, epoch, nonce) = (channel('A', 'B'), Epoch(1), Nonce(5));
    let _ = world.say('B', 'A', Message::Acknowledge(Acknowledge { channel, epoch, nonce }));
    let last = world.nodes[&'A'].store.notices.last().unwrap().kind.clone();
    assert!(matches!(last, NoticeKind::DirectionStopped { rule: 7, .. }), "{last:?}");
    assert!(world.pay('A', 'B', 10, false).is_err());
}
