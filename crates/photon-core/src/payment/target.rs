//! The target: takes what is meant for it, and shows the secret.

use crate::effect::Change;
use crate::machine::{Answer, Machine};
use crate::record::{InvoiceRecord, LockFate, LockKey, LockRole, ReceiptRecord};
use crate::reject::Rejection;
use crate::view::NoticeKind;
use alloc::vec::Vec;
use photon_wire::invoice::Invoice;
use photon_wire::lock::Lock;
use photon_wire::message::{Failure, Reason};
use photon_wire::onward::ForTarget;
use photon_wire::{Amount, ChannelId, PaymentId, Secret, SecretHash, Timestamp};

impl Machine {
    /// Takes a lock that ends at us, or says why not.
    pub(crate) fn accept(
        &mut self,
        key: LockKey,
        contents: Option<ForTarget>,
    ) -> Result<(), Reason> {
        let lock = self.lock(key).ok_or(Reason::NoChannel)?.lock;
        // Showing the secret is safe only while it can still be brought onto the chain.
        self.check_time_left(lock.expiration)?;
        let contents = contents.ok_or(Reason::BadPacket)?;
        if lock.amount < contents.amount {
            return Err(Reason::WrongAmount);
        }
        let (secret, invoice) = match contents.secret {
            Some(secret) if secret.hash() == lock.secret_hash => (Some(secret), false),
            Some(_) => return Err(Reason::BadPacket),
            None => (self.invoice_secret(key, &lock)?, true),
        };
        let payment = contents.payment;
        if let Some(record) = self.lock_mut(key) {
            record.role = LockRole::Target { payment, invoice, note: contents.note };
        }
        match secret {
            Some(secret) => self.claim(key, &secret),
            None => self.hold(key, payment, &lock),
        }
        Ok(())
    }

    /// Only the owner can open this lock: it stays until he does, gives it up, or is too late.
    fn hold(&mut self, key: LockKey, payment: PaymentId, lock: &Lock) {
        let Some(channel) = self.channels.get(&key.channel) else { return };
        let (token, partner) = (channel.token, channel.partner);
        let (amount, expiration) = (lock.amount, lock.expiration);
        let invoice = lock.secret_hash;
        let kind = NoticeKind::PaymentHeld { payment, token, partner, amount, invoice, expiration };
        self.notify(kind);
    }

    /// The locks that are held for this invoice.
    fn held_for(&self, hash: SecretHash) -> Vec<(LockKey, Lock)> {
        let keys = self.locks.with_hash(hash).into_iter().filter(|key| self.is_held(*key));
        keys.filter_map(|key| Some((key, self.lock(key)?.lock))).collect()
    }

    fn is_held(&self, key: LockKey) -> bool {
        let is_held = |role: &LockRole| matches!(role, LockRole::Target { invoice: true, .. });
        !key.ours
            && self
                .lock(key)
                .is_some_and(|record| record.fate == LockFate::Open && is_held(&record.role))
    }

    /// The owner shows a secret: what is held for it is taken, and what comes later as well.
    pub(crate) fn release_invoice(&mut self, secret: Secret) -> Result<Answer, Rejection> {
        let hash = secret.hash();
        let mut record = self.invoices.get(&hash).ok_or(Rejection::UnknownInvoice)?.clone();
        let held = self.held_for(hash);
        for (_, lock) in &held {
            let expiration = lock.expiration;
            if !self.is_safe_to_pay(expiration) {
                return Err(Rejection::TooLateToRelease { expiration });
            }
        }
        if record.secret.is_none() {
            record.secret = Some(secret.clone());
            self.change(Change::Invoice(record.clone()));
            self.invoices.insert(hash, record);
        }
        held.into_iter().for_each(|(key, _)| self.claim(key, &secret));
        Ok(Answer::Done)
    }

    /// The owner gives an invoice up, unless its secret is out.
    pub(crate) fn cancel_invoice(&mut self, hash: SecretHash) -> Result<Answer, Rejection> {
        if !self.invoices.contains_key(&hash) {
            return Err(Rejection::UnknownInvoice);
        }
        let is_claimed = |key: &LockKey| {
            !key.ours
                && self.lock(*key).is_some_and(|lock| matches!(lock.fate, LockFate::Claimed(_)))
        };
        if self.locks.with_hash(hash).iter().any(is_claimed) {
            return Err(Rejection::InvoicePaid);
        }
        let hop = self.config.account;
        for (key, _) in self.held_for(hash) {
            self.give_back(key, Failure { hop, reason: Reason::Rejected });
        }
        if let Some(mut record) = self.invoices.remove(&hash) {
            record.cancelled = true;
            self.change(Change::Invoice(record));
        }
        Ok(Answer::Done)
    }

    /// What is held and can not be taken safely any more goes back.
    pub(crate) fn give_back_held(&mut self) {
        let late = self.clock.now().after(self.config.timing.reveal_timeout);
        let end = (Timestamp(late.0.saturating_add(1)), LockKey::default());
        let late = self.locks.by_expiration.range(..end).map(|(_, key)| *key);
        let late: Vec<LockKey> = late.filter(|key| self.is_held(*key)).collect();
        let hop = self.config.account;
        for key in late {
            self.give_back(key, Failure { hop, reason: Reason::Rejected });
        }
    }

    /// The secret of the invoice that this lock pays; none where the owner keeps it.
    fn invoice_secret(&self, key: LockKey, lock: &Lock) -> Result<Option<Secret>, Reason> {
        let record = self.invoices.get(&lock.secret_hash).ok_or(Reason::UnknownInvoice)?;
        if record.invoice.expires < self.clock.now() {
            return Err(Reason::InvoiceExpired);
        }
        let token = self.with(key.channel).map_err(|_| Reason::NoChannel)?.token;
        if record.invoice.token != token {
            return Err(Reason::UnknownInvoice);
        }
        if record.invoice.amount.is_some_and(|asked| lock.amount < asked) {
            return Err(Reason::WrongAmount);
        }
        Ok(record.secret.clone())
    }

    pub(crate) fn add_invoice(
        &mut self,
        invoice: Invoice,
        secret: Option<Secret>,
    ) -> Result<Answer, Rejection> {
        if self.invoices.contains_key(&invoice.secret_hash) {
            return Err(Rejection::InvoiceExists);
        }
        if let Some(amount) = invoice.amount {
            crate::channel::check_amount(amount)?;
        }
        let record = InvoiceRecord { invoice, secret, paid: None, cancelled: false };
        self.change(Change::Invoice(record.clone()));
        self.invoices.insert(record.invoice.secret_hash, record);
        Ok(Answer::Done)
    }

    /// We were paid, durably.
    pub(crate) fn receipt(
        &mut self,
        channel: ChannelId,
        payment: PaymentId,
        amount: Amount,
        note: Vec<u8>,
        invoice: Option<SecretHash>,
    ) {
        let Some((token, partner)) =
            self.channels.get(&channel).map(|channel| (channel.token, channel.partner))
        else {
            return;
        };
        let number = self.next_receipt;
        self.next_receipt = number.saturating_add(1);
        let at = self.clock.now();
        self.change(Change::Receipt(ReceiptRecord {
            number,
            payment,
            token,
            channel,
            partner,
            amount,
            note,
            invoice,
            at,
        }));
        if let Some(mut record) = invoice.and_then(|hash| self.invoices.remove(&hash)) {
            record.paid = Some(amount);
            self.change(Change::Invoice(record));
        }
        self.notify(NoticeKind::PaymentReceived { payment, token, partner, amount, invoice });
    }
}
