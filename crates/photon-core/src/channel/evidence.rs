//! Punishing: whoever claims on the chain a lock that it has given back pays for it.
//!
//! The claim may rest on an old proof of ours, whose tree is not the present one. So each change of
//! our locks is kept, as long as a lock that it is about may have been given back, and the tree is
//! rebuilt from the present one backwards.

use super::Channel;
use super::end::Undo;
use crate::effect::Change;
use crate::record::{ClaimsRecord, LockChange, Purpose, Recollection};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use photon_wire::contract::{Call, SignedDisposal};
use photon_wire::lock::Lock;
use photon_wire::message::Dispose;
use photon_wire::tree::LockTree;
use photon_wire::{LockHash, Nonce, Seconds, Slot, Timestamp};

/// Updates of ours whose lock changes are kept. Whoever claims under an older proof gives up all
/// that the updates since then have paid it.
const HISTORY: u64 = 65_536;

impl Channel {
    pub(super) fn note_change(&mut self, undo: &Undo) {
        match undo {
            Undo::Paid(_) => {}
            Undo::Added(slot, _) => {
                if let Some(record) = self.ours.lock(*slot) {
                    let change = LockChange { slot: *slot, lock: record.lock, added: true };
                    self.batch_changes.push(change);
                }
            }
            Undo::Removed(slot, record, _) => {
                let change = LockChange { slot: *slot, lock: record.lock, added: false };
                self.batch_changes.push(change);
            }
        }
    }

    /// The batch has become the update with this nonce.
    pub(super) fn note_history(&mut self, nonce: Nonce) {
        let changes = core::mem::take(&mut self.batch_changes);
        if !changes.is_empty() {
            self.history.push((nonce, changes));
        }
    }

    /// What of the changes of our locks is to be stored, and what need not be kept any more.
    pub(crate) fn history_changes(&mut self) -> Vec<Change> {
        let channel = self.id;
        let added = core::mem::take(&mut self.history);
        let Some((last, _)) = added.last() else { return Vec::new() };
        let last = *last;
        self.dirty.head = true;
        let from = self.agreements.history.take();
        // A lock that is gone and was never disposed was paid or is past: nobody can be punished
        // for it.
        if self.ours.lock_count() == 0 && !self.agreements.disposed {
            return from
                .map(|from| Change::HistoryGone { channel, from, to: last })
                .into_iter()
                .collect();
        }
        let first = from.or_else(|| added.first().map(|(nonce, _)| *nonce)).unwrap_or(last);
        let row = |(nonce, changes)| Change::History(channel, nonce, changes);
        let mut rows: Vec<Change> = added.into_iter().map(row).collect();
        let oldest = Nonce(last.0.saturating_sub(HISTORY));
        if first <= oldest {
            rows.push(Change::HistoryGone { channel, from: first, to: oldest });
        }
        self.agreements.history = Some(first.max(Nonce(oldest.0.saturating_add(1))));
        rows
    }

    /// The partner claimed these locks of ours, under the proof with this nonce.
    pub(crate) fn note_claims(&mut self, nonce: Nonce, slots: &[Slot]) {
        let claims = &mut self.standing.claims;
        if claims.nonce != nonce {
            *claims = ClaimsRecord { nonce, slots: Vec::new() };
            self.honest.clear();
        }
        for slot in slots {
            if !claims.slots.contains(slot) {
                claims.slots.push(*slot);
            }
        }
        self.dirty.head = true;
    }

    /// The claim of this lock was taken back.
    pub(crate) fn note_punished(&mut self, slot: Slot) {
        self.standing.claims.slots.retain(|claimed| *claimed != slot);
        self.dirty.head = true;
    }

    /// After which nonce the store has to recall the changes of our locks: there are claims that
    /// were not looked at, and it is not too late.
    pub(crate) fn recalls_after(&self, past: Timestamp, challenge: Seconds) -> Option<Nonce> {
        let dispute = self.dispute?;
        let claims = &self.standing.claims;
        let open = claims.slots.iter().any(|slot| !self.honest.contains(slot));
        let in_time = past <= dispute.settle_after(challenge);
        (open && in_time && self.agreements.disposed && !self.recalling).then_some(claims.nonce)
    }

    /// What to tell the contract of claims of disposed locks. Claims that are right, and those
    /// that nothing can be shown against, are not looked at again.
    pub(crate) fn punishments(&mut self, recollection: &Recollection) -> Vec<(Purpose, Call)> {
        self.recalling = false;
        let Some(dispute) = self.dispute else { return Vec::new() };
        let locks = self.locks_at(self.standing.claims.nonce, &recollection.history);
        let mut tree = LockTree::default();
        locks.iter().for_each(|(slot, lock)| tree.set(*slot, Some(lock.hash())));
        let is_whole = tree.root() == dispute.ours.locksroot;
        let mut calls = Vec::new();
        for slot in self.standing.claims.slots.clone() {
            let evidence = locks
                .get(&slot)
                .filter(|_| is_whole)
                .and_then(|lock| Some((*lock, disposal_of(lock.hash(), &recollection.disposals)?)));
            let Some((lock, disposal)) = evidence else {
                self.honest.insert(slot);
                continue;
            };
            let call = Call::Punish {
                token: self.token,
                payer: self.us,
                payee: self.partner,
                balance: dispute.ours,
                slot,
                lock,
                multiproof: tree.multiproof(&[slot]),
                disposal,
            };
            calls.push((Purpose::Punish(self.id, slot), call));
        }
        calls
    }

    /// Our pending locks as the proof with this nonce has them.
    fn locks_at(&self, nonce: Nonce, history: &[(Nonce, Vec<LockChange>)]) -> BTreeMap<Slot, Lock> {
        let now = self.ours.locks().map(|(slot, record)| (slot, record.lock));
        let mut locks: BTreeMap<Slot, Lock> = now.collect();
        for (_, changes) in history.iter().rev().take_while(|(changed, _)| *changed > nonce) {
            for change in changes.iter().rev() {
                if change.added {
                    locks.remove(&change.slot);
                } else {
                    locks.insert(change.slot, change.lock);
                }
            }
        }
        locks
    }
}

fn disposal_of(lock: LockHash, disposals: &[Dispose]) -> Option<SignedDisposal> {
    disposals.iter().find_map(|dispose| {
        let index = dispose.locks.iter().position(|disposed| disposed.lock == lock)?;
        Some(SignedDisposal {
            locks: dispose.locks.iter().map(|disposed| disposed.lock).collect(),
            index: u16::try_from(index).ok()?,
            signature: dispose.signature,
        })
    })
}
