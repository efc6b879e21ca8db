//! What the chain told, by block: so that what a deep reorganisation takes away is known.

use super::Channel;
use crate::record::{BalanceFact, ClaimsRecord, Fact, FactRecord};
use photon_wire::contract::Balance;
use photon_wire::{BlockNumber, Nonce, Timestamp};

/// Stored balances of one direction in a dispute that are remembered: each costs whoever brings it
/// a transaction.
const BALANCES: usize = 64;

impl Channel {
    /// Whether the chain took something back and has not told it again.
    pub(crate) fn is_doubted(&self) -> bool {
        self.standing.facts.iter().any(|row| row.doubted)
    }

    /// The chain told this in that block. True where nothing is doubted any more because of it.
    pub(crate) fn note_fact(&mut self, fact: Fact, block: BlockNumber) -> bool {
        let doubted_before = self.is_doubted();
        let row = FactRecord { fact, block, doubted: false };
        match self.standing.facts.iter_mut().find(|known| known.fact == fact) {
            Some(known) => *known = row,
            None => self.standing.facts.push(row),
        }
        self.dirty.head = true;
        doubted_before && !self.is_doubted()
    }

    /// Blocks after `kept`, which is of this time, are not in the chain any more. True where
    /// something of this channel was in them.
    pub(crate) fn doubt(&mut self, kept: BlockNumber, time: Timestamp) -> bool {
        let mut touched = false;
        for row in self.standing.facts.iter_mut().filter(|row| row.block > kept) {
            row.doubted = true;
            touched = true;
        }
        let closed = self.standing.facts.iter().find(|row| row.fact == Fact::Closed);
        if closed.is_some_and(|row| row.doubted) {
            self.dispute = None;
            self.closing = false;
        }
        let balances = self.standing.balances.len();
        self.standing.balances.retain(|fact| fact.block <= kept);
        if touched || balances != self.standing.balances.len() {
            self.restore_balances();
            touched = true;
        }
        self.forget_registrations(time);
        self.dirty.head |= touched;
        touched
    }

    /// What was registered or claimed after this time was not. Claims that are still there are
    /// skipped by the contract when they are made again.
    fn forget_registrations(&mut self, time: Timestamp) {
        for ours in [true, false] {
            let later: alloc::vec::Vec<_> = self
                .end(ours)
                .locks()
                .filter(|(_, lock)| lock.registered.as_ref().is_some_and(|seen| seen.time > time))
                .map(|(slot, _)| slot)
                .collect();
            for slot in later {
                let key = crate::record::LockKey { channel: self.id, ours, slot };
                if let Some(record) = self.lock_mut(key) {
                    record.registered = None;
                    record.unlocked = false;
                }
            }
        }
    }

    /// The contract stored this.
    pub(crate) fn note_balance(&mut self, fact: BalanceFact) {
        let known = |old: &BalanceFact| old.ours == fact.ours && old.nonce == fact.nonce;
        self.standing.balances.retain(|old| !known(old));
        // A-B: A shows B's proofs, one by one, until B has forgotten which of A's stands, and can
        // neither claim under it nor settle. So each direction has room of its own.
        let is_rival = |old: &BalanceFact| old.ours == fact.ours && old.nonce != Nonce(0);
        let balances = &mut self.standing.balances;
        if balances.iter().filter(|old| is_rival(old)).count() >= BALANCES {
            let oldest = balances.iter().position(is_rival);
            oldest.map(|index| balances.remove(index));
        }
        self.standing.balances.push(fact);
        if fact.ours && fact.nonce > self.standing.claims.nonce {
            // The contract counts claims by proof: under a new one nothing is claimed.
            self.standing.claims = ClaimsRecord { nonce: fact.nonce, slots: [].into() };
            self.honest.clear();
        }
        self.restore_balances();
        self.dirty.head = true;
    }

    /// What stands for both directions, by all that was told.
    fn restore_balances(&mut self) {
        let Some(dispute) = &mut self.dispute else { return };
        dispute.ours = Balance::default();
        dispute.theirs = Balance::default();
        dispute.theirs_nonce = Nonce(0);
        for fact in &self.standing.balances {
            let balance = fact.balance;
            // What a closer declares of himself is kept with the direction that he is paid in.
            match (fact.nonce, fact.ours) {
                (Nonce(0), true) => dispute.theirs.declared = balance.transferred,
                (Nonce(0), false) => dispute.ours.declared = balance.transferred,
                (_, true) => {
                    dispute.ours = Balance { declared: dispute.ours.declared, ..balance };
                }
                (_, false) => {
                    dispute.theirs = Balance { declared: dispute.theirs.declared, ..balance };
                    dispute.theirs_nonce = fact.nonce;
                }
            }
        }
    }
}
