//! When which secrets were registered, and how a call shows it.

use std::collections::BTreeSet;

use alloy::primitives::{B256, U256, keccak256};
use photon_wire::registry::{RegistryTree, leaf};
use photon_wire::{Secret, SecretHash};

use super::{Flaw, Model, Refusal, refusal};
use crate::contract::{IPhotonNetwork, PhotonNetwork};

const MOST_SECRETS: usize = 256;
const DEEPEST: u8 = 8;

impl Model {
    pub(super) fn register_secrets(
        &mut self,
        call: &PhotonNetwork::registerSecretsCall,
        now: u64,
    ) -> Result<(), Refusal> {
        let count = call.secrets.len();
        if count == 0 || count > MOST_SECRETS {
            let (limit, got) = (U256::from(MOST_SECRETS), U256::from(count));
            return Err(refusal(&PhotonNetwork::WrongNumberOfSecrets { limit, got }));
        }
        let hashes = call.secrets.iter().map(|secret| Secret(secret.0).hash());
        let tree = RegistryTree::new(hashes).expect("1 to 256 secrets are a registration");
        self.books.registered.entry(tree.root()).or_insert(now);
        Ok(())
    }

    /// Refuses unless each lock's secret is shown to be registered in time.
    pub(super) fn check_registered(
        &self,
        locks: &[IPhotonNetwork::Lock],
        registrations: &[IPhotonNetwork::Registration],
    ) -> Result<(), Refusal> {
        let mut covered = BTreeSet::new();
        for (which, shown) in registrations.iter().enumerate() {
            self.cover(&mut covered, locks, shown, which)?;
        }
        match (0..locks.len()).find(|place| !covered.contains(place)) {
            Some(place) => Err(refusal(&PhotonNetwork::NotRegistered { place: U256::from(place) })),
            None => Ok(()),
        }
    }

    fn cover(
        &self,
        covered: &mut BTreeSet<usize>,
        locks: &[IPhotonNetwork::Lock],
        shown: &IPhotonNetwork::Registration,
        which: usize,
    ) -> Result<(), Refusal> {
        let malformed =
            || refusal(&PhotonNetwork::MalformedRegistration { registration: U256::from(which) });
        let triples = shown.members.chunks_exact(3);
        if triples.len() == 0 || !triples.remainder().is_empty() || shown.depth > DEEPEST {
            return Err(malformed());
        }
        let mut leaves: Vec<(u64, B256)> = Vec::new();
        let mut earliest = u64::MAX;
        for triple in triples {
            let &[index, high, low] = triple else { return Err(malformed()) };
            let (index, place) = (u64::from(index), usize::from(u16::from_be_bytes([high, low])));
            if let Some((previous, _)) = leaves.last()
                && index <= *previous
            {
                let (previous, got) = (U256::from(*previous), U256::from(index));
                return Err(refusal(&PhotonNetwork::NotAscending { previous, got }));
            }
            let lock = locks.get(place).ok_or_else(malformed)?;
            earliest = earliest.min(lock.expiration);
            leaves.push((index, leaf(SecretHash(lock.secretHash))));
            covered.insert(place);
        }
        if leaves.last().is_some_and(|(index, _)| index >> shown.depth != 0) {
            return Err(malformed());
        }
        let root = root_by(&leaves, &shown.siblings, shown.depth, Some(1))?;
        let Some(time) = self.books.registered.get(&root).copied() else {
            return Err(refusal(&PhotonNetwork::UnknownRegistration { root }));
        };
        let grace = u64::from(self.has(Flaw::LateSecretAccepted));
        if time > earliest.saturating_add(grace) {
            let (expiration, registered) = (earliest, time);
            return Err(refusal(&PhotonNetwork::RegisteredTooLate { expiration, registered }));
        }
        Ok(())
    }
}

/// The root that these nodes and siblings give. Nodes ascend by index.
pub(super) fn root_by(
    nodes: &[(u64, B256)],
    siblings: &[B256],
    depth: u8,
    tag: Option<u8>,
) -> Result<B256, Refusal> {
    let mut used = 0;
    let mut level = nodes.to_vec();
    for _ in 0..depth {
        let mut above = Vec::new();
        let mut nodes = level.into_iter().peekable();
        while let Some((index, node)) = nodes.next() {
            let sibling = match nodes.next_if(|(next, _)| *next == index ^ 1) {
                Some((_, sibling)) => sibling,
                None => {
                    used += 1;
                    siblings.get(used - 1).copied().unwrap_or_default()
                }
            };
            let (left, right) = if index & 1 == 0 { (node, sibling) } else { (sibling, node) };
            above.push((index >> 1, parent(left, right, tag)));
        }
        level = above;
    }
    if used != siblings.len() {
        let (expected, got) = (U256::from(used), U256::from(siblings.len()));
        return Err(refusal(&PhotonNetwork::MalformedProof { expected, got }));
    }
    Ok(level.first().map(|(_, root)| *root).unwrap_or_default())
}

fn parent(left: B256, right: B256, tag: Option<u8>) -> B256 {
    if left.is_zero() && right.is_zero() {
        return B256::ZERO;
    }
    let mut bytes = Vec::from_iter(tag);
    bytes.extend_from_slice(left.as_slice());
    bytes.extend_from_slice(right.as_slice());
    keccak256(bytes)
}
