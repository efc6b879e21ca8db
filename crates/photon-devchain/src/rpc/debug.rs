//! What only a development chain does: `evm_`, `anvil_` with its alias `hardhat_`, and `txpool_`.

use std::time::Duration;

use alloy::primitives::{Address, B256, Bytes, U64, U256};
use serde_json::{Value, json};

use super::{Params, RpcError};
use crate::{chain::Chain, config::Mining, node::Node};

/// The most blocks made by one request.
const MAX_BLOCKS: u64 = 100_000;

pub(super) fn dispatch(node: &Node, method: &str, params: &Params) -> Result<Value, RpcError> {
    match method {
        "evm_mine" => mine_one(node, params),
        "anvil_mine" | "hardhat_mine" => mine_many(node, params),
        "evm_snapshot" | "anvil_snapshot" => Ok(json!(U64::from(node.chain().snapshot()))),
        "evm_revert" | "anvil_revert" => {
            Ok(json!(node.chain().revert(params.number(0, "snapshot id")?)))
        }
        "evm_increaseTime" | "anvil_increaseTime" => {
            Ok(json!(node.chain().increase_time(params.number(0, "seconds")?)))
        }
        "evm_setNextBlockTimestamp" | "anvil_setNextBlockTimestamp" => {
            node.chain().set_next_timestamp(params.number(0, "timestamp")?)?;
            Ok(Value::Null)
        }
        "evm_setAutomine" | "anvil_setAutomine" => {
            let on = params.required(0, "on")?;
            node.set_mining(if on { Mining::Instant } else { Mining::Manual });
            Ok(json!(true))
        }
        "anvil_getAutomine" | "hardhat_getAutomine" => {
            Ok(json!(node.chain().mining == Mining::Instant))
        }
        "evm_setIntervalMining" | "anvil_setIntervalMining" => set_interval(node, params),
        "anvil_reorg" => reorg(node, params),
        "anvil_dropTransaction" | "hardhat_dropTransaction" => {
            let hash: B256 = params.required(0, "hash")?;
            Ok(json!(node.chain().pool.remove(hash).then_some(hash)))
        }
        "anvil_dropAllTransactions" => {
            node.chain().pool.clear();
            Ok(Value::Null)
        }
        "txpool_status" => {
            let (pending, queued) = waiting(&node.chain());
            Ok(json!({ "pending": U64::from(pending), "queued": U64::from(queued) }))
        }
        _ => set_account(node, method, params),
    }
}

/// `evm_mine` takes nothing, a timestamp, or an object with a timestamp and a number of blocks.
fn mine_one(node: &Node, params: &Params) -> Result<Value, RpcError> {
    let mut chain = node.chain();
    let object = params.field(0, "blocks").or_else(|| params.field(0, "timestamp")).is_some();
    let timestamp = if object {
        params.field(0, "timestamp")
    } else {
        params.optional_quantity(0, "timestamp")?
    };
    if let Some(timestamp) = timestamp {
        chain.set_next_timestamp(timestamp.saturating_to())?;
    }
    let blocks = params.field(0, "blocks").unwrap_or(U256::ONE);
    mine(&mut chain, blocks.saturating_to(), None)?;
    Ok(json!("0x0"))
}

/// `anvil_mine(blocks, interval)`: with an interval the blocks are that many seconds apart.
fn mine_many(node: &Node, params: &Params) -> Result<Value, RpcError> {
    let blocks = params.optional_number(0, "blocks")?.unwrap_or(1);
    let interval = params.optional_number(1, "interval")?;
    mine(&mut node.chain(), blocks, interval)?;
    Ok(Value::Null)
}

fn mine(chain: &mut Chain, blocks: u64, interval: Option<u64>) -> Result<(), RpcError> {
    if blocks > MAX_BLOCKS {
        return Err(RpcError::invalid_params(format!("{blocks} blocks, at most {MAX_BLOCKS}")));
    }
    for index in 0..blocks {
        if let Some(interval) = interval.filter(|_| index > 0) {
            let next = chain.head().header.timestamp.saturating_add(interval.max(1));
            chain.set_next_timestamp(next)?;
        }
        chain.mine();
    }
    Ok(())
}

/// Seconds, as anvil has it; 0 ends it.
fn set_interval(node: &Node, params: &Params) -> Result<Value, RpcError> {
    let seconds = params.number(0, "seconds")?;
    node.set_mining(match seconds {
        0 => Mining::Manual,
        seconds => Mining::Interval(Duration::from_secs(seconds)),
    });
    Ok(Value::Null)
}

/// A depth, or anvil's object with one; transactions for the new blocks are not taken.
fn reorg(node: &Node, params: &Params) -> Result<Value, RpcError> {
    let depth = match params.field(0, "depth") {
        Some(depth) => depth.saturating_to(),
        None => params.number(0, "depth")?,
    };
    node.chain().reorg(depth)?;
    Ok(Value::Null)
}

fn waiting(chain: &Chain) -> (u64, u64) {
    let base_fee = chain.next_base_fee().unwrap_or_default();
    let ready = chain.pool.ready(chain.head_state(), base_fee).len() as u64;
    (ready, chain.pool.len() as u64 - ready)
}

fn set_account(node: &Node, method: &str, params: &Params) -> Result<Value, RpcError> {
    let name = method.split_once('_').map_or("", |(_, name)| name);
    let known = ["setBalance", "setNonce", "setCode", "setStorageAt"].contains(&name);
    if !known || method.starts_with("evm_") || method.starts_with("txpool_") {
        return Err(RpcError::method_not_found(method));
    }
    let address: Address = params.required(0, "address")?;
    let mut chain = node.chain();
    match name {
        "setBalance" => chain.set_balance(address, params.quantity(1, "balance")?),
        "setNonce" => chain.set_nonce(address, params.number(1, "nonce")?),
        "setCode" => chain.set_code(address, params.required::<Bytes>(1, "code")?),
        _ => {
            let value: B256 = params.required(2, "value")?;
            chain.set_slot(address, params.quantity(1, "slot")?, value.into());
        }
    }
    Ok(Value::Null)
}
