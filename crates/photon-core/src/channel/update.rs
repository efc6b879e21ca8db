//! The twins: what a payer sends, and how its payee receives it.

use super::end::{Undo, check_amount};
use super::{Channel, End};
use crate::record::{LockFate, LockKey, LockRecord, LockRole};
use crate::reject::Rejection;
use alloc::vec::Vec;
use photon_wire::contract::SignedBalance;
use photon_wire::limits::{OPERATIONS, UPDATE_BYTES, UPDATES_IN_FLIGHT};
use photon_wire::lock::Lock;
use photon_wire::message::{Operation, Update};
use photon_wire::{
    Address, Amount, LockNumber, Nonce, PaymentId, Secret, SecretHash, Signature, Slot, Timestamp,
};

/// What an accepted operation means to the roles above.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Accepted {
    /// We were paid.
    Paid { payment: PaymentId, amount: Amount, note: Vec<u8> },
    /// We were promised something; `operation` is its index in the update.
    Locked { key: LockKey, number: LockNumber, operation: usize, onward: Vec<u8> },
    /// A lock was paid to us.
    Unlocked { key: LockKey, record: LockRecord, secret: Secret },
    /// A lock is gone without payment.
    Gone { key: LockKey, record: LockRecord },
}

impl Channel {
    // Sending: checks, then changes `ours`; nothing is signed before the batch is closed.

    /// Pays the partner at once; the nonce is of the update that will carry it.
    pub(crate) fn send_pay(
        &mut self,
        payment: PaymentId,
        amount: Amount,
        note: Vec<u8>,
    ) -> Result<Nonce, Rejection> {
        self.check_can_promise(amount)?;
        self.send(Operation::Pay { payment, amount, note })?;
        self.ours.head.nonce.next().ok_or(Rejection::NonceExhausted)
    }

    /// Promises the partner a payment.
    pub(crate) fn send_lock(
        &mut self,
        amount: Amount,
        expiration: Timestamp,
        secret_hash: SecretHash,
        onward: Vec<u8>,
        role: LockRole,
    ) -> Result<LockKey, Rejection> {
        self.check_can_promise(amount)?;
        let slot = self.ours.free_slot().ok_or(Rejection::ChannelBusy { channel: self.id })?;
        let lock = Lock { number: self.ours.head.next_number, amount, expiration, secret_hash };
        self.send(Operation::Lock { slot, lock, onward })?;
        let key = LockKey { channel: self.id, ours: true, slot };
        self.lock_mut(key).expect("the lock was just added").role = role;
        Ok(key)
    }

    /// Pays a lock of ours. Always possible while the channel takes updates.
    pub(crate) fn send_unlock(&mut self, slot: Slot, secret: Secret) -> Result<(), Rejection> {
        self.check_open()?;
        self.send(Operation::Unlock { slot, secret })
    }

    /// Takes back a lock of ours that is past for good.
    pub(crate) fn send_expire(&mut self, slot: Slot) -> Result<(), Rejection> {
        self.check_open()?;
        self.send(Operation::Expire { slot })
    }

    /// Takes back a lock of ours that the partner has disposed.
    pub(crate) fn send_drop(&mut self, slot: Slot) -> Result<(), Rejection> {
        self.check_open()?;
        self.send(Operation::Drop { slot })
    }

    /// Refuses where a new payment or lock of this amount cannot go out.
    pub(crate) fn check_can_promise(&self, amount: Amount) -> Result<(), Rejection> {
        check_amount(amount)?;
        self.check_open()?;
        if self.agreements.settling.is_some() {
            return Err(Rejection::ChannelSettling { channel: self.id });
        }
        // A store that was put back from an older copy does not know what was signed after it:
        // signing those nonces again would give the partner two truths to choose from.
        if !self.in_step {
            return Err(Rejection::ChannelBusy { channel: self.id });
        }
        let spendable = self.spendable();
        if amount > spendable {
            return Err(Rejection::InsufficientBalance { spendable, needed: amount });
        }
        let in_flight = self.ours.head.nonce.0.saturating_sub(self.acknowledged.0);
        if in_flight >= UPDATES_IN_FLIGHT as u64 {
            return Err(Rejection::ChannelBusy { channel: self.id });
        }
        Ok(())
    }

    fn send(&mut self, operation: Operation) -> Result<(), Rejection> {
        let size = operation.size();
        let full =
            self.batch.len() >= OPERATIONS || self.batch_bytes.saturating_add(size) > UPDATE_BYTES;
        if full {
            self.close_batch();
        }
        if self.ours.head.nonce.next().is_none() {
            return Err(Rejection::NonceExhausted);
        }
        let undo = self.ours.apply(&operation)?;
        self.note_dirty(true, &undo);
        self.note_change(&undo);
        self.batch_bytes = self.batch_bytes.saturating_add(size);
        self.batch.push(operation);
        Ok(())
    }

    /// Makes one update of what was sent since the last one; its signature is still blank.
    pub(crate) fn close_batch(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        let nonce = self.ours.head.nonce.next().expect("checked before each operation");
        self.ours.head.nonce = nonce;
        self.batch_bytes = 0;
        self.note_history(nonce);
        let update = Update {
            channel: self.id,
            epoch: self.epoch,
            nonce,
            operations: core::mem::take(&mut self.batch),
            transferred: self.ours.transferred(),
            locked: self.ours.locked(),
            locksroot: self.ours.locksroot(),
            signature: Signature([0; 65]),
        };
        self.ready.push(update);
    }

    // Receiving: applies the same operations to `theirs` and demands the same result.

    /// Accepts an update whole, or refuses it and changes nothing.
    ///
    /// `signer` is who signed the digest of the update's own values; since every one of those is
    /// then demanded to equal ours, it is the digest that the chain would check.
    pub(crate) fn receive_update(
        &mut self,
        update: &Update,
        signer: Address,
        past: Timestamp,
    ) -> Result<Vec<Accepted>, Rejection> {
        self.check_receives(update, signer)?;
        let mut undos = Vec::with_capacity(update.operations.len());
        let verdict = self
            .apply_all(&update.operations, past, &mut undos)
            .and_then(|accepted| self.check_result(update).map(|()| accepted));
        match verdict {
            Ok(accepted) => {
                undos.iter().for_each(|undo| self.note_dirty(false, undo));
                self.advance(update);
                Ok(accepted)
            }
            Err(rejection) => {
                undos.into_iter().rev().for_each(|undo| self.theirs.undo(undo));
                // The tree notes what has changed until it is asked for its root: a partner that
                // is refused for ever must not make it note for ever.
                self.theirs.locksroot();
                Err(rejection)
            }
        }
    }

    fn check_receives(&self, update: &Update, signer: Address) -> Result<(), Rejection> {
        if update.epoch != self.epoch {
            return Err(Rejection::WrongEpoch { expected: self.epoch, got: update.epoch });
        }
        self.check_open()?;
        let expected = self.theirs.head.nonce.next().ok_or(Rejection::NonceExhausted)?;
        if update.nonce != expected {
            return Err(Rejection::WrongNonce { expected, got: update.nonce });
        }
        if update.operations.is_empty() {
            return Err(Rejection::EmptyUpdate);
        }
        if signer != self.partner {
            return Err(Rejection::WrongSigner { expected: self.partner });
        }
        Ok(())
    }

    fn apply_all(
        &mut self,
        operations: &[Operation],
        past: Timestamp,
        undos: &mut Vec<Undo>,
    ) -> Result<Vec<Accepted>, Rejection> {
        let mut accepted = Vec::with_capacity(operations.len());
        for (index, operation) in operations.iter().enumerate() {
            check_removal(&self.theirs, operation, past)?;
            let undo = self.theirs.apply(operation)?;
            accepted.push(self.meaning(index, operation, &undo));
            undos.push(undo);
        }
        Ok(accepted)
    }

    fn check_result(&mut self, update: &Update) -> Result<(), Rejection> {
        let (expected, got) = (self.theirs.transferred(), update.transferred);
        if expected != got {
            return Err(Rejection::WrongTransferred { expected, got });
        }
        let (expected, got) = (self.theirs.locked(), update.locked);
        if expected != got {
            return Err(Rejection::WrongLocked { expected, got });
        }
        let (expected, got) = (self.theirs.locksroot(), update.locksroot);
        if expected != got {
            return Err(Rejection::WrongLocksroot { expected, got });
        }
        // What we have paid counts from the moment we sign it, acknowledged or not: our signature
        // is out, and honest updates that cross on the wire must not be refused.
        let (has, owes) = self.sums(false);
        if owes > has {
            return Err(Rejection::InsufficientBalance { spendable: has, needed: owes });
        }
        Ok(())
    }

    fn advance(&mut self, update: &Update) {
        self.theirs.head.nonce = update.nonce;
        self.proof = Some(SignedBalance {
            nonce: update.nonce,
            transferred: update.transferred,
            locksroot: update.locksroot,
            signature: update.signature,
        });
        self.acknowledge = true;
        self.dirty.head = true;
    }

    fn meaning(&self, index: usize, operation: &Operation, undo: &Undo) -> Accepted {
        let key = |slot| LockKey { channel: self.id, ours: false, slot };
        match (operation, undo) {
            (Operation::Pay { payment, amount, note }, _) => {
                Accepted::Paid { payment: *payment, amount: *amount, note: note.clone() }
            }
            (Operation::Lock { slot, lock, onward }, _) => Accepted::Locked {
                key: key(*slot),
                number: lock.number,
                operation: index,
                onward: onward.clone(),
            },
            (Operation::Unlock { secret, .. }, Undo::Removed(slot, record, _)) => {
                let record = record.clone();
                Accepted::Unlocked { key: key(*slot), record, secret: secret.clone() }
            }
            (_, Undo::Removed(slot, record, _)) => {
                Accepted::Gone { key: key(*slot), record: record.clone() }
            }
            (
                Operation::Unlock { .. } | Operation::Expire { .. } | Operation::Drop { .. },
                Undo::Paid(_) | Undo::Added(..),
            ) => unreachable!("these operations remove a lock"),
        }
    }

    fn note_dirty(&mut self, ours: bool, undo: &Undo) {
        self.dirty.head = true;
        match undo {
            Undo::Paid(_) => {}
            Undo::Added(slot, _) | Undo::Removed(slot, _, _) => {
                self.dirty.locks.insert((ours, *slot));
            }
        }
    }
}

/// What a payee demands before a lock may go without payment.
fn check_removal(theirs: &End, operation: &Operation, past: Timestamp) -> Result<(), Rejection> {
    match operation {
        Operation::Expire { slot } => {
            let record = theirs.lock(*slot).ok_or(Rejection::SlotEmpty { slot: *slot })?;
            // A-B: A takes back a lock whose secret B has registered in time, and keeps the tokens
            // that B may claim.
            if record.registered.is_some() {
                return Err(Rejection::LockClaimed { slot: *slot });
            }
            let expiration = record.lock.expiration;
            if past <= expiration {
                return Err(Rejection::NotExpired { expiration, now: past });
            }
            Ok(())
        }
        Operation::Drop { slot } => {
            let record = theirs.lock(*slot).ok_or(Rejection::SlotEmpty { slot: *slot })?;
            match record.fate {
                LockFate::Disposed(_) => Ok(()),
                LockFate::Open | LockFate::Claimed(_) => {
                    Err(Rejection::NotDisposed { slot: *slot })
                }
            }
        }
        Operation::Pay { .. } | Operation::Lock { .. } | Operation::Unlock { .. } => Ok(()),
    }
}
