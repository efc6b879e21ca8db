//! Dropped and built again from its rows at every single turn, a node does the same.

use crate::world::World;
use photon_core::view::PaymentStatus;

#[test]
fn rows_hold_all_that_a_node_needs_at_every_turn() {
    let mut world = World::new("ABC");
    world.restart_always = true;
    world.open('A', 100, 'B', 0);
    world.open('B', 80, 'C', 0);
    let direct = world.pay('A', 'B', 30, false).unwrap();
    world.run();
    let routed = world.pay('A', 'C', 20, false).unwrap();
    world.run();
    assert_eq!(world.status('A', direct), PaymentStatus::Paid { proof: None });
    assert!(matches!(world.status('A', routed), PaymentStatus::Paid { proof: Some(_) }));
    assert_eq!(world.balances('A', 'B'), "50/50");
    assert_eq!(world.balances('B', 'C'), "60/20");
}

#[test]
fn a_restart_of_anybody_after_any_message_ends_the_payment_the_same_way() {
    for victim in ['A', 'B', 'C'] {
        for moment in 0..10 {
            let mut world = World::new("ABC");
            world.open('A', 100, 'B', 0);
            world.open('B', 80, 'C', 0);
            let payment = world.pay('A', 'C', 20, false).unwrap();
            for _ in 0..moment {
                world.deliver_one();
            }
            world.restart(victim);
            world.run();
            let status = world.status('A', payment);
            assert!(
                matches!(status, PaymentStatus::Paid { .. }),
                "{victim} restarted after {moment} messages: {status:?} {:#?}",
                world.chart
            );
            assert_eq!(world.balances('A', 'B'), "80/20", "{victim} {moment}");
            assert_eq!(world.balances('B', 'C'), "60/20", "{victim} {moment}");
        }
    }
}
