//! The only arithmetic: one side's direction of a channel, changed by one operation at a time.
//!
//! A sender applies an operation to its own [`End`] and signs the result; the receiver applies the
//! same operation to its copy of that end and demands the same result.

use crate::record::{EndRecord, LockFate, LockRecord, LockRole};
use crate::reject::Rejection;
use alloc::collections::BTreeMap;
use photon_wire::lock::Lock;
use photon_wire::message::Operation;
use photon_wire::tree::LockTree;
use photon_wire::{Amount, B256, LockHash, Locksroot, Secret, Slot};

/// One side of a channel: what it put in, and what it has paid and promised to the other.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct End {
    pub(crate) head: EndRecord,
    locked: Amount,
    locks: BTreeMap<Slot, LockRecord>,
    slots: BTreeMap<LockHash, Slot>,
    tree: LockTree,
}

/// How to take one operation back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Undo {
    /// A payment.
    Paid(Amount),
    /// A lock was added, and the head was this before.
    Added(Slot, EndRecord),
    /// A lock was removed, and what was paid for it.
    Removed(Slot, LockRecord, Amount),
}

impl End {
    /// The end with these rows.
    pub(crate) fn restore(head: EndRecord) -> Self {
        Self { head, ..Self::default() }
    }

    /// Puts a stored lock back.
    pub(crate) fn restore_lock(&mut self, slot: Slot, record: LockRecord) {
        self.insert(slot, record);
    }

    /// The sum of the pending locks.
    pub const fn locked(&self) -> Amount {
        self.locked
    }

    /// What this side has paid in all.
    pub const fn transferred(&self) -> Amount {
        self.head.transferred
    }

    /// Commits to the pending locks.
    pub(crate) fn locksroot(&mut self) -> Locksroot {
        self.tree.root()
    }

    /// The siblings that show these slots to the contract.
    pub(crate) fn multiproof(&mut self, slots: &[Slot]) -> alloc::vec::Vec<B256> {
        self.tree.multiproof(slots)
    }

    /// The pending locks by slot.
    pub fn locks(&self) -> impl Iterator<Item = (Slot, &LockRecord)> {
        self.locks.iter().map(|(slot, record)| (*slot, record))
    }

    /// How many locks are pending.
    pub fn lock_count(&self) -> usize {
        self.locks.len()
    }

    /// The lock in this slot.
    pub fn lock(&self, slot: Slot) -> Option<&LockRecord> {
        self.locks.get(&slot)
    }

    pub(crate) fn lock_mut(&mut self, slot: Slot) -> Option<&mut LockRecord> {
        self.locks.get_mut(&slot)
    }

    /// The slot of the lock with this hash.
    pub(crate) fn slot_of(&self, hash: LockHash) -> Option<Slot> {
        self.slots.get(&hash).copied()
    }

    /// The lowest slot without a lock.
    pub(crate) fn free_slot(&self) -> Option<Slot> {
        let taken = self.locks.keys().zip(0..).take_while(|(slot, index)| slot.0 == *index).count();
        let slot = u16::try_from(taken).ok()?;
        (slot < photon_wire::limits::SLOTS).then_some(Slot(slot))
    }

    /// Applies one operation; a new lock gets no role before somebody decides on it.
    ///
    /// # Errors
    /// A rule of the arithmetic is broken; then nothing has changed.
    pub(crate) fn apply(&mut self, operation: &Operation) -> Result<Undo, Rejection> {
        match operation {
            Operation::Pay { amount, .. } => self.pay(*amount),
            Operation::Lock { slot, lock, .. } => self.add(*slot, *lock),
            Operation::Unlock { slot, secret } => self.unlock(*slot, secret),
            Operation::Expire { slot } | Operation::Drop { slot } => self.remove(*slot),
        }
    }

    /// Takes the last operation that was applied and not taken back yet back.
    pub(crate) fn undo(&mut self, undo: Undo) {
        match undo {
            Undo::Paid(amount) => {
                self.head.transferred = self.head.transferred.saturating_sub(amount);
            }
            Undo::Added(slot, head) => {
                self.take(slot);
                self.head = head;
            }
            Undo::Removed(slot, record, paid) => {
                self.insert(slot, record);
                self.head.transferred = self.head.transferred.saturating_sub(paid);
            }
        }
    }

    fn pay(&mut self, amount: Amount) -> Result<Undo, Rejection> {
        check_amount(amount)?;
        self.head.transferred = self.with_transferred(amount)?;
        Ok(Undo::Paid(amount))
    }

    fn add(&mut self, slot: Slot, lock: Lock) -> Result<Undo, Rejection> {
        check_amount(lock.amount)?;
        if self.locks.contains_key(&slot) {
            return Err(Rejection::SlotTaken { slot });
        }
        // A disposal names a lock by its hash: a number used twice would let an old disposal
        // punish an honest claim of a new lock. The last number has no next one.
        if lock.number < self.head.next_number || lock.number == lock.number.next() {
            let (least, got) = (self.head.next_number, lock.number);
            return Err(Rejection::WrongLockNumber { least, got });
        }
        let before = self.head;
        self.head.next_number = lock.number.next();
        let record = LockRecord {
            lock,
            role: LockRole::Refused,
            fate: LockFate::Open,
            registered: None,
            unlocked: false,
            fee: Amount::ZERO,
        };
        self.insert(slot, record);
        Ok(Undo::Added(slot, before))
    }

    fn unlock(&mut self, slot: Slot, secret: &Secret) -> Result<Undo, Rejection> {
        let record = self.locks.get(&slot).ok_or(Rejection::SlotEmpty { slot })?;
        if secret.hash() != record.lock.secret_hash {
            return Err(Rejection::WrongSecret { slot });
        }
        let amount = record.lock.amount;
        self.head.transferred = self.with_transferred(amount)?;
        let record = self.take(slot).ok_or(Rejection::SlotEmpty { slot })?;
        Ok(Undo::Removed(slot, record, amount))
    }

    fn remove(&mut self, slot: Slot) -> Result<Undo, Rejection> {
        let record = self.take(slot).ok_or(Rejection::SlotEmpty { slot })?;
        Ok(Undo::Removed(slot, record, Amount::ZERO))
    }

    fn with_transferred(&self, amount: Amount) -> Result<Amount, Rejection> {
        self.head.transferred.checked_add(amount).ok_or(Rejection::BadAmount { amount })
    }

    fn insert(&mut self, slot: Slot, record: LockRecord) {
        let hash = record.lock.hash();
        self.locked = self.locked.saturating_add(record.lock.amount);
        self.tree.set(slot, Some(hash));
        self.slots.insert(hash, slot);
        self.locks.insert(slot, record);
    }

    fn take(&mut self, slot: Slot) -> Option<LockRecord> {
        let record = self.locks.remove(&slot)?;
        self.locked = self.locked.saturating_sub(record.lock.amount);
        self.tree.set(slot, None);
        self.slots.remove(&record.lock.hash());
        Some(record)
    }
}

/// Refuses nothing and what no deposit could hold.
pub(crate) fn check_amount(amount: Amount) -> Result<(), Rejection> {
    if amount.is_zero() || amount > Amount::MAX_DEPOSIT {
        return Err(Rejection::BadAmount { amount });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use photon_wire::{LockNumber, PaymentId, Timestamp};

    fn secret(byte: u8) -> Secret {
        Secret([byte; 32])
    }

    fn lock(number: u64, amount: u128) -> Lock {
        Lock {
            number: LockNumber(number),
            amount: Amount(amount),
            expiration: Timestamp(100),
            secret_hash: secret(1).hash(),
        }
    }

    fn operations() -> [Operation; 4] {
        [
            Operation::Pay { payment: PaymentId([0; 16]), amount: Amount(5), note: [].into() },
            Operation::Lock { slot: Slot(0), lock: lock(1, 20), onward: [].into() },
            Operation::Lock { slot: Slot(7), lock: lock(2, 30), onward: [].into() },
            Operation::Unlock { slot: Slot(0), secret: secret(1) },
        ]
    }

    #[test]
    fn operations_add_up_and_taking_them_back_restores_every_step() {
        let mut end = End::default();
        let mut before = alloc::vec![];
        for operation in operations() {
            let copy = end.clone();
            before.push((copy, end.apply(&operation).unwrap()));
        }
        assert_eq!((end.transferred(), end.locked()), (Amount(25), Amount(30)));
        assert_eq!(end.free_slot(), Some(Slot(0)));
        while let Some((mut copy, undo)) = before.pop() {
            end.undo(undo);
            assert_eq!(end, copy);
            assert_eq!(end.locksroot(), copy.locksroot());
        }
    }

    #[test]
    fn refusals_change_nothing() {
        let mut end = End::default();
        for operation in operations() {
            end.apply(&operation).unwrap();
        }
        let copy = end.clone();
        let zero =
            Operation::Pay { payment: PaymentId([0; 16]), amount: Amount(0), note: [].into() };
        let taken = Operation::Lock { slot: Slot(7), lock: lock(3, 1), onward: [].into() };
        let reused = Operation::Lock { slot: Slot(1), lock: lock(2, 1), onward: [].into() };
        let wrong = Operation::Unlock { slot: Slot(7), secret: secret(2) };
        let empty = Operation::Drop { slot: Slot(3) };
        for operation in [zero, taken, reused, wrong, empty] {
            assert!(end.apply(&operation).is_err());
            assert_eq!(end, copy);
        }
    }
}
