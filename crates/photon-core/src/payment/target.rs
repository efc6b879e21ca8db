//! The target: takes what is meant for it, and shows the secret.

use crate::effect::Change;
use crate::machine::{Answer, Machine};
use crate::record::{InvoiceRecord, LockKey, LockRole, ReceiptRecord};
use crate::reject::Rejection;
use crate::view::NoticeKind;
use alloc::vec::Vec;
use photon_wire::invoice::Invoice;
use photon_wire::lock::Lock;
use photon_wire::message::Reason;
use photon_wire::onward::ForTarget;
use photon_wire::{Amount, ChannelId, PaymentId, Secret, SecretHash};

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
            Some(secret) if secret.hash() == lock.secret_hash => (secret, false),
            Some(_) => return Err(Reason::BadPacket),
            None => (self.invoice_secret(key, &lock)?, true),
        };
        if let Some(record) = self.lock_mut(key) {
            record.role =
                LockRole::Target { payment: contents.payment, invoice, note: contents.note };
        }
        self.claim(key, &secret);
        Ok(())
    }

    /// The secret of the invoice that this lock pays.
    fn invoice_secret(&self, key: LockKey, lock: &Lock) -> Result<Secret, Reason> {
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
        secret: Secret,
    ) -> Result<Answer, Rejection> {
        if self.invoices.contains_key(&invoice.secret_hash) {
            return Err(Rejection::InvoiceExists);
        }
        if let Some(amount) = invoice.amount {
            crate::channel::check_amount(amount)?;
        }
        let record = InvoiceRecord { invoice, secret, paid: None };
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
