use crate::world::{World, channel};
use photon_core::view::{PaymentFailure, PaymentStatus};
use photon_wire::contract::{Call, Event};
use photon_wire::registry::RegistryTree;
use photon_wire::{PaymentId, Secret};

/// A-B-C where C has shown its secret to nobody that heard it.
fn unheard() -> (World, PaymentId) {
    let mut world = World::new("ABC");
    world.open('A', 100, 'B', 0);
    world.open('B', 80, 'C', 0);
    world.lose = vec!["Reveal"];
    let payment = world.pay('A', 'C', 20, false).unwrap();
    world.run();
    (world, payment)
}

fn registered(world: &World, who: char) -> Vec<Secret> {
    let calls = world.nodes[&who].submitted.iter().map(|intent| intent.call.clone());
    let secrets = calls.filter_map(|call| match call {
        Call::RegisterSecrets(secrets) => Some(secrets),
        _ => None,
    });
    secrets.flatten().collect()
}

fn register(world: &mut World, secrets: Vec<Secret>) {
    let root = RegistryTree::new(secrets.iter().map(Secret::hash)).unwrap().root();
    world.event(Event::SecretsRegistered { root, secrets });
    world.run();
}

#[test]
fn an_unpaid_payee_registers_its_secret_before_it_is_too_late_and_everybody_is_paid() {
    let (mut world, payment) = unheard();
    world.mine(850);
    assert!(registered(&world, 'C').is_empty());
    world.mine(60);
    let secrets = registered(&world, 'C');
    assert_eq!(secrets.len(), 1);
    world.mine(1);
    assert_eq!(registered(&world, 'C').len(), 1, "registered once");
    register(&mut world, secrets);
    assert!(matches!(world.status('A', payment), PaymentStatus::Paid { .. }));
    assert_eq!(world.balances('A', 'B'), "80/20");
    assert_eq!(world.balances('B', 'C'), "60/20");
}

#[test]
fn a_mediator_that_hears_the_secret_too_late_pays_only_what_was_registered() {
    let (mut world, _) = unheard();
    world.mine(905);
    world.lose = vec!["B -> A Reveal"];
    world.restart('C');
    world.run();
    assert_eq!(world.balances('B', 'C'), "60+20/0", "B must not pay C off the chain now");
    world.mine(1);
    let secrets = registered(&world, 'B');
    assert_eq!(secrets.len(), 1, "B brings it onto the chain against A");
    world.lose = vec!["Reveal"];
    register(&mut world, secrets);
    assert_eq!(world.balances('B', 'C'), "60/20");
    assert_eq!(world.balances('A', 'B'), "80/20");
}

#[test]
fn an_expired_lock_leaves_every_hop_and_not_before_it_is_past_for_good() {
    let mut world = World::new("ABC");
    world.open('A', 100, 'B', 0);
    world.open('B', 80, 'C', 0);
    world.lose = vec!["B -> C Update[lock]"];
    let payment = world.pay('A', 'C', 20, false).unwrap();
    world.run();
    world.mine(1_040);
    world.run();
    assert_eq!(world.balances('A', 'B'), "80+20/0");
    world.mine(20);
    world.run();
    assert_eq!(world.balances('A', 'B'), "100/0");
    assert_eq!(world.status('A', payment), PaymentStatus::Failed(PaymentFailure::Expired));
}

#[test]
fn a_registration_after_the_expiration_counts_for_nothing() {
    let (mut world, payment) = unheard();
    let secret = {
        world.mine(910);
        registered(&world, 'C')
    };
    world.mine(200);
    register(&mut world, secret);
    world.run();
    assert_eq!(world.balances('A', 'B'), "100/0");
    assert_eq!(world.balances('B', 'C'), "80/0");
    assert_eq!(world.status('A', payment), PaymentStatus::Failed(PaymentFailure::Expired));
    assert!(world.nodes[&'B'].machine.channel(channel('A', 'B')).is_some(), "nothing was closed");
}

/// A pays B late; B has just started again and cannot sign for C yet. B remembers that it owes C,
/// though nothing else of the payment is left.
#[test]
fn a_mediator_that_was_paid_pays_on_as_soon_as_it_can_sign() {
    let (mut world, _) = unheard();
    world.mine(905);
    world.lose = vec!["A -> B Update[unlock]"];
    world.restart('C');
    world.run();
    world.lose = vec!["C -> B Reestablish"];
    world.restart('B');
    world.run();
    assert_eq!(world.balances('A', 'B'), "80/20");
    assert_eq!(world.balances('B', 'C'), "60+20/0");
    world.restart('B');
    world.run();
    assert_eq!(world.balances('B', 'C'), "60+20/0");
    world.lose.clear();
    world.mine(1);
    world.run();
    assert_eq!(world.balances('B', 'C'), "60/20");
}
