use crate::world::{CHALLENGE, SETTLE_TIMEOUT, World, account, channel, timing};
use photon_core::view::{ChannelState, PaymentFailure, PaymentStatus};
use photon_core::{Command, Input};
use photon_wire::contract::{Call, Event};
use photon_wire::registry::RegistryTree;
use photon_wire::{Amount, Epoch, Locksroot, Nonce, Secret, Timestamp};

fn calls(world: &World, who: char) -> Vec<Call> {
    world.nodes[&who].submitted.iter().map(|intent| intent.call.clone()).collect()
}

/// A has paid B 30, B has paid A 5, and A has closed with the proof of B.
fn closed(by: char) -> World {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 10);
    world.pay('A', 'B', 30, false).unwrap();
    world.run();
    world.pay('B', 'A', 5, false).unwrap();
    world.run();
    world.give(by, Input::Command(Command::CloseChannel(channel('A', 'B')))).unwrap();
    let partner = if by == 'A' { 'B' } else { 'A' };
    let update_until = Timestamp(world.time + SETTLE_TIMEOUT);
    let (channel, epoch) = (channel('A', 'B'), Epoch(1));
    let closer = account(by);
    world.same_block(Event::ChannelClosed { channel, epoch, closer, update_until });
    let transferred = if partner == 'A' { Amount(30) } else { Amount(5) };
    world.event(Event::BalanceUpdated {
        channel,
        epoch,
        payer: account(partner),
        nonce: Nonce(1),
        transferred,
        locksroot: Locksroot::EMPTY,
    });
    world
}

#[test]
fn the_closer_brings_the_partners_latest_proof() {
    let world = closed('A');
    let [Call::Close { proof: Some(proof), .. }] = calls(&world, 'A')[..] else {
        panic!("{:?}", calls(&world, 'A'))
    };
    assert_eq!((proof.nonce, proof.transferred), (Nonce(1), Amount(5)));
}

#[test]
fn the_other_side_updates_by_itself_and_both_settle_when_the_time_has_come() {
    let mut world = closed('A');
    let [Call::Update { proof, .. }] = calls(&world, 'B')[..] else {
        panic!("{:?}", calls(&world, 'B'))
    };
    assert_eq!((proof.nonce, proof.transferred), (Nonce(1), Amount(30)));
    world.event(Event::BalanceUpdated {
        channel: channel('A', 'B'),
        epoch: Epoch(1),
        payer: account('A'),
        nonce: Nonce(1),
        transferred: Amount(30),
        locksroot: Locksroot::EMPTY,
    });
    world.mine(SETTLE_TIMEOUT + CHALLENGE - 3);
    assert_eq!(calls(&world, 'A').len(), 1, "too early to settle");
    world.mine(3);
    assert_eq!(calls(&world, 'B').len(), 1, "the closer goes first");
    world.mine(timing().hop_margin.0);
    for who in ['A', 'B'] {
        let last = calls(&world, who).pop();
        let Some(Call::Settle { low, high, .. }) = last else { panic!("{last:?}") };
        assert_eq!((low.transferred, high.transferred), (Amount(30), Amount(5)));
    }
    world.event(Event::ChannelSettled {
        channel: channel('A', 'B'),
        epoch: Epoch(1),
        paid_low: Amount(75),
        paid_high: Amount(35),
    });
    assert!(world.nodes[&'A'].machine.channels().is_empty());
    assert!(world.nodes[&'B'].machine.channels().is_empty());
}

#[test]
fn a_closed_channel_takes_no_payments() {
    let mut world = closed('A');
    assert!(world.pay('A', 'B', 1, false).is_err());
    let view = world.nodes[&'B'].machine.channel(channel('A', 'B')).unwrap();
    assert!(matches!(view.state, ChannelState::Closed { .. }));
}

#[test]
fn a_lock_that_was_pending_at_the_close_is_registered_and_unlocked_on_the_chain() {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 0);
    world.lose = vec!["Reveal"];
    world.pay('A', 'B', 20, true).unwrap();
    world.run();
    let (channel, epoch) = (channel('A', 'B'), Epoch(1));
    let update_until = Timestamp(world.time + SETTLE_TIMEOUT);
    let closer = account('A');
    world.event(Event::ChannelClosed { channel, epoch, closer, update_until });
    world.mine(1);
    let all = calls(&world, 'B');
    let proof = all.iter().find_map(|call| match call {
        Call::Update { proof, .. } => Some(*proof),
        _ => None,
    });
    let proof = proof.expect("B updates");
    let secrets = all.iter().find_map(|call| match call {
        Call::RegisterSecrets(secrets) => Some(secrets.clone()),
        _ => None,
    });
    let secrets = secrets.expect("B registers at once: A will not pay off the chain any more");
    world.event(Event::BalanceUpdated {
        channel,
        epoch,
        payer: account('A'),
        nonce: proof.nonce,
        transferred: proof.transferred,
        locksroot: proof.locksroot,
    });
    let root = RegistryTree::new(secrets.iter().map(Secret::hash)).unwrap().root();
    world.event(Event::SecretsRegistered { root, secrets });
    let last = calls(&world, 'B').pop();
    let Some(Call::Unlock { locks, multiproof, balance, .. }) = last else { panic!("{last:?}") };
    assert_eq!(balance.locksroot, proof.locksroot);
    let leaves: Vec<_> = locks.iter().map(|claim| (claim.slot, claim.lock.hash())).collect();
    assert_eq!(photon_wire::tree::root_of(&leaves, &multiproof), Some(proof.locksroot));
}

/// A has paid B 30, and closes; what the contract says of A's declaration.
fn declared(transferred: u128) -> World {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 10);
    world.pay('A', 'B', 30, false).unwrap();
    world.run();
    world.give('A', Input::Command(Command::CloseChannel(channel('A', 'B')))).unwrap();
    let [Call::Close { declared: Amount(30), .. }] = calls(&world, 'A')[..] else {
        panic!("{:?}", calls(&world, 'A'))
    };
    let update_until = Timestamp(world.time + SETTLE_TIMEOUT);
    let (channel, epoch, closer) = (channel('A', 'B'), Epoch(1), account('A'));
    world.same_block(Event::ChannelClosed { channel, epoch, closer, update_until });
    world.event(Event::BalanceUpdated {
        channel,
        epoch,
        payer: account('A'),
        nonce: Nonce(0),
        transferred: Amount(transferred),
        locksroot: Locksroot::EMPTY,
    });
    world
}

#[test]
fn a_closer_that_declared_all_that_it_paid_needs_no_answer() {
    let mut world = declared(30);
    assert_eq!(calls(&world, 'B'), []);
    world.mine(SETTLE_TIMEOUT + CHALLENGE + timing().hop_margin.0);
    let last = calls(&world, 'B').pop();
    let Some(Call::Settle { low, high, .. }) = last else { panic!("{last:?}") };
    assert_eq!((low.declared, high.declared), (Amount(0), Amount(30)));
}

#[test]
fn a_closer_that_declared_less_is_answered() {
    let world = declared(29);
    let all = calls(&world, 'B');
    let [Call::Update { proof, .. }] = &all[..] else { panic!("{all:?}") };
    assert_eq!(proof.transferred, Amount(30));
}

/// With a lock of its own pending, whoever closes leaves the word to the other's proof.
#[test]
fn a_closer_with_a_pending_lock_declares_nothing() {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 0);
    world.lose = vec!["Reveal"];
    world.pay('A', 'B', 20, true).unwrap();
    world.run();
    world.give('A', Input::Command(Command::CloseChannel(channel('A', 'B')))).unwrap();
    let all = calls(&world, 'A');
    assert!(matches!(all[..], [Call::Close { declared: Amount(0), .. }]), "{all:?}");
}

/// A pays B, which is away, and closes. B gets the payment only if it shows that it has it; else
/// A's owner is told that it failed, and has the tokens.
#[test]
fn a_closer_declares_nothing_that_was_not_acknowledged() {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 0);
    world.lose = vec!["Update"];
    let payment = world.pay('A', 'B', 30, false).unwrap();
    world.run();
    world.give('A', Input::Command(Command::CloseChannel(channel('A', 'B')))).unwrap();
    let all = calls(&world, 'A');
    assert!(matches!(all[..], [Call::Close { declared: Amount(0), .. }]), "{all:?}");
    world.close('A', 'B');
    let (channel, epoch) = (channel('A', 'B'), Epoch(1));
    let (paid_low, paid_high) = (Amount(100), Amount(0));
    world.event(Event::ChannelSettled { channel, epoch, paid_low, paid_high });
    let failed = PaymentStatus::Failed(PaymentFailure::ChannelClosed);
    assert_eq!(world.status('A', payment), failed);
}
