//! The tree of a registration: many secrets, made public at one time under one root.
//!
//! Each level has half as many nodes as the one below, rounded up; a missing right node is zero.
//! One secret is its own root. Source: `SecretRegistry`, `registerSecrets` and `checkRegistered`.

use crate::contract::LockClaim;
use crate::limits::REGISTRATION_SECRETS;
use crate::{B256, SecretHash};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use alloy_primitives::keccak256;

/// The leaf of a secret: keccak256(0x00 ‖ secret hash).
pub fn leaf(secret: SecretHash) -> B256 {
    let mut bytes = [0; 33];
    let (_, hash) = bytes.split_at_mut(1);
    hash.copy_from_slice(secret.0.as_slice());
    keccak256(bytes)
}

/// keccak256(0x01 ‖ left ‖ right), but zero for two zeros.
fn parent(left: B256, right: B256) -> B256 {
    if left == B256::ZERO && right == B256::ZERO {
        return B256::ZERO;
    }
    let mut bytes = [1; 65];
    let (_, nodes) = bytes.split_at_mut(1);
    let (front, back) = nodes.split_at_mut(32);
    front.copy_from_slice(left.as_slice());
    back.copy_from_slice(right.as_slice());
    keccak256(bytes)
}

/// All nodes of a registration's tree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegistryTree {
    /// From the leaves up to the root; none is empty.
    levels: Vec<Vec<B256>>,
    root: B256,
}

impl RegistryTree {
    /// The tree of these secrets, in this order; none where the contract refuses the number.
    pub fn new(secrets: impl IntoIterator<Item = SecretHash>) -> Option<Self> {
        let leaves: Vec<B256> = secrets.into_iter().map(leaf).collect();
        if leaves.is_empty() || leaves.len() > REGISTRATION_SECRETS {
            return None;
        }
        let mut levels = Vec::new();
        let mut level = leaves;
        while level.len() > 1 {
            let above = level
                .chunks(2)
                .map(|pair| match pair {
                    [left, right] => parent(*left, *right),
                    [left] => parent(*left, B256::ZERO),
                    _ => B256::ZERO,
                })
                .collect();
            levels.push(core::mem::replace(&mut level, above));
        }
        let root = level.first().copied()?;
        levels.push(level);
        Some(Self { levels, root })
    }

    /// What the contract stores the time under.
    pub const fn root(&self) -> B256 {
        self.root
    }

    /// The siblings from the leaf with this index up to the root; none past the last leaf.
    pub fn path(&self, index: u8) -> Option<Vec<B256>> {
        let (_, below) = self.levels.split_last()?;
        let mut place = usize::from(index);
        self.levels.first()?.get(place)?;
        let mut path = Vec::with_capacity(below.len());
        for level in below {
            path.push(level.get(place ^ 1).copied().unwrap_or(B256::ZERO));
            place >>= 1;
        }
        Some(path)
    }
}

/// The root that a secret with this index and path gives.
pub fn root_of(secret: SecretHash, index: u8, path: &[B256]) -> B256 {
    let mut place = usize::from(index);
    path.iter().fold(leaf(secret), |node, sibling| {
        let above = if place & 1 == 0 { parent(node, *sibling) } else { parent(*sibling, node) };
        place >>= 1;
        above
    })
}

/// Shows that the secrets of some locks were registered together, as the contract wants it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Registration {
    /// The depth of the registration's tree.
    pub depth: u8,
    /// Ascending by the secret's index; with each, the lock's place among the locks of the call.
    pub members: Vec<(u8, u16)>,
    /// What the members' leaves lack up to the root, the lowest level first.
    pub siblings: Vec<B256>,
}

impl Registration {
    /// Three bytes for each member, as in the call.
    pub fn member_bytes(&self) -> Vec<u8> {
        let triple = |(index, place): &(u8, u16)| {
            let [high, low] = place.to_be_bytes();
            [*index, high, low]
        };
        self.members.iter().flat_map(triple).collect()
    }
}

/// Gathers the locks whose secrets were registered together, so that they share siblings.
///
/// Two locks with the same secret go into two registrations, as the contract demands.
pub fn registrations(locks: &[LockClaim]) -> Vec<Registration> {
    let mut groups: BTreeMap<(B256, usize), Vec<BTreeMap<u8, Member<'_>>>> = BTreeMap::new();
    for (place, claim) in (0_u16..).zip(locks) {
        let root = root_of(claim.lock.secret_hash, claim.index, &claim.path);
        let rounds = groups.entry((root, claim.path.len())).or_default();
        let member = Member { place, path: &claim.path };
        match rounds.iter_mut().find(|round| !round.contains_key(&claim.index)) {
            Some(round) => {
                round.insert(claim.index, member);
            }
            None => rounds.push(BTreeMap::from([(claim.index, member)])),
        }
    }
    groups
        .into_iter()
        .flat_map(|((_, depth), rounds)| rounds.into_iter().map(move |round| shown(depth, &round)))
        .collect()
}

/// A lock of the call, and the path of its secret.
struct Member<'a> {
    place: u16,
    path: &'a [B256],
}

fn shown(depth: usize, round: &BTreeMap<u8, Member<'_>>) -> Registration {
    let members = round.iter().map(|(index, member)| (*index, member.place)).collect();
    // Deeper than 255 is never registered; the contract refuses it as malformed.
    let depth_byte = u8::try_from(depth).unwrap_or(u8::MAX);
    Registration { depth: depth_byte, members, siblings: siblings(depth, round) }
}

fn siblings(depth: usize, round: &BTreeMap<u8, Member<'_>>) -> Vec<B256> {
    let mut siblings = Vec::new();
    let mut known: BTreeMap<u8, &[B256]> =
        round.iter().map(|(index, member)| (*index, member.path)).collect();
    for height in 0..depth {
        let lacking = known.iter().filter(|(index, _)| !known.contains_key(&(**index ^ 1)));
        siblings.extend(lacking.filter_map(|(_, path)| path.get(height)));
        known = known.into_iter().map(|(index, path)| (index >> 1, path)).collect();
    }
    siblings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::Lock;
    use crate::{Amount, LockNumber, Slot, Timestamp};

    fn hash(seed: u8) -> SecretHash {
        crate::Secret([seed; 32]).hash()
    }

    fn tree(count: u8) -> RegistryTree {
        RegistryTree::new((0..count).map(hash)).unwrap()
    }

    fn claim(tree: &RegistryTree, index: u8, number: u64) -> LockClaim {
        let lock = Lock {
            number: LockNumber(number),
            amount: Amount(1),
            expiration: Timestamp(2),
            secret_hash: hash(index),
        };
        let path = tree.path(index).unwrap();
        LockClaim { slot: Slot(index.into()), lock, index, path }
    }

    /// As `Merkle.root` computes it.
    fn root_by_siblings(shown: &Registration, leaves: &[B256]) -> Option<B256> {
        let mut siblings = shown.siblings.iter().copied();
        let mut known: Vec<(u8, B256)> =
            shown.members.iter().map(|(index, _)| *index).zip(leaves.iter().copied()).collect();
        for _ in 0..shown.depth {
            let mut above = Vec::new();
            let mut nodes = known.into_iter().peekable();
            while let Some((index, node)) = nodes.next() {
                let pair = nodes.next_if(|(next, _)| index % 2 == 0 && *next == index + 1);
                let sibling = match pair {
                    Some((_, sibling)) => sibling,
                    None => siblings.next()?,
                };
                let (left, right) = if index % 2 == 0 { (node, sibling) } else { (sibling, node) };
                above.push((index / 2, parent(left, right)));
            }
            known = above;
        }
        siblings.next().is_none().then(|| known[0].1)
    }

    #[test]
    fn every_path_leads_to_the_root() {
        for count in [1, 2, 3, 5, 8, 9, 200, 255] {
            let tree = tree(count);
            for index in 0..count {
                let path = tree.path(index).unwrap();
                assert_eq!(root_of(hash(index), index, &path), tree.root());
            }
            assert_eq!(tree.path(count), None);
        }
    }

    #[test]
    fn no_secret_and_too_many_secrets_are_no_registration() {
        assert_eq!(RegistryTree::new([]), None);
        assert!(RegistryTree::new((0..256).map(|_| hash(1))).is_some());
        assert_eq!(RegistryTree::new((0..257).map(|_| hash(1))), None);
        assert_eq!(tree(1).root(), leaf(hash(0)));
    }

    #[test]
    fn locks_registered_together_share_their_siblings() {
        let tree = tree(9);
        let locks: Vec<_> = [0, 1, 4, 8].map(|index| claim(&tree, index, 1)).into();
        let all = registrations(&locks);
        assert_eq!(all.len(), 1);
        let leaves: Vec<_> = [0, 1, 4, 8].map(|index| leaf(hash(index))).into();
        assert_eq!(root_by_siblings(&all[0], &leaves), Some(tree.root()));
        assert!(all[0].siblings.len() < 4 * 4);
        assert_eq!(all[0].member_bytes(), [0, 0, 0, 1, 0, 1, 4, 0, 2, 8, 0, 3]);
    }

    #[test]
    fn a_secret_of_two_locks_is_shown_twice() {
        let tree = tree(3);
        let locks = [claim(&tree, 2, 1), claim(&tree, 2, 2), claim(&tree, 0, 3)];
        let all = registrations(&locks);
        let members: Vec<_> = all.iter().map(|shown| shown.members.clone()).collect();
        assert_eq!(members, [alloc::vec![(0, 2), (2, 0)], alloc::vec![(2, 1)]]);
    }
}
