//! What changed, as rows.

use crate::fault::Fault;
use crate::outgoing::Outgoing;
use crate::store::{Batch, Key, Store, Table};
use crate::tables::{self, bare, value};
use photon_core::Change;
use photon_core::record::{InvoiceRecord, PaymentRecord};
use photon_core::view::PaymentStatus;
use photon_wire::claim::Claim;
use photon_wire::codec::Encode;
use photon_wire::message::{Dispose, Message, Update};
use photon_wire::{Address, ChannelId, Nonce, PaymentId};
use std::collections::BTreeSet;
use std::ops::Bound;

/// The rows of one commit while they are gathered.
pub(crate) struct Writer<'a> {
    pub(crate) store: &'a Store,
    pub(crate) outgoing: &'a mut Outgoing,
    pub(crate) pending: &'a mut BTreeSet<PaymentId>,
    pub(crate) batch: Batch,
    /// Our account.
    pub(crate) account: Address,
}

impl Writer<'_> {
    /// Adds what one change means.
    pub(crate) fn change(&mut self, change: Change) -> Result<(), Fault> {
        match change {
            Change::Channel(record) => self.put(tables::channel(record.id), &*record),
            Change::ChannelGone(channel) => self.channel_gone(channel)?,
            Change::Lock(key, record) => self.put(tables::lock(&key), &record),
            Change::LockGone(key) => self.batch.delete(tables::lock(&key)),
            Change::Disposal(channel, dispose) => self.disposal(channel, &dispose),
            Change::Acknowledged(channel, nonce) => {
                self.outgoing.acknowledge(&mut self.batch, channel, nonce);
            }
            Change::Payment(record) => self.payment(&record),
            Change::Receipt(record) => self.put(tables::receipt(record.number), &record),
            Change::Invoice(record) => self.invoice(&record),
            Change::Intent(record) => self.put(tables::intent(record.intent.id), &record),
            Change::IntentGone(id) => self.batch.delete(tables::intent(id)),
            Change::Graph(record) => self.put(tables::graph(record.channel), &record),
            Change::GraphGone(channel) => self.batch.delete(tables::graph(channel)),
            Change::Node(record) => self.put(tables::node(record.account), &record),
            Change::NodeGone(account) => self.batch.delete(tables::node(account)),
            Change::Registered(hashes) => {
                hashes.iter().for_each(|hash| self.batch.put(tables::registered(*hash), bare()));
            }
            Change::Block(record) => self.put(tables::block(), &record),
            Change::Fees(channel, fees) => self.put(tables::fees(channel), &fees),
            Change::FeesGone(channel) => self.batch.delete(tables::fees(Some(channel))),
            Change::History(channel, nonce, changes) => {
                self.put(tables::lock_history(channel, nonce), &changes);
            }
            Change::HistoryGone { channel, from, to } => self.history_gone(channel, from, to)?,
            Change::Ended(channel, record) => self.put(tables::ended(channel), &record),
            Change::Notice(number, notice) => self.put(tables::notice(number), &notice),
        }
        Ok(())
    }

    /// Adds a signed update, and gives the frame that may leave once it is stored.
    pub(crate) fn update(&mut self, update: Update) -> Vec<u8> {
        let (channel, nonce) = (update.channel, update.nonce);
        let row = value(&Message::Update(update));
        let frame = row.get(1..).unwrap_or_default().to_vec();
        self.outgoing.add(channel, nonce);
        self.batch.put(tables::update(channel, nonce), row);
        frame
    }

    fn put(&mut self, key: Key, record: &impl Encode) {
        self.batch.put(key, value(record));
    }

    /// Everything that carries the channel's name goes with it: whatever was left of this life
    /// must not turn up in the next one.
    fn channel_gone(&mut self, channel: ChannelId) -> Result<(), Fault> {
        self.outgoing.forget(&mut self.batch, channel);
        let view = self.store.view();
        let histories = tables::lock_histories(channel);
        for prefix in [tables::channel_rows(channel), tables::disposals(channel), histories] {
            self.batch.delete_put(&prefix);
            for row in view.under(&prefix) {
                self.batch.delete(row?.0);
            }
        }
        Ok(())
    }

    fn history_gone(&mut self, channel: ChannelId, from: Nonce, to: Nonce) -> Result<(), Fault> {
        let [from, to] = [from, to].map(|nonce| tables::lock_history(channel, nonce));
        let view = self.store.view();
        let rows = view.between(Bound::Included(from), Bound::Included(to), Table::History);
        for row in rows {
            self.batch.delete(row?.0);
        }
        Ok(())
    }

    fn disposal(&mut self, channel: ChannelId, dispose: &Dispose) {
        let claim = dispose.disposal(self.account);
        self.put(tables::disposal(channel, claim.struct_hash()), dispose);
    }

    fn payment(&mut self, record: &PaymentRecord) {
        let pending = tables::pending_payment(record.id);
        match record.status {
            // Every payment begins like this.
            PaymentStatus::Pending => {
                self.batch.put(tables::payment_time(record.created, record.id), bare());
                self.pending.insert(record.id);
                self.put(pending, record);
            }
            PaymentStatus::Paid { .. } | PaymentStatus::Failed(_) => {
                self.batch.delete(pending);
                self.pending.remove(&record.id);
                self.put(tables::finished_payment(record.id), record);
                let paid = matches!(record.status, PaymentStatus::Paid { .. });
                if let Some(invoice) = record.invoice.filter(|_| paid) {
                    self.put(tables::settled_invoice(invoice), &record.id);
                }
            }
        }
    }

    fn invoice(&mut self, record: &InvoiceRecord) {
        let hash = record.invoice.secret_hash;
        self.batch.put(tables::invoice_time(record.invoice.issued, hash), bare());
        let unpaid = tables::unpaid_invoice(hash);
        if record.paid.is_none() && !record.cancelled {
            self.put(unpaid, record);
        } else {
            self.batch.delete(unpaid);
            self.put(tables::paid_invoice(hash), record);
        }
    }
}
