//! Payments whose secret the target's owner keeps.

use crate::world::{World, account, timing};
use photon_core::view::{NoticeKind, PaymentFailure, PaymentStatus, Target};
use photon_core::{Attempt, Command, Input, PayCommand, Rejection};
use photon_wire::codec::Encode;
use photon_wire::invoice::Invoice;
use photon_wire::onward::ForTarget;
use photon_wire::seal::EncryptionKey;
use photon_wire::{Address, Amount, PaymentId, Secret, Signature, Timestamp};

const SECRET: Secret = Secret([0x77; 32]);
const PAYMENT: PaymentId = PaymentId([0x55; 16]);

/// A-B-C, where A has paid an invoice of C whose secret C's owner keeps.
fn held() -> World {
    let mut world = World::new("ABC");
    world.open('A', 100, 'B', 0);
    world.open('B', 80, 'C', 0);
    let invoice = Invoice {
        chain_id: 1,
        contract: Address::ZERO,
        token: crate::world::TOKEN,
        target: account('C'),
        amount: Some(Amount(20)),
        secret_hash: SECRET.hash(),
        encryption_key: EncryptionKey([1; 32]),
        issued: Timestamp(0),
        expires: Timestamp(u64::MAX),
        description: String::new(),
        signature: Signature([0; 65]),
    };
    let add = Command::AddInvoice { invoice, secret: None };
    world.give('C', Input::Command(add)).unwrap();
    world.give('A', Input::Command(Command::Pay(pay(PAYMENT)))).unwrap();
    world.run();
    world
}

fn pay(payment: PaymentId) -> PayCommand {
    let amount = Amount(20);
    let sealed = ForTarget { payment, amount, secret: None, note: vec![] }.to_bytes();
    let attempt = Attempt { secret: None, secret_hash: SECRET.hash(), sealed };
    PayCommand {
        payment,
        target: Target { token: crate::world::TOKEN, account: account('C'), amount },
        max_fee: Amount(0),
        note: vec![],
        invoice: Some(SECRET.hash()),
        locked: false,
        attempts: vec![attempt],
    }
}

#[test]
fn a_held_payment_is_locked_until_it_is_released() {
    let mut world = held();
    assert_eq!(world.balances('A', 'B'), "80+20/0");
    assert_eq!(world.balances('B', 'C'), "60+20/0");
    let notice = world.nodes[&'C'].store.notices.last().unwrap().kind.clone();
    assert!(matches!(notice, NoticeKind::PaymentHeld { payment: PAYMENT, .. }), "{notice:?}");
    world.restart('C');
    world.mine(100);
    world.run();
    assert_eq!(world.status('A', PAYMENT), PaymentStatus::Pending);
    world.give('C', Input::Command(Command::ReleaseInvoice(SECRET))).unwrap();
    world.run();
    assert_eq!(world.status('A', PAYMENT), PaymentStatus::Paid { proof: Some(SECRET) });
    assert_eq!(
        (world.balances('A', 'B'), world.balances('B', 'C')),
        ("80/20".into(), "60/20".into())
    );
    let late = world.give('C', Input::Command(Command::CancelInvoice(SECRET.hash())));
    assert_eq!(late, Err(Rejection::UnknownInvoice));
}

#[test]
fn a_cancelled_payment_goes_back_at_once() {
    let mut world = held();
    world.give('C', Input::Command(Command::CancelInvoice(SECRET.hash()))).unwrap();
    world.run();
    assert!(matches!(world.status('A', PAYMENT), PaymentStatus::Failed(PaymentFailure::Hop(_))));
    assert_eq!(
        (world.balances('A', 'B'), world.balances('B', 'C')),
        ("100/0".into(), "80/0".into())
    );
    let released = world.give('C', Input::Command(Command::ReleaseInvoice(SECRET)));
    assert_eq!(released, Err(Rejection::UnknownInvoice));
}

/// Taken too late, the secret could not be brought onto the chain in time: so it goes back before.
#[test]
fn a_payment_that_nobody_releases_goes_back_before_it_is_unsafe() {
    let mut world = held();
    world.mine(timing().lock_duration.0 - timing().reveal_timeout.0);
    world.run();
    assert_eq!(
        (world.balances('A', 'B'), world.balances('B', 'C')),
        ("100/0".into(), "80/0".into())
    );
    assert!(matches!(world.status('A', PAYMENT), PaymentStatus::Failed(_)));
}

/// C is away until the lock is past.
#[test]
fn a_payment_held_by_a_node_that_is_gone_expires() {
    let mut world = held();
    for other in ['A', 'B'] {
        world.give('C', Input::Disconnected(account(other))).unwrap();
        world.give(other, Input::Disconnected(account('C'))).unwrap();
    }
    world.mine(timing().lock_duration.0 + timing().expire_margin.0 + 10);
    world.run();
    assert_eq!(world.status('A', PAYMENT), PaymentStatus::Failed(PaymentFailure::Expired));
    assert_eq!(world.balances('A', 'B'), "100/0");
    world.restart('C');
    world.run();
    world.mine(10);
    world.run();
    assert_eq!(world.balances('B', 'C'), "80/0");
}

#[test]
fn a_secret_that_is_out_cannot_be_cancelled() {
    let mut world = held();
    world.lose = vec!["Reveal"];
    world.give('C', Input::Command(Command::ReleaseInvoice(SECRET))).unwrap();
    world.run();
    let cancelled = world.give('C', Input::Command(Command::CancelInvoice(SECRET.hash())));
    assert_eq!(cancelled, Err(Rejection::InvoicePaid));
}
