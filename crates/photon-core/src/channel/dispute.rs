//! What a closed channel still owes us, decided from its state on every block, not from events.

use super::Channel;
use crate::record::{LockFate, LockRecord, Purpose};
use alloc::vec::Vec;
use photon_wire::contract::{Call, LockClaim};
use photon_wire::{Amount, Nonce, Seconds, Slot, Timestamp};

impl Channel {
    /// What to tell the contract while it takes updates and unlocks.
    pub(crate) fn claim_call(&mut self, past: Timestamp) -> Option<(Purpose, Call, Timestamp)> {
        let dispute = self.dispute?;
        if past > dispute.update_until {
            return None;
        }
        let proof = self.proof?;
        if self.is_answered_by_declaration() {
            return None;
        }
        let (purpose, call) = if proof.nonce > dispute.theirs_nonce {
            let (token, partner) = (self.token, self.partner);
            let call = Call::Update { token, partner, proof, delegated: None };
            (Purpose::Update(self.id, proof.nonce), call)
        } else {
            (Purpose::Unlock(self.id), self.unlock_call()?)
        };
        Some((purpose, call, dispute.update_until))
    }

    /// Whether the partner, who closed, declared of himself all that we could show: then an update
    /// would change nothing.
    fn is_answered_by_declaration(&self) -> bool {
        let (Some(dispute), Some(proof)) = (self.dispute, self.proof) else { return false };
        dispute.theirs_nonce == Nonce(0)
            && dispute.ours.declared >= proof.transferred
            && self.theirs.lock_count() == 0
    }

    /// Begins the dispute with the partner's latest proof. Without locks of ours, what we declare
    /// is all that the partner could show, and it need not answer. A-B: A pays B, which is away,
    /// and closes. Declared, B would have a payment that A's owner is told has failed: so nothing
    /// is declared before the partner has acknowledged all of it. Who declares gives up later
    /// updates of what he is paid; there are none, because nothing is received once this is wanted.
    pub(crate) fn close_call(&self) -> Call {
        let is_known = self.in_step && self.acknowledged == self.ours.head.nonce;
        let is_all = self.ours.lock_count() == 0 && is_known && self.stopped.is_none();
        let declared = if is_all { self.ours.transferred() } else { Amount::ZERO };
        Call::Close { token: self.token, partner: self.partner, proof: self.proof, declared }
    }

    /// Whether it is our turn to have the contract pay both out. Who closed goes first: two
    /// settlements at once would cost the later one its gas for nothing.
    pub(crate) fn is_settleable(&self, past: Timestamp, challenge: Seconds, turn: Seconds) -> bool {
        self.dispute.is_some_and(|dispute| {
            let wait = if dispute.closer == self.us { Seconds(0) } else { turn };
            past > dispute.settle_after(challenge).after(wait)
        })
    }

    /// Claims every lock of the partner whose secret was registered in time.
    fn unlock_call(&mut self) -> Option<Call> {
        let claims: Vec<LockClaim> =
            self.theirs.locks().filter_map(|(slot, record)| claim_of(slot, record)).collect();
        if claims.is_empty() {
            return None;
        }
        let slots: Vec<Slot> = claims.iter().map(|claim| claim.slot).collect();
        let multiproof = self.theirs.multiproof(&slots);
        let balance = self.dispute?.theirs;
        let (token, partner) = (self.token, self.partner);
        Some(Call::Unlock { token, partner, balance, locks: claims, multiproof, delegated: None })
    }

    /// Pays both out.
    pub(crate) fn settle_call(&self) -> Call {
        let dispute = self.dispute.unwrap_or_default();
        let we_are_low = self.us < self.partner;
        let (low, high) = if we_are_low {
            (dispute.ours, dispute.theirs)
        } else {
            (dispute.theirs, dispute.ours)
        };
        Call::Settle { key: self.key(), low, high }
    }
}

fn claim_of(slot: Slot, record: &LockRecord) -> Option<LockClaim> {
    let registered = record.registered.as_ref()?;
    let in_time = registered.time <= record.lock.expiration;
    // A-B: B disposes a lock; A registers the secret itself and closes. Claiming the lock, B would
    // be punished with its own disposal.
    let is_ours = matches!(record.fate, LockFate::Claimed(_));
    (in_time && is_ours && !record.unlocked).then(|| LockClaim {
        slot,
        lock: record.lock,
        index: registered.index,
        path: registered.path.clone(),
    })
}
