//! `txpool_`: what waits.

use std::collections::BTreeMap;

use alloy::{
    consensus::{Transaction as _, TxEnvelope, transaction::Recovered},
    primitives::{Address, U64},
};
use serde_json::{Value, json};

use super::{Method, waiting_view};
use crate::chain::Chain;

pub(super) const METHODS: &[Method] = &[
    ("txpool_status", |node, _| {
        let chain = node.chain();
        let ready = ready(&chain).len();
        let queued = chain.pool.len() - ready;
        Ok(json!({ "pending": U64::from(ready), "queued": U64::from(queued) }))
    }),
    ("txpool_content", |node, _| Ok(content(&node.chain(), |one| json!(waiting_view(one))))),
    ("txpool_inspect", |node, _| Ok(content(&node.chain(), |one| json!(summary(one))))),
];

fn ready(chain: &Chain) -> Vec<alloy::primitives::B256> {
    let base_fee = chain.next_base_fee().unwrap_or_default();
    let ready = chain.pool.ready(chain.head_state(), base_fee);
    ready.iter().map(|transaction| *transaction.tx_hash()).collect()
}

/// By sender and nonce: those that the next block could take, and those that it could not.
fn content(chain: &Chain, shown: impl Fn(&Recovered<TxEnvelope>) -> Value) -> Value {
    type BySender = BTreeMap<Address, BTreeMap<String, Value>>;
    let ready: std::collections::HashSet<_> = ready(chain).into_iter().collect();
    let (mut pending, mut queued) = (BySender::new(), BySender::new());
    for transaction in chain.pool.iter() {
        let is_ready = ready.contains(transaction.tx_hash());
        let place = if is_ready { &mut pending } else { &mut queued };
        let of_sender = place.entry(transaction.signer()).or_default();
        of_sender.insert(transaction.nonce().to_string(), shown(transaction));
    }
    json!({ "pending": pending, "queued": queued })
}

/// In geth's words, which tools take apart.
fn summary(transaction: &Recovered<TxEnvelope>) -> String {
    let to = transaction.to().map_or_else(|| "contract creation".to_owned(), |to| to.to_string());
    format!(
        "{to}: {} wei + {} gas × {} wei",
        transaction.value(),
        transaction.gas_limit(),
        transaction.max_fee_per_gas()
    )
}
