//! Whoever claims on the chain a lock that it has given back pays for it, whatever proof it uses.

use crate::world::{World, account, calls, channel};
use photon_core::Input;
use photon_core::view::NoticeKind;
use photon_wire::contract::{Call, Event};
use photon_wire::message::{Dispose, DisposedLock, Failure, Message, Reason};
use photon_wire::tree::root_of;
use photon_wire::{Amount, Epoch, LockHash, Locksroot, Nonce, Signature, Slot};

/// A has locked for B, which gives the lock back; A has dropped it, and then locked and paid more.
/// The locksroot and the lock of A's first proof.
fn disposed() -> (World, Locksroot, LockHash) {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 0);
    world.lose = vec!["Reveal"];
    world.pay('A', 'B', 10, true).unwrap();
    world.pay('A', 'B', 20, true).unwrap();
    world.run();
    let locks = world.nodes[&'A'].store.locks.iter();
    let leaves: Vec<_> = locks.map(|(key, row)| (key.slot, row.lock.hash())).collect();
    // The second update of A has both locks.
    let root = root_of(&leaves, &tree(&leaves)).unwrap();
    let lock = leaves[1].1;
    let failure = Failure { hop: account('B'), reason: Reason::Rejected };
    let (channel, epoch, signature) = (channel('A', 'B'), Epoch(1), Signature([7; 65]));
    let locks = vec![DisposedLock { lock, failure }];
    let dispose = Message::Dispose(Dispose { channel, epoch, locks, signature });
    world.lose.push("A -> B Update");
    world.say('B', 'A', dispose).unwrap();
    world.pay('A', 'B', 5, true).unwrap();
    world.pay('A', 'B', 3, false).unwrap();
    world.run();
    (world, root, lock)
}

/// The hashes beside these leaves.
fn tree(leaves: &[(Slot, LockHash)]) -> Vec<photon_wire::B256> {
    let mut tree = photon_wire::tree::LockTree::default();
    leaves.iter().for_each(|(slot, lock)| tree.set(*slot, Some(*lock)));
    let slots: Vec<Slot> = leaves.iter().map(|(slot, _)| *slot).collect();
    tree.multiproof(&slots)
}

/// B closes with nothing, and shows A's proof with this nonce.
fn shown(world: &mut World, nonce: u64, locksroot: Locksroot) {
    world.close('B', 'A');
    world.event(Event::BalanceUpdated {
        channel: channel('A', 'B'),
        epoch: Epoch(1),
        payer: account('A'),
        nonce: Nonce(nonce),
        transferred: Amount(0),
        locksroot,
    });
}

fn claimed(world: &mut World, nonce: u64, slots: Vec<Slot>) {
    let (channel, epoch, payer) = (channel('A', 'B'), Epoch(1), account('A'));
    let (nonce, amount) = (Nonce(nonce), Amount(20));
    world.event(Event::Unlocked { channel, epoch, payer, nonce, slots, amount });
}

fn punishments(world: &World) -> Vec<Call> {
    let is_punishment = |call: &Call| matches!(call, Call::Punish { .. });
    calls(world, 'A').into_iter().filter(is_punishment).collect()
}

#[test]
fn a_disposed_lock_that_is_claimed_under_an_old_proof_is_punished() {
    for restart in [false, true] {
        let (mut world, root, disposed) = disposed();
        shown(&mut world, 2, root);
        if restart {
            world.restart('A');
        }
        claimed(&mut world, 2, vec![Slot(0), Slot(1)]);
        if restart {
            world.restart('A');
            world.mine(1);
        }
        let [Call::Punish { balance, slot, lock, multiproof, disposal, payer, payee, .. }] =
            &punishments(&world)[..]
        else {
            panic!("{:?}", punishments(&world))
        };
        assert_eq!((*payer, *payee, *slot), (account('A'), account('B'), Slot(1)));
        assert_eq!(lock.hash(), disposed);
        assert_eq!(balance.locksroot, root);
        assert_eq!(root_of(&[(*slot, disposed)], multiproof), Some(root));
        assert_eq!(disposal.locks[usize::from(disposal.index)], disposed);
        assert_eq!(disposal.signature, Signature([7; 65]));
        world.mine(1);
        assert_eq!(punishments(&world).len(), 1, "once");
    }
}

#[test]
fn an_honest_claim_is_not_punished() {
    let (mut world, root, _) = disposed();
    shown(&mut world, 2, root);
    claimed(&mut world, 2, vec![Slot(0)]);
    world.mine(1);
    assert_eq!(punishments(&world), []);
}

#[test]
fn a_punishment_that_failed_is_tried_again_while_it_counts() {
    let (mut world, root, _) = disposed();
    shown(&mut world, 2, root);
    claimed(&mut world, 2, vec![Slot(1)]);
    let intent = world.nodes[&'A'].submitted.last().unwrap().clone();
    let until = world.time + crate::world::SETTLE_TIMEOUT + crate::world::CHALLENGE;
    assert!(intent.deadline.unwrap().0 <= until);
    let outcome = Err("no gas".into());
    world.give('A', Input::Submitted { id: intent.id, outcome }).unwrap();
    world.mine(1);
    assert_eq!(punishments(&world).len(), 2);
    let (channel, epoch, payer) = (channel('A', 'B'), Epoch(1), account('A'));
    world.event(Event::Punished { channel, epoch, payer, slot: Slot(1), amount: Amount(20) });
    world.mine(1);
    assert_eq!(punishments(&world).len(), 2);
    let told = |notice: &&photon_core::Notice| matches!(notice.kind, NoticeKind::Punished { .. });
    assert_eq!(world.nodes[&'A'].store.notices.iter().filter(told).count(), 1);
}

/// Where nothing was ever given back, nothing is kept.
#[test]
fn changes_of_locks_are_kept_only_as_long_as_they_may_be_needed() {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 0);
    for _ in 0..3 {
        world.pay('A', 'B', 10, true).unwrap();
        world.run();
    }
    let known = world.nodes[&'A'].store.recollections.get(&channel('A', 'B'));
    assert!(known.is_none_or(|known| known.history.is_empty()));
}
