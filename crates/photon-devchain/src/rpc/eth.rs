//! `eth_`: what every Ethereum node answers.

mod access;
mod blocks;
mod calls;
mod fees;
mod logs;
mod proofs;
mod sending;
mod views;

use alloy::{
    eips::BlockId,
    primitives::{Address, B256, U64, U256},
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Method, Params, RpcError};
use crate::{
    chain::{Chain, Place},
    config::Mining,
    node::Node,
    state::State,
};
pub(super) use sending::{Unsigned, decoded, submit};
pub(crate) use views::{header_view, waiting_view};

/// The methods, each beside what it does.
pub(super) const TABLES: [&[Method]; 8] = [
    METHODS,
    access::METHODS,
    blocks::METHODS,
    calls::METHODS,
    fees::METHODS,
    logs::METHODS,
    proofs::METHODS,
    sending::METHODS,
];

const METHODS: &[Method] = &[
    ("eth_chainId", |node, _| Ok(json!(U64::from(node.chain().rules.chain_id)))),
    ("eth_blockNumber", |node, _| Ok(json!(U64::from(node.chain().head_number())))),
    ("eth_protocolVersion", |_, _| Ok(json!("0x44"))),
    ("eth_syncing", |_, _| Ok(json!(false))),
    ("eth_mining", |node, _| Ok(json!(node.chain().mining != Mining::Manual))),
    ("eth_hashrate", |_, _| Ok(json!("0x0"))),
    ("eth_coinbase", |node, _| Ok(json!(node.chain().coinbase))),
    ("eth_getBalance", |node, params| {
        let address = params.required(0, "address")?;
        at(node, params, 1, |state| json!(state.balance_of(address)))
    }),
    ("eth_getCode", |node, params| {
        let address = params.required(0, "address")?;
        at(node, params, 1, |state| json!(state.code_of(address)))
    }),
    ("eth_getStorageAt", |node, params| {
        let (address, slot) = (params.required(0, "address")?, params.quantity(1, "slot")?);
        at(node, params, 2, |state| json!(B256::from(state.slot_of(address, slot))))
    }),
    ("eth_getTransactionCount", transaction_count),
];

/// Asks the state after the block that a parameter names; the latest if it names none.
fn at(
    node: &Node,
    params: &Params,
    index: usize,
    ask: impl FnOnce(&State) -> Value,
) -> Result<Value, RpcError> {
    let mut chain = node.chain();
    let place = place(&chain, params, index)?;
    match place {
        Place::Pending => Ok(ask(&chain.pending().state)),
        Place::Mined(block) => {
            let kept = chain.state_at(block.number()).map(ask);
            kept.ok_or_else(|| chain.state_not_kept(block.number()))
        }
    }
}

/// The block that a parameter names; the latest if it names none.
fn place(chain: &Chain, params: &Params, index: usize) -> Result<Place, RpcError> {
    let id: BlockId = params.optional(index, "block")?.unwrap_or_default();
    chain.place(id).ok_or_else(|| chain.header_not_found(id))
}

impl Chain {
    /// Why a block that is asked for is not there.
    fn header_not_found(&self, id: BlockId) -> RpcError {
        RpcError::header_not_found(id, self.head_number())
    }

    /// Why the state of a block is not there.
    fn state_not_kept(&self, number: u64) -> RpcError {
        RpcError::state_not_kept(number, self.oldest_state())
    }
}

fn transaction_count(node: &Node, params: &Params) -> Result<Value, RpcError> {
    let address: Address = params.required(0, "address")?;
    let id: BlockId = params.optional(1, "block")?.unwrap_or_default();
    if id.is_pending() {
        return Ok(json!(U64::from(node.chain().pending_nonce(address))));
    }
    at(node, params, 1, |state| json!(U64::from(state.nonce_of(address))))
}

fn to_json(answer: impl Serialize) -> Result<Value, RpcError> {
    serde_json::to_value(answer).map_err(|cause| RpcError::internal(cause.to_string()))
}

/// An index in a block, as a parameter.
fn index_of(params: &Params, index: usize) -> Result<usize, RpcError> {
    let number: U256 = params.quantity(index, "index")?;
    Ok(number.saturating_to())
}
