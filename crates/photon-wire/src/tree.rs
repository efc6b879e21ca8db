//! The lock tree of a direction: fixed depth, addressed by slot, zero where nothing is.
//!
//! Two neighbours that are both zero have the parent zero, so an empty tree has the root zero and
//! costs nothing. Source: `contracts/src/libraries`, where `unlock` checks multiproofs of it.

use crate::limits::TREE_DEPTH;
use crate::{B256, LockHash, Locksroot, Slot};
use alloc::vec::Vec;
use alloy_primitives::keccak256;

/// The hashes of a direction's pending locks. Changes are cheap; [`LockTree::root`] hashes each
/// touched inner node once, however many changes came before.
#[derive(Clone, Debug)]
pub struct LockTree {
    /// From the leaves up; what is past a level's end is zero.
    levels: [Vec<B256>; TREE_DEPTH],
    root: B256,
    dirty: Vec<usize>,
}

impl Default for LockTree {
    fn default() -> Self {
        Self { levels: core::array::from_fn(|_| Vec::new()), root: B256::ZERO, dirty: Vec::new() }
    }
}

impl PartialEq for LockTree {
    /// Equal where the same locks are in the same slots.
    fn eq(&self, other: &Self) -> bool {
        let length = self.leaves().len().max(other.leaves().len());
        (0..length).all(|slot| at(self.leaves(), slot) == at(other.leaves(), slot))
    }
}

impl Eq for LockTree {}

fn at(level: &[B256], index: usize) -> B256 {
    level.get(index).copied().unwrap_or(B256::ZERO)
}

fn put(level: &mut Vec<B256>, index: usize, hash: B256) {
    if index >= level.len() {
        if hash == B256::ZERO {
            return;
        }
        level.resize(index.saturating_add(1), B256::ZERO);
    }
    if let Some(place) = level.get_mut(index) {
        *place = hash;
    }
    while level.last() == Some(&B256::ZERO) {
        level.pop();
    }
}

fn parent(left: B256, right: B256) -> B256 {
    if left == B256::ZERO && right == B256::ZERO {
        return B256::ZERO;
    }
    let mut bytes = [0; 64];
    let (front, back) = bytes.split_at_mut(32);
    front.copy_from_slice(left.as_slice());
    back.copy_from_slice(right.as_slice());
    keccak256(bytes)
}

/// The indexes of the parents of these sorted indexes, each once.
fn parents(indexes: &[usize]) -> Vec<usize> {
    let mut parents: Vec<usize> = indexes.iter().map(|index| index >> 1).collect();
    parents.dedup();
    parents
}

impl LockTree {
    fn leaves(&self) -> &[B256] {
        self.levels.first().map_or(&[], Vec::as_slice)
    }

    /// Puts a lock's hash into its slot, or empties the slot.
    pub fn set(&mut self, slot: Slot, lock: Option<LockHash>) {
        let index = usize::from(slot.0);
        if let Some(leaves) = self.levels.first_mut() {
            put(leaves, index, lock.map_or(B256::ZERO, |lock| lock.0));
        }
        self.dirty.push(index);
    }

    /// Commits to exactly the locks that are in.
    pub fn root(&mut self) -> Locksroot {
        let mut changed = core::mem::take(&mut self.dirty);
        changed.sort_unstable();
        changed.dedup();
        if changed.is_empty() {
            return Locksroot(self.root);
        }
        for height in 0..TREE_DEPTH {
            changed = parents(&changed);
            for index in &changed {
                let left = index << 1;
                let hash = self
                    .levels
                    .get(height)
                    .map_or(B256::ZERO, |level| parent(at(level, left), at(level, left | 1)));
                match self.levels.get_mut(height.saturating_add(1)) {
                    Some(level) => put(level, *index, hash),
                    None => self.root = hash,
                }
            }
        }
        Locksroot(self.root)
    }

    /// The hashes that, with the leaves in `slots`, give the root: the siblings that those leaves
    /// and their ancestors lack, the lowest level first, from left to right in each.
    ///
    /// `slots` must be sorted and without doubles.
    pub fn multiproof(&mut self, slots: &[Slot]) -> Vec<B256> {
        self.root();
        let mut known: Vec<usize> = slots.iter().map(|slot| usize::from(slot.0)).collect();
        let mut proof = Vec::new();
        for level in &self.levels {
            let lacking = known.iter().filter(|index| known.binary_search(&(**index ^ 1)).is_err());
            proof.extend(lacking.map(|index| at(level, index ^ 1)));
            known = parents(&known);
        }
        proof
    }
}

/// The root that these leaves (sorted by slot) and this proof give; none where the proof has too
/// few or too many hashes.
///
/// Source: `contracts/src/libraries`, the same computation.
pub fn root_of(leaves: &[(Slot, LockHash)], proof: &[B256]) -> Option<Locksroot> {
    let mut proof = proof.iter().copied();
    let mut known: Vec<(usize, B256)> =
        leaves.iter().map(|(slot, lock)| (usize::from(slot.0), lock.0)).collect();
    for _ in 0..TREE_DEPTH {
        let mut above = Vec::with_capacity(known.len());
        let mut nodes = known.into_iter().peekable();
        while let Some((index, hash)) = nodes.next() {
            let sibling = match nodes.next_if(|(next, _)| *next == index ^ 1) {
                Some((_, hash)) => hash,
                None => proof.next()?,
            };
            let hash = if index & 1 == 0 { parent(hash, sibling) } else { parent(sibling, hash) };
            above.push((index >> 1, hash));
        }
        known = above;
    }
    let root = known.first().map_or(B256::ZERO, |(_, hash)| *hash);
    (known.len() <= 1 && proof.next().is_none()).then_some(Locksroot(root))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lock(seed: u16) -> LockHash {
        LockHash(keccak256(seed.to_be_bytes()))
    }

    fn naive_root(leaves: &[(u16, LockHash)]) -> Locksroot {
        let mut level = alloc::vec![B256::ZERO; 1 << TREE_DEPTH];
        for (slot, lock) in leaves {
            level[usize::from(*slot)] = lock.0;
        }
        while level.len() > 1 {
            level = level.chunks(2).map(|pair| parent(pair[0], pair[1])).collect();
        }
        Locksroot(level[0])
    }

    #[test]
    fn an_emptied_tree_is_an_empty_tree() {
        let mut tree = LockTree::default();
        assert_eq!(tree.root(), Locksroot::EMPTY);
        tree.set(Slot(4095), Some(lock(1)));
        assert_ne!(tree.root(), Locksroot::EMPTY);
        tree.set(Slot(4095), None);
        assert_eq!(tree.root(), Locksroot::EMPTY);
        assert!(tree.levels.iter().all(Vec::is_empty));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn incremental_roots_and_multiproofs_agree_with_the_whole_tree(
            steps in prop::collection::vec((0..4096_u16, any::<bool>()), 1..40),
            chosen in prop::collection::vec(any::<bool>(), 40),
        ) {
            let mut tree = LockTree::default();
            let mut locks = alloc::collections::BTreeMap::new();
            for (slot, adds) in steps {
                if adds { locks.insert(slot, lock(slot)); } else { locks.remove(&slot); }
                tree.set(Slot(slot), adds.then(|| lock(slot)));
            }
            let all: Vec<_> = locks.iter().map(|(slot, lock)| (*slot, *lock)).collect();
            prop_assert_eq!(tree.root(), naive_root(&all));

            let leaves: Vec<_> = all.iter().zip(chosen).filter(|(_, chosen)| *chosen)
                .map(|((slot, lock), _)| (Slot(*slot), *lock)).collect();
            if !leaves.is_empty() {
                let slots: Vec<_> = leaves.iter().map(|(slot, _)| *slot).collect();
                let proof = tree.multiproof(&slots);
                prop_assert_eq!(root_of(&leaves, &proof), Some(tree.root()));
                let mut longer = proof.clone();
                longer.push(B256::ZERO);
                prop_assert_eq!(root_of(&leaves, &longer), None);
                let mut other = leaves.clone();
                other[0].1 = lock(9999);
                prop_assert_ne!(root_of(&other, &proof), Some(tree.root()));
            }
        }
    }
}
