//! Who waits for the end of what.

use crate::handle::{Spent, Transaction, TransactionState};
use photon_core::{Intent, IntentId};
use photon_wire::contract::{Call, Way};
use photon_wire::{B256, ChannelKey, PaymentId};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use tokio::sync::{oneshot, watch};

/// Transactions that are remembered since the start.
const REMEMBERED: usize = 1_024;

/// Calls that wait for the end of payments.
#[derive(Default)]
pub(crate) struct Payments(Mutex<HashMap<PaymentId, Vec<oneshot::Sender<()>>>>);

impl Payments {
    /// Completes when this payment is over; ask before the payment is made, then look how it
    /// stands, then wait.
    pub(crate) fn end_of(&self, payment: PaymentId) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = lock(&self.0);
        let senders = waiting.entry(payment).or_default();
        senders.retain(|sender| !sender.is_closed());
        senders.push(sender);
        receiver
    }

    /// Nobody waits with this receiver any more.
    pub(crate) fn forget(&self, payment: PaymentId) {
        let mut waiting = lock(&self.0);
        if let Some(senders) = waiting.get_mut(&payment) {
            senders.retain(|sender| !sender.is_closed());
            if senders.is_empty() {
                waiting.remove(&payment);
            }
        }
    }

    /// The payment is over, durably.
    pub(crate) fn over(&self, payment: PaymentId) {
        for sender in lock(&self.0).remove(&payment).unwrap_or_default() {
            // Whoever waited may have gone.
            let _ = sender.send(());
        }
    }
}

/// How far our transactions are.
pub(crate) struct Transactions {
    table: Mutex<BTreeMap<IntentId, Transaction>>,
    changed: watch::Sender<u64>,
}

impl Default for Transactions {
    fn default() -> Self {
        Self { table: Mutex::default(), changed: watch::Sender::new(0) }
    }
}

impl Transactions {
    /// The core wants this one.
    pub(crate) fn begin(&self, intent: &Intent) {
        let (kind, channel) = describe(&intent.call);
        let (id, state) = (intent.id, TransactionState::Sending);
        let way = way_of(&intent.call);
        let changed = SystemTime::now();
        let transaction = Transaction { id, kind, channel, way, state, changed };
        let mut table = lock(&self.table);
        table.insert(id, transaction);
        while table.len() > REMEMBERED {
            table.pop_first();
        }
    }

    /// It is done, by the transaction of this hash or by somebody else's.
    pub(crate) fn done(&self, id: IntentId, hash: Option<B256>, spent: Option<Spent>) {
        self.change(id, TransactionState::Done { hash, spent });
    }

    /// It cannot be done.
    pub(crate) fn failed(&self, id: IntentId, reason: String) {
        self.change(id, TransactionState::Failed { reason });
    }

    fn change(&self, id: IntentId, state: TransactionState) {
        if let Some(transaction) = lock(&self.table).get_mut(&id) {
            transaction.state = state;
            transaction.changed = SystemTime::now();
        }
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// One of them.
    pub(crate) fn of(&self, id: IntentId) -> Option<Transaction> {
        lock(&self.table).get(&id).cloned()
    }

    /// Newest first.
    pub(crate) fn latest(&self) -> Vec<Transaction> {
        lock(&self.table).values().rev().cloned().collect()
    }

    /// Waits until nothing more comes of this one; none where it is unknown.
    pub(crate) async fn end_of(&self, id: IntentId) -> Option<Transaction> {
        let mut changed = self.changed.subscribe();
        loop {
            let transaction = self.of(id)?;
            if transaction.is_over() || changed.changed().await.is_err() {
                return Some(transaction);
            }
        }
    }
}

/// How a call brings tokens of ours in, where that is decided.
fn way_of(call: &Call) -> Option<Way> {
    if let Call::Open { way, .. } | Call::Deposit { way, .. } = call { *way } else { None }
}

/// The word for a call, and its channel where the call names it whole.
fn describe(call: &Call) -> (&'static str, Option<photon_wire::ChannelId>) {
    let of = |key: &ChannelKey| Some(key.id());
    match call {
        Call::Open { .. } => ("open", None),
        Call::Deposit { key, .. } => ("deposit", of(key)),
        Call::Close { .. } => ("close", None),
        Call::Update { .. } => ("update", None),
        Call::Unlock { .. } => ("unlock", None),
        Call::RegisterSecrets(_) => ("register_secrets", None),
        Call::Settle { key, .. } => ("settle", of(key)),
        Call::Withdraw { key, .. } => ("withdraw", of(key)),
        Call::CooperativeSettle { key, .. } => ("cooperative_settle", of(key)),
        Call::Punish { .. } => ("punish", None),
        Call::SettleMany { .. } => ("settle_many", None),
        Call::OpenAuthorized { .. } => ("open_authorized", None),
        Call::DepositAuthorized { authorization, .. } => {
            ("deposit_authorized", of(&authorization.key))
        }
        Call::CancelAuthorization { .. } => ("cancel_authorization", None),
        Call::ClaimCredit { .. } => ("claim_credit", None),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
