//! Subscriptions of one WebSocket connection.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};

use alloy::{
    primitives::U64,
    rpc::types::Filter,
    rpc::types::pubsub::{Params as Details, SubscriptionKind},
};
use serde_json::{Value, json};

use crate::{
    chain::Chain,
    events::{Cursor, Event},
    filters::logs_in,
    rpc::{RpcError, header_view, waiting_view},
};

/// The most subscriptions of one connection.
const MAX_SUBSCRIPTIONS: usize = 256;

/// What one connection has subscribed to, and how far it has been told.
#[derive(Default)]
pub(crate) struct Session(Mutex<BTreeMap<u64, Subscription>>);

struct Subscription {
    wanted: Wanted,
    cursor: Cursor,
}

enum Wanted {
    Heads,
    Logs(Box<Filter>),
    Transactions { full: bool },
}

/// The events between are forgotten: the connection was too slow.
#[derive(Debug)]
pub(crate) struct TooSlow;

impl Session {
    fn subscriptions(&self) -> MutexGuard<'_, BTreeMap<u64, Subscription>> {
        self.0.lock().expect("nothing panics while it holds the subscriptions")
    }

    /// Subscribes to what happens from now on; answers the subscription's id.
    pub(crate) fn subscribe(
        &self,
        chain: &Chain,
        kind: SubscriptionKind,
        details: Details,
    ) -> Result<String, RpcError> {
        let wanted = wanted(kind, details)?;
        let mut subscriptions = self.subscriptions();
        if subscriptions.len() >= MAX_SUBSCRIPTIONS {
            return Err(RpcError::limit_exceeded("too many subscriptions"));
        }
        let id = subscriptions.last_key_value().map_or(1, |(last, _)| last + 1);
        subscriptions.insert(id, Subscription { wanted, cursor: chain.events.end() });
        Ok(name(id))
    }

    /// False if there was no such subscription.
    pub(crate) fn unsubscribe(&self, id: &str) -> bool {
        let mut subscriptions = self.subscriptions();
        let found = subscriptions.keys().copied().find(|key| name(*key) == id);
        found.is_some_and(|key| subscriptions.remove(&key).is_some())
    }

    /// The notifications that are due, in the order of their subscriptions.
    pub(crate) fn notifications(&self, chain: &Chain) -> Result<Vec<String>, TooSlow> {
        let mut notifications = Vec::new();
        for (id, subscription) in self.subscriptions().iter_mut() {
            for event in chain.events.since(subscription.cursor).ok_or(TooSlow)? {
                let results = results(&subscription.wanted, event, chain);
                notifications.extend(results.into_iter().map(|result| notification(*id, &result)));
            }
            subscription.cursor = chain.events.end();
        }
        Ok(notifications)
    }
}

fn wanted(kind: SubscriptionKind, details: Details) -> Result<Wanted, RpcError> {
    match kind {
        SubscriptionKind::NewHeads => Ok(Wanted::Heads),
        SubscriptionKind::Logs => match details {
            Details::None => Ok(Wanted::Logs(Box::default())),
            Details::Logs(filter) => Ok(Wanted::Logs(filter)),
            Details::Bool(_) | Details::TransactionReceipts(_) => {
                Err(RpcError::invalid_params("logs are subscribed to with a filter"))
            }
        },
        SubscriptionKind::NewPendingTransactions => {
            Ok(Wanted::Transactions { full: matches!(details, Details::Bool(true)) })
        }
        SubscriptionKind::Syncing | SubscriptionKind::TransactionReceipts => {
            Err(RpcError::invalid_params(format!("no \"{kind}\" subscription in eth namespace")))
        }
    }
}

fn results(wanted: &Wanted, event: &Event, chain: &Chain) -> Vec<Value> {
    match (wanted, event) {
        (Wanted::Heads, Event::Added(block)) => vec![json!(header_view(block))],
        (Wanted::Logs(filter), event) => {
            logs_in(event, filter).into_iter().map(|log| json!(log)).collect()
        }
        (Wanted::Transactions { full: false }, Event::Pending(hash)) => vec![json!(hash)],
        (Wanted::Transactions { full: true }, Event::Pending(hash)) => {
            // With instant mining it is in a block already.
            let mined = || chain.executed(*hash).map(|(_, _, one)| &one.transaction);
            let transaction = chain.waiting(*hash).or_else(mined);
            transaction.map(|transaction| json!(waiting_view(transaction))).into_iter().collect()
        }
        (Wanted::Heads, Event::Removed(_) | Event::Pending(_))
        | (Wanted::Transactions { .. }, Event::Added(_) | Event::Removed(_)) => Vec::new(),
    }
}

fn notification(id: u64, result: &Value) -> String {
    let params = json!({ "subscription": name(id), "result": result });
    json!({ "jsonrpc": "2.0", "method": "eth_subscription", "params": params }).to_string()
}

/// Ids count up within a connection.
fn name(id: u64) -> String {
    format!("{:#x}", U64::from(id))
}
