//! Whoever learns a secret tells its payer, and pays its payee.

use crate::machine::Machine;
use crate::record::{LockFate, LockKey, LockRecord, LockRole};
use crate::view::NoticeKind;
use photon_wire::Secret;

impl Machine {
    /// A secret is known: from a payee, or from the chain.
    pub(crate) fn learn(&mut self, secret: Secret) {
        let hash = secret.hash();
        for key in self.locks.with_hash(hash) {
            if key.ours {
                self.pay_on(key, &secret, false);
            } else {
                self.claim(key, &secret);
            }
        }
    }

    /// We are the payee: from now on the lock is ours, and its payer hears the secret.
    pub(crate) fn claim(&mut self, key: LockKey, secret: &Secret) {
        if !self.is_undecided(key) || !self.is_lock_of(key, secret.hash()) {
            return;
        }
        if let Some(record) = self.lock_mut(key) {
            record.fate = LockFate::Claimed(secret.clone());
        }
        if let Some(channel) = self.channel_mut(key.channel) {
            channel.reveal.push(secret.clone());
        }
    }

    /// We are the payer: the payee has earned the lock. The payer before us is told first, in the
    /// same turn, unless it has `paid` already.
    pub(crate) fn pay_on(&mut self, key: LockKey, secret: &Secret, paid: bool) {
        let Some(record) = self.lock(key).cloned() else { return };
        if matches!(record.fate, LockFate::Disposed(_)) {
            return;
        }
        // The owner of a payment whose lock is past has heard, or will now hear, that it expired.
        let is_past = self.clock.past() > record.lock.expiration && record.registered.is_none();
        if is_past && matches!(record.role, LockRole::Initiator(_)) {
            return;
        }
        if record.fate == LockFate::Open
            && let Some(record) = self.lock_mut(key)
        {
            record.fate = LockFate::Claimed(secret.clone());
        }
        match &record.role {
            LockRole::Initiator(payment) => self.payment_arrived(*payment, Some(secret.clone())),
            LockRole::Onward(incoming) => self.claim(*incoming, secret),
            LockRole::Forwarded(_)
            | LockRole::Target { .. }
            | LockRole::Refused
            | LockRole::Owed => {}
        }
        // E3. A-B-C: C shows the secret so late that B, paying C off the chain, could no longer
        // bring it onto the chain against A. Later B pays only what C has registered in time,
        // because that registration makes A's lock safe as well. It must be in time for this very
        // lock: A could hold another one with the same hash and a later expiration.
        let safe = self.is_safe_to_pay(record.lock.expiration) || record.registered.is_some();
        // An initiator has no payer to collect from, and has just said that it paid.
        let is_ours = matches!(record.role, LockRole::Initiator(_));
        let sent = (safe || paid || is_ours) && self.unlock(key, &record, secret);
        // Whoever it was forwarded for is gone from the books: only this row says that we owe it.
        if paid
            && !sent
            && let Some(record) = self.lock_mut(key)
        {
            record.role = LockRole::Owed;
        }
    }

    /// Pays a lock, if an update can be signed now.
    fn unlock(&mut self, key: LockKey, record: &LockRecord, secret: &Secret) -> bool {
        let Some(channel) = self.channel_mut(key.channel) else { return false };
        if !channel.can_sign() {
            return false;
        }
        channel
            .send_unlock(key.slot, secret.clone())
            .expect("an open channel always takes an unlock");
        self.locks.remove(key, record);
        true
    }

    /// Our payer has paid a lock. What we owe for it is paid now, whatever the time.
    pub(crate) fn on_unlocked(&mut self, key: LockKey, record: LockRecord, secret: Secret) {
        let amount = record.lock.amount;
        match record.role {
            LockRole::Target { payment, invoice, note } => {
                let hash = invoice.then_some(record.lock.secret_hash);
                self.receipt(key.channel, payment, amount, note, hash);
            }
            LockRole::Forwarded(outgoing) => {
                self.mediated(key, &record, outgoing);
                if self.is_lock_of(outgoing, record.lock.secret_hash) {
                    self.pay_on(outgoing, &secret, true);
                }
            }
            LockRole::Initiator(_) | LockRole::Onward(_) | LockRole::Refused | LockRole::Owed => {}
        }
    }

    fn mediated(&mut self, key: LockKey, record: &LockRecord, outgoing: LockKey) {
        let Some(token) = self.channels.get(&key.channel).map(|channel| channel.token) else {
            return;
        };
        let (payer, payee) = (self.partner_of(key), self.partner_of(outgoing));
        let fee = record.fee;
        let amount = record.lock.amount.saturating_sub(fee);
        self.notify(NoticeKind::PaymentMediated { token, payer, payee, amount, fee });
    }
}
