//! What a lock means: the roles of initiator, mediator and target. After a channel has accepted
//! something, nothing here fails: whoever cannot go on gives the lock back.

mod deadline;
mod initiator;
mod mediator;
mod secret;
mod target;

use crate::machine::Machine;
use crate::record::{LockFate, LockKey, LockRecord, LockRole};
use alloc::vec::Vec;
use photon_wire::codec::Decode;
use photon_wire::message::{DisposedLock, Failure, Reason};
use photon_wire::onward::{ForTarget, Onward};
use photon_wire::{Address, ChannelId, SecretHash, Slot};

impl Machine {
    /// A payer has promised us something.
    pub(crate) fn on_lock(&mut self, key: LockKey, onward: &[u8], contents: Option<ForTarget>) {
        if let Some(record) = self.lock(key).cloned() {
            self.locks.add(key, &record);
        }
        let verdict = self.check_acceptable(key).and_then(|()| {
            let packet = Onward::from_bytes(onward).map_err(|_| Reason::BadPacket)?;
            match packet.peel() {
                Some((hop, rest)) => self.forward(key, hop, &rest),
                None => self.accept(key, contents),
            }
        });
        if let Err(reason) = verdict {
            let hop = self.config.account;
            self.give_back(key, Failure { hop, reason });
        }
    }

    /// Disposes a payer's lock, for good. What it is for must be impossible already.
    pub(crate) fn give_back(&mut self, key: LockKey, failure: Failure) {
        if !self.is_undecided(key) {
            return;
        }
        let Some(record) = self.lock_mut(key) else { return };
        record.fate = LockFate::Disposed(failure);
        record.role = LockRole::Refused;
        let lock = record.lock.hash();
        if let Some(channel) = self.channel_mut(key.channel) {
            channel.dispose.push(DisposedLock { lock, failure });
        }
    }

    /// The payee has given a lock of ours back, and signed so.
    pub(crate) fn on_lock_disposed(&mut self, key: LockKey, failure: Failure) {
        // A lock is claimed or disposed, never both: a disposal after we have learned the secret
        // and promised to pay changes nothing.
        if !self.is_undecided(key) {
            return;
        }
        let Some(record) = self.lock(key).cloned() else { return };
        if !self.drop_disposed(key, &record)
            && let Some(record) = self.lock_mut(key)
        {
            record.fate = LockFate::Disposed(failure);
        }
        self.outgoing_failed(key, &record, failure);
    }

    /// Takes back a lock of ours that its payee has disposed, if the channel takes updates.
    fn drop_disposed(&mut self, key: LockKey, record: &LockRecord) -> bool {
        let Some(channel) = self.channel_mut(key.channel) else { return false };
        if !channel.can_sign() {
            return false;
        }
        channel.send_drop(key.slot).expect("an open channel always takes a drop");
        self.locks.remove(key, record);
        true
    }

    /// The channel takes updates again: what was decided meanwhile is done, and what the partner
    /// sent in vain is asked for.
    pub(crate) fn reopen(&mut self, id: ChannelId) {
        self.behind.insert(id);
        self.catch_up(id);
    }

    /// Updates can be signed: what was decided before is done.
    pub(crate) fn catch_up(&mut self, id: ChannelId) {
        let Some(channel) = self.channels.get(&id) else { return };
        let locks: Vec<(Slot, LockRecord)> =
            channel.ours.locks().map(|(slot, record)| (slot, record.clone())).collect();
        for (slot, record) in locks {
            let key = LockKey { channel: id, ours: true, slot };
            match &record.fate {
                LockFate::Open => {}
                LockFate::Claimed(secret) => {
                    self.pay_on(key, secret, record.role == LockRole::Owed)
                }
                LockFate::Disposed(_) => {
                    self.drop_disposed(key, &record);
                }
            }
        }
    }

    /// A lock of ours will never be claimed: whoever it was for hears of it.
    pub(crate) fn outgoing_failed(
        &mut self,
        key: LockKey,
        outgoing: &LockRecord,
        failure: Failure,
    ) {
        match &outgoing.role {
            LockRole::Initiator(payment) => self.attempt_failed(*payment, failure),
            // A-B-C: the lock to C hangs in a closed channel while A's own is past and gone, and
            // A puts another lock with the same hash into its slot. That one was forwarded as
            // another lock, which may still be claimed: it must not be given back.
            LockRole::Onward(incoming) if self.is_forwarded_as(*incoming, key) => {
                self.give_back(*incoming, failure);
            }
            LockRole::Onward(_)
            | LockRole::Forwarded(_)
            | LockRole::Target { .. }
            | LockRole::Refused
            | LockRole::Owed => {}
        }
    }

    /// Whether this slot still holds the lock of that payment, and not a later one.
    pub(crate) fn is_lock_of(&self, key: LockKey, hash: SecretHash) -> bool {
        self.lock(key).is_some_and(|record| record.lock.secret_hash == hash)
    }

    /// Whether this slot holds the lock that was forwarded as that one, and not a later lock.
    fn is_forwarded_as(&self, incoming: LockKey, outgoing: LockKey) -> bool {
        self.lock(incoming).is_some_and(|record| record.role == LockRole::Forwarded(outgoing))
    }

    pub(crate) fn partner_of(&self, key: LockKey) -> Address {
        self.channels.get(&key.channel).map_or(Address::ZERO, |channel| channel.partner)
    }
}
