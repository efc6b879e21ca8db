//! What the initiator tells its owner, and when it has paid.

use super::*;

/// Two payments of one invoice at once: whoever mediates the second knows the secret from the
/// first and keeps it.
#[test]
fn an_invoice_is_paid_by_one_payment_at_a_time() {
    let mut world = line();
    let hash = secret(1).hash();
    let command = |name: u8| {
        let contents = ForTarget {
            payment: PaymentId([name; 16]),
            amount: Amount(5),
            secret: None,
            note: vec![],
        };
        Input::Command(Command::Pay(PayCommand {
            payment: PaymentId([name; 16]),
            target: Target { token: crate::world::TOKEN, account: account('C'), amount: Amount(5) },
            max_fee: Amount(0),
            note: vec![],
            invoice: Some(hash),
            locked: true,
            attempts: vec![Attempt {
                secret: None,
                secret_hash: hash,
                sealed: contents.to_bytes(),
            }],
        }))
    };
    world.give('A', command(1)).unwrap();
    world.give('A', command(1)).unwrap();
    let payment = PaymentId([1; 16]);
    assert_eq!(world.give('A', command(2)), Err(Rejection::PaymentExists { payment }));
    assert_eq!(locked(&world, 'A', 'B'), 5);
}

/// B refuses everything without reason and goes away: the payment ends when its lock is past.
#[test]
fn a_payment_in_a_stopped_channel_ends_when_its_lock_is_past() {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 0);
    world.lose = vec!["A -> B Update"];
    let payment = world.pay('A', 'B', 20, true).unwrap();
    world.run();
    let (channel, epoch, nonce) = (channel('A', 'B'), Epoch(1), Nonce(1));
    let refuse = Refuse { channel, epoch, nonce, rule: 12 };
    world.say('B', 'A', Message::Refuse(refuse)).unwrap();
    world.mine(1_100);
    assert_eq!(world.status('A', payment), PaymentStatus::Failed(PaymentFailure::Expired));
}

/// B shows the secret late, but before the end. A has no payer of its own to wait for: it says
/// "paid" only together with paying.
#[test]
fn an_initiator_that_says_paid_has_paid() {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 0);
    world.lose = vec!["Reveal"];
    let payment = world.pay('A', 'B', 20, true).unwrap();
    world.run();
    world.lose.clear();
    world.mine(950);
    world.say('B', 'A', Message::Reveal(vec![Secret([9; 32])])).unwrap();
    assert!(matches!(world.status('A', payment), PaymentStatus::Paid { .. }));
    assert_eq!(locked(&world, 'A', 'B'), 0);
}

/// A channel with the shortest settle timeout that a node proposes; the payer's clock is a little
/// ahead of the payee's.
#[test]
fn the_shortest_settle_timeout_leaves_room_for_clocks_that_differ() {
    let mut world = World::new("AB");
    let key = ChannelKey::new(crate::world::TOKEN, account('A'), account('B')).unwrap();
    let (channel, epoch) = (key.id(), Epoch(1));
    let settle_timeout = crate::world::timing().least_settle_timeout();
    world.event(Event::ChannelOpened { key, epoch, settle_timeout });
    let (participant, deposit) = (account('A'), Amount(100));
    world.event(Event::Deposited { channel, epoch, participant, deposit });
    world.run();
    world.give('A', Input::Clock(Timestamp(world.time + 5))).unwrap();
    let payment = world.pay('A', 'B', 20, true).unwrap();
    world.run();
    assert!(matches!(world.status('A', payment), PaymentStatus::Paid { .. }));
}

/// A has told its owner that the payment expired; B shows the secret before A, whose closing has
/// just failed, has taken the lock back.
#[test]
fn an_initiator_that_says_expired_does_not_pay() {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 0);
    world.lose = vec!["A -> B Update"];
    let payment = world.pay('A', 'B', 20, true).unwrap();
    world.run();
    let close = Command::CloseChannel(channel('A', 'B'));
    let answer = world.give('A', Input::Command(close)).unwrap();
    let Answer::Channel(_, intent) = answer else { panic!("{answer:?}") };
    world.mine(1_100);
    assert_eq!(world.status('A', payment), PaymentStatus::Failed(PaymentFailure::Expired));
    world.give('A', Input::Submitted { id: intent, outcome: Err("reverted".into()) }).unwrap();
    world.say('B', 'A', Message::Reveal(vec![Secret([9; 32])])).unwrap();
    world.mine(1);
    assert_eq!((balance(&world, 'A', 'B'), locked(&world, 'A', 'B')), (100, 0));
}
