//! The Merkle Patricia trie of Ethereum, for keys of 32 bytes, as a value that costs nothing to
//! copy.
//!
//! The nodes are shared between copies, and each remembers how it is encoded: after a change only
//! the nodes on the way to it are encoded and hashed again. So a block costs what it changed, not
//! what there is.

use std::{
    mem,
    sync::{Arc, OnceLock},
};

use alloy::{
    consensus::constants::EMPTY_ROOT_HASH,
    primitives::{B256, Bytes, keccak256},
    rlp::{EMPTY_STRING_CODE, Encodable as _, Header},
};

/// A map from hashed keys to values, with a root hash over all.
#[derive(Clone, Default)]
pub(crate) struct Trie(Option<Arc<Node>>);

struct Node {
    kind: Kind,
    /// How it is encoded, once somebody has asked.
    encoded: OnceLock<Vec<u8>>,
}

type Children = [Option<Arc<Node>>; 16];

/// Paths are in half bytes, one to a byte.
enum Kind {
    Leaf { path: Vec<u8>, value: Vec<u8> },
    Extension { path: Vec<u8>, child: Arc<Node> },
    Branch(Box<Children>),
}

impl Trie {
    /// The hash over all keys and values.
    pub(crate) fn root(&self) -> B256 {
        self.0.as_ref().map_or(EMPTY_ROOT_HASH, |node| keccak256(node.encoded()))
    }

    /// Gives the key this value; the key is hashed here.
    pub(crate) fn insert(&mut self, key: &[u8], value: Vec<u8>) {
        self.0 = Some(inserted(self.0.as_ref(), &path_of(key), value));
    }

    /// Takes the key away, if it is there.
    pub(crate) fn remove(&mut self, key: &[u8]) {
        self.0 = self.0.take().and_then(|node| removed(&node, &path_of(key)));
    }

    /// The encoded nodes on the way to a key, from the root on, as far as the way goes.
    pub(crate) fn proof(&self, key: &[u8]) -> Vec<Bytes> {
        let path = path_of(key);
        let (mut proof, mut rest) = (Vec::new(), path.as_slice());
        let mut next = self.0.as_ref();
        while let Some(node) = next {
            // A node shorter than a hash is part of the one above it.
            if proof.is_empty() || node.encoded().len() >= B256::len_bytes() {
                proof.push(Bytes::copy_from_slice(node.encoded()));
            }
            next = match &node.kind {
                Kind::Leaf { .. } => None,
                Kind::Extension { path, child } => rest.strip_prefix(path.as_slice()).map(|left| {
                    rest = left;
                    child
                }),
                Kind::Branch(children) => rest.split_first().and_then(|(at, left)| {
                    rest = left;
                    children[usize::from(*at)].as_ref()
                }),
            };
        }
        proof
    }
}

impl Node {
    fn new(kind: Kind) -> Arc<Self> {
        Arc::new(Self { kind, encoded: OnceLock::new() })
    }

    fn leaf(path: &[u8], value: Vec<u8>) -> Arc<Self> {
        Self::new(Kind::Leaf { path: path.to_vec(), value })
    }

    /// The child itself where there is no way between.
    fn extension(path: &[u8], child: Arc<Self>) -> Arc<Self> {
        if path.is_empty() {
            return child;
        }
        Self::new(Kind::Extension { path: path.to_vec(), child })
    }

    /// A branch of two ways that part at once; each is a half byte and what is there.
    fn fork(ways: [(u8, Arc<Self>); 2]) -> Arc<Self> {
        let mut children = Box::<Children>::default();
        for (at, node) in ways {
            children[usize::from(at)] = Some(node);
        }
        Self::new(Kind::Branch(children))
    }

    fn encoded(&self) -> &[u8] {
        self.encoded.get_or_init(|| match &self.kind {
            Kind::Leaf { path, value } => {
                let mut payload = Vec::new();
                compact(path, true).as_slice().encode(&mut payload);
                value.as_slice().encode(&mut payload);
                list(&payload)
            }
            Kind::Extension { path, child } => {
                let mut payload = Vec::new();
                compact(path, false).as_slice().encode(&mut payload);
                child.refer(&mut payload);
                list(&payload)
            }
            Kind::Branch(children) => {
                let mut payload = Vec::new();
                for child in children.iter() {
                    match child {
                        Some(child) => child.refer(&mut payload),
                        None => payload.push(EMPTY_STRING_CODE),
                    }
                }
                // No key is the beginning of another one: there is never a value here.
                payload.push(EMPTY_STRING_CODE);
                list(&payload)
            }
        })
    }

    /// What the node above has of this one: all of it if it is short, else its hash.
    fn refer(&self, payload: &mut Vec<u8>) {
        let encoded = self.encoded();
        if encoded.len() < B256::len_bytes() {
            payload.extend_from_slice(encoded);
        } else {
            keccak256(encoded).encode(payload);
        }
    }
}

fn path_of(key: &[u8]) -> Vec<u8> {
    keccak256(key).iter().flat_map(|byte| [byte >> 4, byte & 0x0f]).collect()
}

fn inserted(node: Option<&Arc<Node>>, path: &[u8], value: Vec<u8>) -> Arc<Node> {
    let Some(node) = node else { return Node::leaf(path, value) };
    match &node.kind {
        Kind::Leaf { path: own, value: old } => {
            let common = common(own, path);
            // All keys are of one length: a path that ends here is this one.
            let (Some((here, own)), Some((there, path_left))) =
                (own[common..].split_first(), path[common..].split_first())
            else {
                return Node::leaf(path, value);
            };
            let ways =
                [(*here, Node::leaf(own, old.clone())), (*there, Node::leaf(path_left, value))];
            Node::extension(&path[..common], Node::fork(ways))
        }
        Kind::Extension { path: own, child } => {
            let common = common(own, path);
            let (Some((here, own_left)), Some((there, path_left))) =
                (own[common..].split_first(), path[common..].split_first())
            else {
                return Node::extension(own, inserted(Some(child), &path[common..], value));
            };
            let ways = [
                (*here, Node::extension(own_left, Arc::clone(child))),
                (*there, Node::leaf(path_left, value)),
            ];
            Node::extension(&path[..common], Node::fork(ways))
        }
        Kind::Branch(children) => {
            let Some((at, left)) = path.split_first() else { return Arc::clone(node) };
            let mut children = children.clone();
            let child = &mut children[usize::from(*at)];
            *child = Some(inserted(child.as_ref(), left, value));
            Node::new(Kind::Branch(children))
        }
    }
}

fn removed(node: &Arc<Node>, path: &[u8]) -> Option<Arc<Node>> {
    match &node.kind {
        Kind::Leaf { path: own, .. } => (own != path).then(|| Arc::clone(node)),
        Kind::Extension { path: own, child } => match path.strip_prefix(own.as_slice()) {
            Some(left) => removed(child, left).map(|child| lengthened(own, &child)),
            None => Some(Arc::clone(node)),
        },
        Kind::Branch(children) => {
            let Some((at, left)) = path.split_first() else { return Some(Arc::clone(node)) };
            let mut children = children.clone();
            let child = &mut children[usize::from(*at)];
            *child = mem::take(child).and_then(|child| removed(&child, left));
            let mut left = (0_u8..)
                .zip(children.iter())
                .filter_map(|(at, child)| child.as_ref().map(|child| (at, child)));
            match (left.next(), left.next()) {
                // A branch with one way left is none.
                (Some((at, child)), None) => Some(lengthened(&[at], child)),
                (None, _) => None,
                (Some(_), Some(_)) => Some(Node::new(Kind::Branch(children))),
            }
        }
    }
}

/// A node with a way before it.
fn lengthened(path: &[u8], node: &Arc<Node>) -> Arc<Node> {
    match &node.kind {
        Kind::Leaf { path: own, value } => Node::leaf(&[path, own].concat(), value.clone()),
        Kind::Extension { path: own, child } => {
            Node::extension(&[path, own].concat(), Arc::clone(child))
        }
        Kind::Branch(_) => Node::extension(path, Arc::clone(node)),
    }
}

fn common(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}

/// Half bytes as bytes, with a mark for their number being odd and for a leaf.
fn compact(path: &[u8], leaf: bool) -> Vec<u8> {
    let mark = if leaf { 0x20 } else { 0 };
    let (first, rest) = match path.split_first() {
        Some((first, rest)) if path.len() % 2 == 1 => (mark | 0x10 | first, rest),
        Some(_) | None => (mark, path),
    };
    let pairs = rest.chunks_exact(2).map(|pair| (pair[0] << 4) | pair[1]);
    std::iter::once(first).chain(pairs).collect()
}

fn list(payload: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(payload.len() + 4);
    Header { list: true, payload_length: payload.len() }.encode(&mut encoded);
    encoded.extend_from_slice(payload);
    encoded
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use alloy::{consensus::proofs::storage_root_unhashed, primitives::U256, rlp::encode};

    use super::*;

    /// A generator that every platform has alike: splitmix64.
    fn next(state: &mut u64) -> u64 {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    #[test]
    fn the_root_is_that_of_another_implementation_after_each_of_many_changes() {
        let seed = std::env::var("PHOTON_SEED").map_or(7, |seed| seed.parse().unwrap());
        println!("PHOTON_SEED={seed}");
        let mut state = seed;
        let (mut trie, mut entries) = (Trie::default(), BTreeMap::new());
        for _ in 0..2_000 {
            let key = B256::from(U256::from(next(&mut state) % 200));
            if next(&mut state).is_multiple_of(3) {
                entries.remove(&key);
                trie.remove(key.as_slice());
            } else {
                let value = U256::from(next(&mut state)).wrapping_pow(U256::from(3));
                entries.insert(key, value);
                trie.insert(key.as_slice(), encode(value));
            }
            assert_eq!(trie.root(), storage_root_unhashed(entries.clone()));
        }
        for key in entries.into_keys() {
            trie.remove(key.as_slice());
        }
        assert_eq!(trie.root(), EMPTY_ROOT_HASH);
    }
}
