use crate::world::{SETTLE_TIMEOUT, World, account, channel};
use photon_core::view::{NoticeKind, PaymentStatus};
use photon_core::{Input, Rejection, SignedMessage};
use photon_wire::message::{Message, Operation, Update};
use photon_wire::{Amount, B256, Epoch, Locksroot, Nonce, PaymentId, Signature, Timestamp};

#[test]
fn a_direct_payment_is_paid_when_it_is_acknowledged() {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 0);
    let payment = world.pay('A', 'B', 30, false).unwrap();
    assert_eq!(world.status('A', payment), PaymentStatus::Pending);
    assert_eq!(world.run().chart, ["A -> B Update[pay]", "B -> A Acknowledge 1"]);
    assert_eq!(world.status('A', payment), PaymentStatus::Paid { proof: None });
    assert_eq!(world.balances('A', 'B'), "70/30");
}

#[test]
fn what_was_received_can_be_spent() {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 0);
    world.pay('A', 'B', 100, false).unwrap();
    world.run();
    world.pay('B', 'A', 40, false).unwrap();
    world.run();
    assert_eq!(world.balances('A', 'B'), "40/60");
}

#[test]
fn a_balance_short_by_one_is_refused_and_nothing_changes() {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 0);
    let refused = world.pay('A', 'B', 101, false);
    assert_eq!(
        refused.unwrap_err(),
        Rejection::NoCapacity { spendable: Amount(100), needed: Amount(101) }
    );
    assert!(world.run().chart.is_empty());
    assert_eq!(world.balances('A', 'B'), "100/0");
}

#[test]
fn a_lost_update_is_sent_again_byte_for_byte_when_the_session_comes_back() {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 0);
    world.lose = vec!["Update"];
    let payment = world.pay('A', 'B', 30, false).unwrap();
    world.run();
    world.lose.clear();
    world.restart('A');
    world.run();
    assert_eq!(world.status('A', payment), PaymentStatus::Paid { proof: None });
    assert_eq!(world.balances('A', 'B'), "70/30");
}

#[test]
fn a_lost_acknowledgement_does_not_pay_twice() {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 0);
    world.lose = vec!["Acknowledge"];
    let payment = world.pay('A', 'B', 30, false).unwrap();
    world.run();
    world.lose.clear();
    world.restart('B');
    world.run();
    assert_eq!(world.status('A', payment), PaymentStatus::Paid { proof: None });
    assert_eq!(world.balances('A', 'B'), "70/30");
}

fn forged(change: impl FnOnce(&mut Update)) -> (String, String, Vec<String>) {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 0);
    let mut update = Update {
        channel: channel('A', 'B'),
        epoch: Epoch(1),
        nonce: Nonce(1),
        operations: vec![Operation::Pay {
            payment: PaymentId([1; 16]),
            amount: Amount(10),
            note: vec![],
        }],
        transferred: Amount(10),
        locked: Amount(0),
        locksroot: Locksroot::EMPTY,
        signature: Signature([0; 65]),
    };
    change(&mut update);
    let before = format!("{:?}", world.nodes[&'B'].machine.channels());
    let signer = if update.signature.0[0] == 0 { account('A') } else { account('X') };
    let message = Message::Update(update);
    let signed =
        SignedMessage { from: account('A'), message, signer: Some(signer), opened: vec![] };
    let _ = world.give('B', Input::Message(signed));
    let after = format!("{:?}", world.nodes[&'B'].machine.channels()).replace("Stopped", "Open");
    (before, after, world.run().chart.clone())
}

#[test]
fn a_violation_changes_no_balance_and_stops_the_channel() {
    type Violation = (fn(&mut Update), &'static str);
    let violations: [Violation; 5] = [
        (|update| update.transferred = Amount(11), "B -> A Refuse 12"),
        (|update| update.locked = Amount(1), "B -> A Refuse 13"),
        (|update| update.locksroot = Locksroot(B256::repeat_byte(1)), "B -> A Refuse 14"),
        (|update| update.signature.0[0] = 1, "B -> A Refuse 15"),
        (|update| update.operations.clear(), "B -> A Refuse 16"),
    ];
    for (change, answer) in violations {
        let (before, after, chart) = forged(change);
        assert_eq!(before, after, "{answer}");
        assert_eq!(chart, [answer]);
    }
}

#[test]
fn what_an_honest_partner_could_have_sent_is_refused_without_stopping_anything() {
    for change in [
        (|update| update.epoch = Epoch(2)) as fn(&mut Update),
        |update| update.nonce = Nonce(2),
        |update| update.channel = channel('A', 'C'),
        |update| {
            update.operations = vec![Operation::Pay {
                payment: PaymentId([1; 16]),
                amount: Amount(101),
                note: vec![],
            }];
            update.transferred = Amount(101);
        },
    ] {
        let (before, after, chart) = forged(change);
        assert_eq!(before, after);
        assert!(chart.is_empty());
    }
}

#[test]
fn another_update_under_the_same_nonce_is_equivocation() {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 0);
    world.pay('A', 'B', 30, false).unwrap();
    world.run();
    let update = Update {
        channel: channel('A', 'B'),
        epoch: Epoch(1),
        nonce: Nonce(1),
        operations: vec![],
        transferred: Amount(20),
        locked: Amount(0),
        locksroot: Locksroot::EMPTY,
        signature: Signature([0; 65]),
    };
    let message = Message::Update(update);
    let (from, signer) = (account('A'), Some(account('A')));
    let signed = SignedMessage { from, message, signer, opened: vec![] };
    world.give('B', Input::Message(signed)).unwrap();
    let last = world.nodes[&'B'].store.notices.last().unwrap().kind.clone();
    assert!(matches!(last, NoticeKind::DirectionStopped { rule: 10, .. }));
    assert_eq!(world.balances('A', 'B'), "70/30");
}

/// Who sees no chain sees no closing either: what is paid must still be disputable.
#[test]
fn a_silent_chain_stops_direct_payments_when_half_the_settle_timeout_is_over() {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 0);
    world.give('A', Input::ChainReachable(false)).unwrap();
    assert_eq!(world.pay('A', 'B', 1, true), Err(Rejection::ChainUnavailable));
    let half = world.time + SETTLE_TIMEOUT / 2;
    world.give('A', Input::Clock(Timestamp(half))).unwrap();
    world.pay('A', 'B', 10, false).unwrap();
    world.give('A', Input::Clock(Timestamp(half + 1))).unwrap();
    assert_eq!(world.pay('A', 'B', 10, false), Err(Rejection::ChainUnavailable));
    world.give('A', Input::ChainReachable(true)).unwrap();
    world.pay('A', 'B', 10, false).unwrap();
}
