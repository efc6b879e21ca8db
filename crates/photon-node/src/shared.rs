//! What the handle, the pump and the tasks of one node share.

use crate::config::Config;
use crate::events::Events;
use crate::gasless::Gasless;
use crate::handle::{Totals, Transaction, TransactionState};
use crate::keys::Keys;
use crate::sealing::Sealer;
use crate::session::Partners;
use crate::waiting::{Payments, Transactions};
use photon_chain::{Endpoint, Network, Wallet};
use photon_engine::History;
use photon_net::Net;
use photon_wire::claim::Domain;
use photon_wire::record::NodeRecord;
use photon_wire::{Address, Amount, Seconds};
use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Everything that is not the pump's alone.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) network: Network,
    pub(crate) domain: Domain,
    pub(crate) keys: Arc<Keys>,
    pub(crate) net: Net,
    pub(crate) endpoint: Endpoint,
    /// Other endpoints of the same chain.
    pub(crate) witnesses: Vec<Endpoint>,
    /// Why the chain cannot be relied on, where it cannot.
    pub(crate) chain_trouble: Mutex<Option<String>>,
    /// Of our account; there is no other, because it counts the nonces.
    pub(crate) wallet: OnceLock<Wallet>,
    /// What we signed for somebody's relay.
    pub(crate) gasless: Gasless,
    pub(crate) history: History,
    pub(crate) events: Events,
    pub(crate) payments: Payments,
    pub(crate) transactions: Transactions,
    pub(crate) sealer: Sealer,
    pub(crate) totals: Arc<Totals>,
    pub(crate) partners: Arc<Partners>,
    /// Accounts that the owner asked for over the handle or by configuration.
    pub(crate) wanted: Mutex<HashSet<Address>>,
    pub(crate) partners_changed: Notify,
    pub(crate) started: SystemTime,
    pub(crate) stop: CancellationToken,
    /// Cancelled once the chain has said that it is the right one: nothing is sent to another.
    pub(crate) chain_verified: CancellationToken,
    pub(crate) channels: AtomicUsize,
    pub(crate) open_channels: AtomicUsize,
    pub(crate) record: Mutex<Option<NodeRecord>>,
    pub(crate) failure: Mutex<Option<String>>,
}

impl Shared {
    /// The most that mediators may take of a payment whose request does not say.
    pub(crate) fn usual_max_fee(&self, amount: Amount) -> Amount {
        let payments = &self.config.payments;
        let parts = amount.parts_per_million(payments.max_fee_parts_per_million);
        payments.max_fee_base.0.saturating_add(parts.unwrap_or(Amount::MAX_DEPOSIT))
    }

    /// The shortest and the longest settle timeout of a channel that this node opens.
    pub(crate) fn settle_timeouts(&self) -> (Seconds, Seconds) {
        let parameters = &self.network.parameters;
        let safe = self.config.timing().least_settle_timeout();
        let least = Seconds(safe.0.max(parameters.least_settle_timeout.0));
        (least, parameters.greatest_settle_timeout)
    }

    pub(crate) fn own_record(&self) -> Option<NodeRecord> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_own_record(&self, record: NodeRecord) {
        *self.record.lock().unwrap_or_else(PoisonError::into_inner) = Some(record);
    }

    pub(crate) fn note_channels(&self, all: usize, open: usize) {
        self.channels.store(all, Ordering::Relaxed);
        self.open_channels.store(open, Ordering::Relaxed);
    }

    /// Why the chain cannot be relied on, where it cannot.
    pub(crate) fn chain_trouble(&self) -> Option<String> {
        self.chain_trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_chain_trouble(&self, reason: Option<String>) {
        *self.chain_trouble.lock().unwrap_or_else(PoisonError::into_inner) = reason;
    }

    /// Why the node had to stop, if it had to.
    pub(crate) fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn fail(&self, reason: String) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
    }
}

impl Transaction {
    /// Whether nothing more comes of it.
    pub fn is_over(&self) -> bool {
        !matches!(self.state, TransactionState::Sending)
    }
}
