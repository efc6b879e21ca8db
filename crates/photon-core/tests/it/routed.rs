use crate::world::{World, account, channel};
use photon_core::view::{PaymentFailure, PaymentStatus};
use photon_core::{Input, Rejection};
use photon_wire::message::{Failure, Reason};
use photon_wire::record::FeeSchedule;
use photon_wire::{Amount, PaymentId};

fn line() -> World {
    let mut world = World::new("ABC");
    world.open('A', 100, 'B', 0);
    world.open('B', 80, 'C', 0);
    world
}

fn is_paid(world: &World, payment: PaymentId) -> bool {
    matches!(world.status('A', payment), PaymentStatus::Paid { .. })
}

fn failed(world: &World, payment: PaymentId) -> PaymentFailure {
    match world.status('A', payment) {
        PaymentStatus::Failed(failure) => failure,
        status => panic!("{status:?}"),
    }
}

#[test]
fn a_mediated_payment_walks_there_and_back() {
    let mut world = line();
    let payment = world.pay('A', 'C', 20, false).unwrap();
    assert_eq!(
        world.run().chart,
        [
            "A -> B Update[lock]",
            "B -> C Update[lock]",
            "B -> A Acknowledge 1",
            "C -> B Acknowledge 1",
            "C -> B Reveal 1",
            "B -> C Update[unlock]",
            "B -> A Reveal 1",
            "C -> B Acknowledge 2",
            "A -> B Update[unlock]",
            "B -> A Acknowledge 2",
        ]
    );
    assert!(is_paid(&world, payment));
    assert_eq!(
        (world.balances('A', 'B'), world.balances('B', 'C')),
        ("80/20".into(), "60/20".into())
    );
}

#[test]
fn a_neighbour_can_be_paid_by_lock_for_the_proof() {
    let mut world = line();
    let payment = world.pay('A', 'B', 20, true).unwrap();
    world.run();
    assert!(matches!(world.status('A', payment), PaymentStatus::Paid { proof: Some(_) }));
    assert_eq!(world.balances('A', 'B'), "80/20");
}

#[test]
fn fees_compound_from_the_target_backwards() {
    let fees = FeeSchedule { base: Amount(1), parts_per_million: 100_000 };
    let mut world = World::with_fees("ABCD", fees);
    world.open('A', 1_000, 'B', 0);
    world.open('B', 1_000, 'C', 0);
    world.open('C', 1_000, 'D', 0);
    for node in world.nodes.values_mut() {
        // Everybody knows everybody's fees, as after gossip.
        for name in "ABCD".chars() {
            let record = photon_wire::record::NodeRecord {
                account: account(name),
                encryption_key: photon_wire::seal::EncryptionKey([0; 32]),
                addresses: vec![],
                fees,
                issued: photon_wire::Timestamp(1),
                valid_until: photon_wire::Timestamp(u64::MAX),
                signature: photon_wire::Signature([0; 65]),
            };
            let records = photon_core::Command::AddRecords(vec![record]);
            node.machine.step(Input::Command(records)).unwrap();
            node.machine.turn();
        }
    }
    let payment = world.pay('A', 'D', 100, false).unwrap();
    world.run();
    assert!(is_paid(&world, payment));
    // C forwards 100 and takes 1 + 10; B forwards 111 and takes 1 + 11.
    assert_eq!(world.balances('C', 'D'), "900/100");
    assert_eq!(world.balances('B', 'C'), "889/111");
    assert_eq!(world.balances('A', 'B'), "877/123");
}

#[test]
fn a_mediator_that_lacks_balance_gives_the_lock_back_and_no_lock_is_left() {
    let mut world = line();
    world.pay('B', 'C', 70, false).unwrap();
    world.run().chart.clear();
    let payment = world.pay('A', 'C', 20, false).unwrap();
    assert_eq!(
        world.run().chart,
        [
            "A -> B Update[lock]",
            "B -> A Acknowledge 1",
            "B -> A Dispose insufficient_balance",
            "A -> B Update[drop]",
            "B -> A Acknowledge 2",
        ]
    );
    let failure = Failure { hop: account('B'), reason: Reason::InsufficientBalance };
    assert_eq!(failed(&world, payment), PaymentFailure::Hop(failure));
    assert_eq!(world.balances('A', 'B'), "100/0");
}

#[test]
fn a_failed_hop_is_routed_around_at_once() {
    let mut world = World::new("ABCD");
    world.open('A', 100, 'B', 0);
    world.open('B', 80, 'D', 0);
    world.open('A', 100, 'C', 0);
    world.open('C', 80, 'D', 0);
    world.give('B', Input::Disconnected(account('D'))).unwrap();
    world.give('D', Input::Disconnected(account('B'))).unwrap();
    let payment = world.pay('A', 'D', 20, false).unwrap();
    world.run();
    assert!(world.chart.contains(&"B -> A Dispose partner_offline".into()), "{:?}", world.chart);
    assert!(is_paid(&world, payment));
    assert_eq!(
        (world.balances('A', 'B'), world.balances('A', 'C')),
        ("100/0".into(), "80/20".into())
    );
}

#[test]
fn an_offline_partner_is_named_before_anything_is_sent() {
    let mut world = line();
    world.give('A', Input::Disconnected(account('B'))).unwrap();
    let refused = world.pay('A', 'B', 20, false).unwrap_err();
    assert_eq!(refused, Rejection::PartnerOffline { partner: account('B') });
    let refused = world.pay('A', 'C', 20, false).unwrap_err();
    assert_eq!(refused, Rejection::PartnerOffline { partner: account('B') });
    assert!(world.run().chart.is_empty());
}

#[test]
fn the_same_name_is_the_same_payment() {
    let mut world = line();
    let payment = world.pay('A', 'C', 20, false).unwrap();
    world.nodes.get_mut(&'A').unwrap();
    let again = world.nodes[&'A'].machine.payment(payment).unwrap().clone();
    assert_eq!(again.id, payment);
    world.run();
    assert_eq!(world.balances('A', 'B'), "80/20");
}

#[test]
fn payments_cross_in_both_directions() {
    let mut world = World::new("ABC");
    world.open('A', 100, 'B', 100);
    world.open('B', 100, 'C', 100);
    for amount in [1, 2, 3] {
        world.pay('A', 'C', amount, false).unwrap();
        world.pay('C', 'A', amount * 10, false).unwrap();
    }
    world.run();
    assert_eq!(world.balances('A', 'B'), "154/46");
    assert_eq!(world.balances('B', 'C'), "154/46");
}

#[test]
fn a_direct_payment_passes_beside_a_pending_lock() {
    let mut world = line();
    world.lose = vec!["Reveal"];
    world.pay('A', 'C', 20, false).unwrap();
    world.run();
    let direct = world.pay('A', 'B', 30, false).unwrap();
    world.run();
    assert!(is_paid(&world, direct));
    assert_eq!(world.balances('A', 'B'), "50+20/30");
}

#[test]
fn a_lock_with_too_little_time_left_is_given_back() {
    let mut world = line();
    world.lose = vec!["B -> C Update"];
    let payment = world.pay('A', 'C', 20, false).unwrap();
    world.run();
    world.lose.clear();
    world.mine(950);
    world.restart('C');
    world.run();
    let failure = Failure { hop: account('C'), reason: Reason::ExpirationTooSoon };
    assert_eq!(failed(&world, payment), PaymentFailure::Hop(failure));
    assert_eq!(
        (world.balances('A', 'B'), world.balances('B', 'C')),
        ("100/0".into(), "80/0".into())
    );
}

#[test]
fn a_payment_over_a_closed_channel_finds_no_way() {
    let mut world = line();
    let id = channel('B', 'C');
    world.give('B', Input::Command(photon_core::Command::CloseChannel(id))).unwrap();
    let payment = world.pay('A', 'C', 20, false).unwrap();
    world.run();
    let failure = Failure { hop: account('B'), reason: Reason::NoChannel };
    assert_eq!(failed(&world, payment), PaymentFailure::Hop(failure));
}

#[test]
fn a_record_is_forgotten_when_it_is_past() {
    let mut world = line();
    let record = photon_wire::record::NodeRecord {
        account: account('C'),
        encryption_key: photon_wire::seal::EncryptionKey([0; 32]),
        addresses: vec![],
        fees: FeeSchedule { base: Amount(7), parts_per_million: 0 },
        issued: photon_wire::Timestamp(world.time),
        valid_until: photon_wire::Timestamp(world.time + 100),
        signature: photon_wire::Signature([0; 65]),
    };
    world.give('A', Input::Command(photon_core::Command::AddRecords(vec![record]))).unwrap();
    world.mine(100);
    assert!(world.nodes[&'A'].machine.node_record(account('C')).is_some());
    world.mine(1);
    assert!(world.nodes[&'A'].machine.node_record(account('C')).is_none());
}
