//! A partner that agrees, or asks for agreement, in bad faith.

use super::*;
use photon_wire::message::ProposeSettle;

/// A-B: B has A's payment, never says so, and proposes the end with the payment in it. A's owner
/// must not be told that the payment has failed: it would be made twice.
#[test]
fn a_payment_that_is_in_the_agreed_end_is_paid_acknowledged_or_not() {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 0);
    world.lose = vec!["Acknowledge"];
    let payment = world.pay('A', 'B', 30, false).unwrap();
    world.run();
    let (id, epoch) = (channel('A', 'B'), Epoch(1));
    let propose = ProposeSettle {
        channel: id,
        epoch,
        sent: Nonce(0),
        received: Nonce(1),
        transferred_low: Amount(30),
        transferred_high: Amount(0),
        valid_until: Timestamp(world.time + 500),
    };
    world.say('B', 'A', Message::ProposeSettle(propose)).unwrap();
    world.run();
    assert!(world.chart.contains(&"A -> B AgreeSettle 30/0".to_owned()), "{:#?}", world.chart);
    settle(&mut world, 'A', 'B');
    assert_eq!(world.status('A', payment), PaymentStatus::Paid { proof: None });
}
