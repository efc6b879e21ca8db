//! `eth_`: what every Ethereum node answers.

mod blocks;
mod calls;
mod fees;
mod logs;
mod sending;
mod views;

use alloy::{
    eips::BlockId,
    primitives::{Address, U64, U256},
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Params, RpcError};
use crate::{
    chain::{Chain, Place},
    config::Mining,
    node::Node,
    state::State,
};
pub(crate) use views::{header_view, waiting_view};

pub(super) fn dispatch(node: &Node, method: &str, params: &Params) -> Result<Value, RpcError> {
    match method {
        "eth_chainId" => Ok(json!(U64::from(node.chain().rules.chain_id))),
        "eth_blockNumber" => Ok(json!(U64::from(node.chain().head_number()))),
        "eth_syncing" => Ok(json!(false)),
        "eth_mining" => Ok(json!(node.chain().mining != Mining::Manual)),
        "eth_hashrate" => Ok(json!("0x0")),
        "eth_coinbase" => Ok(json!(Address::ZERO)),
        "eth_accounts" => Ok(json!(node.accounts.addresses().collect::<Vec<_>>())),

        "eth_getBalance" => {
            let address = params.required(0, "address")?;
            at(node, params, 1, |state| json!(state.balance_of(address)))
        }
        "eth_getCode" => {
            let address = params.required(0, "address")?;
            at(node, params, 1, |state| json!(state.code_of(address)))
        }
        "eth_getStorageAt" => {
            let (address, slot) = (params.required(0, "address")?, params.quantity(1, "slot")?);
            at(node, params, 2, |state| {
                json!(alloy::primitives::B256::from(state.slot_of(address, slot)))
            })
        }
        "eth_getTransactionCount" => transaction_count(node, params),

        "eth_gasPrice" | "eth_maxPriorityFeePerGas" | "eth_blobBaseFee" | "eth_feeHistory" => {
            fees::dispatch(node, method, params)
        }

        "eth_call" => calls::call(node, params),
        "eth_estimateGas" => calls::estimate_gas(node, params),

        "eth_sendRawTransaction" => sending::send_raw(node, params),
        "eth_sendTransaction" => sending::send(node, params),
        "eth_signTransaction" => sending::sign_transaction(node, params),
        "eth_sign" => sending::sign_message(node, params, 0, 1),
        "personal_sign" => sending::sign_message(node, params, 1, 0),

        "eth_getLogs"
        | "eth_newFilter"
        | "eth_newBlockFilter"
        | "eth_newPendingTransactionFilter"
        | "eth_getFilterChanges"
        | "eth_getFilterLogs"
        | "eth_uninstallFilter" => logs::dispatch(node, method, params),

        _ => blocks::dispatch(node, method, params),
    }
}

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
            chain.state_at(block.number()).map(ask).ok_or_else(RpcError::state_not_kept)
        }
    }
}

/// The block that a parameter names; the latest if it names none.
fn place(chain: &Chain, params: &Params, index: usize) -> Result<Place, RpcError> {
    let id: BlockId = params.optional(index, "block")?.unwrap_or_default();
    chain.place(id).ok_or_else(RpcError::header_not_found)
}

fn transaction_count(node: &Node, params: &Params) -> Result<Value, RpcError> {
    let address = params.required(0, "address")?;
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
