//! Lock trees of every size, and multiproofs that somebody tampered with.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use alloy_primitives::keccak256;
use photon_wire::limits::{SLOTS, TREE_DEPTH};
use photon_wire::tree::{LockTree, root_of};
use photon_wire::{B256, LockHash, Slot};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn lock(slot: u16, salt: u64) -> LockHash {
    LockHash(keccak256([&slot.to_be_bytes()[..], &salt.to_be_bytes()].concat()))
}

fn filled(locks: &BTreeMap<u16, LockHash>) -> LockTree {
    let mut tree = LockTree::default();
    locks.iter().for_each(|(slot, lock)| tree.set(Slot(*slot), Some(*lock)));
    tree
}

/// Trees with few locks, and with every slot taken.
fn slots() -> impl Strategy<Value = Vec<u16>> {
    let few = prop::collection::btree_set(0..SLOTS, 1..60);
    let near =
        (0..SLOTS - 64).prop_flat_map(|from| prop::collection::btree_set(from..from + 64, 1..64));
    let all = Just((0..SLOTS).collect::<std::collections::BTreeSet<u16>>());
    prop_oneof![8 => few, 8 => near, 1 => all].prop_map(|slots| slots.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_proof_holds_for_its_own_locks_in_their_own_slots_and_for_nothing_else(
        slots in slots(),
        salt in any::<u64>(),
        chosen in prop::collection::vec(any::<prop::sample::Index>(), 1..20),
        at in any::<prop::sample::Index>(),
        bit in 0..256_usize,
    ) {
        let locks: BTreeMap<u16, LockHash> =
            slots.iter().map(|slot| (*slot, lock(*slot, salt))).collect();
        let mut tree = filled(&locks);
        let root = tree.root();
        let mut places: Vec<u16> = chosen.iter().map(|index| *index.get(&slots)).collect();
        places.sort_unstable();
        places.dedup();
        let leaves: Vec<(Slot, LockHash)> =
            places.iter().map(|slot| (Slot(*slot), locks[slot])).collect();
        let shown: Vec<Slot> = leaves.iter().map(|(slot, _)| *slot).collect();
        let proof = tree.multiproof(&shown);
        prop_assert_eq!(root_of(&leaves, &proof), Some(root));
        prop_assert!(proof.len() <= leaves.len() * TREE_DEPTH);

        // One lock in its neighbour's slot, where that is not shown as well.
        let moved = at.index(leaves.len());
        let neighbour = Slot(leaves[moved].0.0 ^ 1);
        if !shown.contains(&neighbour) {
            let mut others = leaves.clone();
            others[moved].0 = neighbour;
            prop_assert_ne!(root_of(&others, &proof), Some(root));
        }
        if !proof.is_empty() {
            let place = at.index(proof.len());
            let mut bent = proof.clone();
            bent[place].0[bit / 8] ^= 1 << (bit % 8);
            prop_assert_ne!(root_of(&leaves, &bent), Some(root));
            let mut shorter = proof.clone();
            shorter.remove(place);
            prop_assert_eq!(root_of(&leaves, &shorter), None);
        }
        let mut longer = proof;
        longer.push(B256::ZERO);
        prop_assert_eq!(root_of(&leaves, &longer), None);
    }

    #[test]
    fn the_order_in_which_locks_come_and_go_does_not_show(
        slots in slots(),
        salt in any::<u64>(),
        gone in prop::collection::btree_set(0..SLOTS, 0..30),
    ) {
        let locks: BTreeMap<u16, LockHash> =
            slots.iter().map(|slot| (*slot, lock(*slot, salt))).collect();
        let mut tree = LockTree::default();
        for slot in gone.iter().chain(slots.iter().rev()) {
            tree.set(Slot(*slot), Some(lock(*slot, !salt)));
        }
        tree.root();
        for slot in gone.iter().chain(&slots) {
            tree.set(Slot(*slot), locks.get(slot).copied());
        }
        prop_assert_eq!(tree.root(), filled(&locks).root());
    }
}
