//! What the two of a channel have signed to each other off the chain, by the core's arithmetic.

use std::collections::BTreeSet;

use alloy::primitives::{B256, Bytes};
use photon_core::channel::settlement::Direction;
use photon_wire::lock::Lock;
use photon_wire::message::Operation;
use photon_wire::tree::LockTree;
use photon_wire::{LockHash, Slot};

/// A balance proof with what it stands for.
#[derive(Clone, Debug)]
pub(super) struct Signed {
    pub nonce: u64,
    pub transferred: u128,
    pub locksroot: B256,
    pub locks: Vec<(Slot, Lock)>,
    pub signature: Bytes,
}

impl Signed {
    /// The siblings that show these slots in the proof's tree.
    pub(super) fn multiproof(&self, slots: &[Slot]) -> Vec<B256> {
        tree_of(&self.locks).multiproof(slots)
    }
}

/// The tree of these locks.
pub(super) fn tree_of(locks: &[(Slot, Lock)]) -> LockTree {
    let mut tree = LockTree::default();
    locks.iter().for_each(|(slot, lock)| tree.set(*slot, Some(lock.hash())));
    tree
}

/// A payee's word that he gave locks up.
#[derive(Clone, Debug)]
pub(super) struct GivenUp {
    pub locks: Vec<LockHash>,
    pub signature: Bytes,
}

/// One direction, from its payer's side.
#[derive(Clone, Debug, Default)]
pub(super) struct Payer {
    pub direction: Direction,
    pub numbers: u64,
    pub signed: Vec<Signed>,
    /// By the payee.
    pub disposals: Vec<GivenUp>,
    /// The highest total of withdrawals that both signed.
    pub reserved: u128,
    /// Something has changed since the last proof.
    pub unsigned: bool,
}

impl Payer {
    pub(super) fn latest(&self) -> Option<&Signed> {
        self.signed.last()
    }

    pub(super) fn nonce(&self) -> u64 {
        self.latest().map_or(0, |signed| signed.nonce)
    }

    pub(super) fn with_nonce(&self, nonce: u64) -> Option<&Signed> {
        self.signed.iter().find(|signed| signed.nonce == nonce)
    }

    /// All that was given in good faith.
    pub(super) fn transferred(&self) -> u128 {
        self.direction.transferred().0
    }

    pub(super) fn gave_up(&self, lock: &Lock) -> bool {
        let hash = lock.hash();
        self.disposals.iter().any(|disposal| disposal.locks.contains(&hash))
    }

    pub(super) fn pending(&self) -> Vec<(Slot, Lock)> {
        self.direction.locks().map(|(slot, record)| (slot, record.lock)).collect()
    }

    /// A slot without a lock, mostly a low one.
    pub(super) fn free_slot(&self, wanted: u16) -> Slot {
        let taken: BTreeSet<Slot> = self.direction.locks().map(|(slot, _)| slot).collect();
        let free = (wanted..4096).chain(0..wanted).map(Slot).find(|slot| !taken.contains(slot));
        free.unwrap_or_default()
    }

    pub(super) fn apply(&mut self, operation: &Operation) -> bool {
        let done = self.direction.apply(operation).is_ok();
        self.unsigned |= done;
        done
    }
}

/// One pair's present life.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    pub epoch: u64,
    /// With the first of the pair as payer, and with the second.
    pub payers: [Payer; 2],
    /// No update before: they agreed on the end.
    pub frozen_until: u64,
}
