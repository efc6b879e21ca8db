//! What only a development chain does: `evm_`, and `anvil_` with its alias `hardhat_`.

use std::time::Duration;

use alloy::primitives::{Address, B256, Bytes, U64, U256};
use serde_json::{Value, json};

use super::{Method, Params, RpcError, eth::decoded};
use crate::{chain::Chain, config::Mining, node::Node};

/// The most blocks made by one request.
const MAX_BLOCKS: u64 = 100_000;

/// The most gas that a block can be given.
const MAX_BLOCK_GAS: u64 = 1_000_000_000;

pub(super) const METHODS: &[Method] = &[
    ("evm_mine", mine_one),
    ("anvil_mine", mine_many),
    ("hardhat_mine", mine_many),
    ("evm_snapshot", snapshot),
    ("anvil_snapshot", snapshot),
    ("evm_revert", revert),
    ("anvil_revert", revert),
    ("anvil_reorg", reorg),
    ("anvil_rollback", rollback),
    ("anvil_dumpState", dump_state),
    ("anvil_loadState", load_state),
    ("evm_increaseTime", increase_time),
    ("anvil_increaseTime", increase_time),
    ("evm_setTime", set_time),
    ("anvil_setTime", set_time),
    ("evm_setNextBlockTimestamp", set_next_timestamp),
    ("anvil_setNextBlockTimestamp", set_next_timestamp),
    ("anvil_setBlockTimestampInterval", |node, params| {
        let seconds = params.number(0, "seconds")?;
        node.chain().set_block_interval(Some(seconds));
        Ok(Value::Null)
    }),
    ("anvil_removeBlockTimestampInterval", |node, _| {
        Ok(json!(node.chain().set_block_interval(None)))
    }),
    ("evm_setAutomine", set_automine),
    ("anvil_setAutomine", set_automine),
    ("anvil_getAutomine", automine),
    ("hardhat_getAutomine", automine),
    ("evm_setIntervalMining", set_interval),
    ("anvil_setIntervalMining", set_interval),
    ("anvil_getIntervalMining", |node, _| match node.chain().mining {
        Mining::Interval(interval) => Ok(json!(interval.as_secs())),
        Mining::Instant | Mining::Manual => Ok(Value::Null),
    }),
    ("evm_setBlockGasLimit", set_block_gas_limit),
    ("anvil_setBlockGasLimit", set_block_gas_limit),
    ("anvil_setNextBlockBaseFeePerGas", set_next_base_fee),
    ("hardhat_setNextBlockBaseFeePerGas", set_next_base_fee),
    ("anvil_setCoinbase", set_coinbase),
    ("hardhat_setCoinbase", set_coinbase),
    ("anvil_dropTransaction", drop_transaction),
    ("hardhat_dropTransaction", drop_transaction),
    ("anvil_dropAllTransactions", |node, _| {
        node.chain().pool.clear();
        Ok(Value::Null)
    }),
    ("anvil_impersonateAccount", impersonate),
    ("hardhat_impersonateAccount", impersonate),
    ("anvil_stopImpersonatingAccount", stop_impersonating),
    ("hardhat_stopImpersonatingAccount", stop_impersonating),
    ("anvil_autoImpersonateAccount", |node, params| {
        node.chain().impersonates_all = params.required(0, "on")?;
        Ok(Value::Null)
    }),
    ("anvil_setBalance", set_balance),
    ("hardhat_setBalance", set_balance),
    ("anvil_addBalance", |node, params| {
        let (address, more) = (params.required(0, "address")?, params.quantity(1, "balance")?);
        let mut chain = node.chain();
        let balance = chain.head_state().balance_of(address).saturating_add(more);
        chain.set_balance(address, balance);
        Ok(Value::Null)
    }),
    ("anvil_setNonce", set_nonce),
    ("hardhat_setNonce", set_nonce),
    ("anvil_setCode", set_code),
    ("hardhat_setCode", set_code),
    ("anvil_setStorageAt", set_storage),
    ("hardhat_setStorageAt", set_storage),
];

/// Takes nothing, a timestamp, or an object with a timestamp and a number of blocks.
fn mine_one(node: &Node, params: &Params) -> Result<Value, RpcError> {
    let (timestamp, blocks) = if params.is_object(0) {
        (params.field(0, "timestamp")?, params.field(0, "blocks")?)
    } else {
        (params.optional_quantity(0, "timestamp")?, None)
    };
    let mut chain = node.chain();
    let blocks = blocks.unwrap_or(U256::ONE).saturating_to();
    check_blocks(blocks)?;
    if let Some(timestamp) = timestamp {
        chain.set_next_timestamp(timestamp.saturating_to())?;
    }
    mine(&mut chain, blocks, None)?;
    Ok(json!("0x0"))
}

/// `(blocks, interval)`: with an interval the blocks are that many seconds apart.
fn mine_many(node: &Node, params: &Params) -> Result<Value, RpcError> {
    let blocks = params.optional_number(0, "blocks")?.unwrap_or(1);
    let interval = params.optional_number(1, "interval")?;
    mine(&mut node.chain(), blocks, interval)?;
    Ok(Value::Null)
}

fn check_blocks(blocks: u64) -> Result<(), RpcError> {
    if blocks > MAX_BLOCKS {
        let why = format!("invalid argument 0 (blocks): {blocks} blocks, at most {MAX_BLOCKS}");
        return Err(RpcError::invalid_params(why));
    }
    Ok(())
}

fn mine(chain: &mut Chain, blocks: u64, interval: Option<u64>) -> Result<(), RpcError> {
    check_blocks(blocks)?;
    for index in 0..blocks {
        if let Some(interval) = interval.filter(|_| index > 0) {
            let next = chain.head().header.timestamp.saturating_add(interval.max(1));
            chain.set_next_timestamp(next)?;
        }
        chain.mine();
    }
    Ok(())
}

fn snapshot(node: &Node, _: &Params) -> Result<Value, RpcError> {
    Ok(json!(U64::from(node.chain().snapshot())))
}

fn revert(node: &Node, params: &Params) -> Result<Value, RpcError> {
    Ok(json!(node.chain().revert(params.number(0, "snapshot id")?)))
}

/// `(depth, [[transaction, block], …])`, or one object with `depth` and `txBlockPairs`; a
/// transaction is a raw one, and its block is counted from the first new one.
fn reorg(node: &Node, params: &Params) -> Result<Value, RpcError> {
    let (depth, pairs) = if params.is_object(0) {
        (params.field(0, "depth")?, params.part(0, "txBlockPairs")?)
    } else {
        (Some(params.quantity(0, "depth")?), params.optional(1, "transactions and blocks")?)
    };
    let depth = depth.ok_or_else(|| RpcError::missing(0, "depth"))?.saturating_to();
    let pairs: Vec<(Bytes, u64)> = pairs.unwrap_or_default();
    let transactions = pairs
        .into_iter()
        .map(|(raw, block)| Ok((decoded(&raw)?, block)))
        .collect::<Result<Vec<_>, RpcError>>()?;
    node.chain().reorg(depth, transactions)?;
    Ok(Value::Null)
}

fn rollback(node: &Node, params: &Params) -> Result<Value, RpcError> {
    node.chain().rollback(params.optional_number(0, "depth")?.unwrap_or(1))?;
    Ok(Value::Null)
}

/// What `--state` would write, as hex.
fn dump_state(node: &Node, _: &Params) -> Result<Value, RpcError> {
    let saved = node.chain().saved();
    Ok(json!(Bytes::from(saved.to_bytes())))
}

fn load_state(node: &Node, params: &Params) -> Result<Value, RpcError> {
    let bytes: Bytes = params.required(0, "state")?;
    let refused = |why| RpcError::invalid_params(format!("invalid argument 0 (state): {why}"));
    node.chain().load(&bytes).map_err(refused)?;
    Ok(json!(true))
}

fn increase_time(node: &Node, params: &Params) -> Result<Value, RpcError> {
    Ok(json!(node.chain().increase_time(params.number(0, "seconds")?)))
}

/// Seconds since 1970; answers by how much the clock is ahead of the wall's now.
fn set_time(node: &Node, params: &Params) -> Result<Value, RpcError> {
    Ok(json!(node.chain().set_time(params.number(0, "timestamp")?)?))
}

fn set_next_timestamp(node: &Node, params: &Params) -> Result<Value, RpcError> {
    node.chain().set_next_timestamp(params.number(0, "timestamp")?)?;
    Ok(Value::Null)
}

fn set_automine(node: &Node, params: &Params) -> Result<Value, RpcError> {
    let on = params.required(0, "on")?;
    node.set_mining(if on { Mining::Instant } else { Mining::Manual });
    Ok(json!(true))
}

fn automine(node: &Node, _: &Params) -> Result<Value, RpcError> {
    Ok(json!(node.chain().mining == Mining::Instant))
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

fn set_block_gas_limit(node: &Node, params: &Params) -> Result<Value, RpcError> {
    let gas = params.number(0, "gas limit")?;
    if gas == 0 || gas > MAX_BLOCK_GAS {
        let why = format!("invalid argument 0 (gas limit): {gas} is not in 1..={MAX_BLOCK_GAS}");
        return Err(RpcError::invalid_params(why));
    }
    node.chain().set_block_gas_limit(gas);
    Ok(json!(true))
}

fn set_next_base_fee(node: &Node, params: &Params) -> Result<Value, RpcError> {
    let fee = params.number(0, "base fee")?;
    let mut chain = node.chain();
    if !chain.rules.has_base_fee() {
        return Err(RpcError::server("these rules have no base fee: it begins with london"));
    }
    chain.set_next_base_fee(fee);
    Ok(Value::Null)
}

fn set_coinbase(node: &Node, params: &Params) -> Result<Value, RpcError> {
    node.chain().set_coinbase(params.required(0, "address")?);
    Ok(Value::Null)
}

fn drop_transaction(node: &Node, params: &Params) -> Result<Value, RpcError> {
    let hash: B256 = params.required(0, "hash")?;
    Ok(json!(node.chain().pool.remove(hash).then_some(hash)))
}

fn impersonate(node: &Node, params: &Params) -> Result<Value, RpcError> {
    let address: Address = params.required(0, "address")?;
    if !node.chain().impersonate(address) {
        return Err(RpcError::limit_exceeded("too many impersonated accounts: stop some"));
    }
    Ok(Value::Null)
}

fn stop_impersonating(node: &Node, params: &Params) -> Result<Value, RpcError> {
    node.chain().stop_impersonating(params.required(0, "address")?);
    Ok(Value::Null)
}

fn set_balance(node: &Node, params: &Params) -> Result<Value, RpcError> {
    let (address, balance) = (params.required(0, "address")?, params.quantity(1, "balance")?);
    node.chain().set_balance(address, balance);
    Ok(Value::Null)
}

fn set_nonce(node: &Node, params: &Params) -> Result<Value, RpcError> {
    let (address, nonce) = (params.required(0, "address")?, params.number(1, "nonce")?);
    node.chain().set_nonce(address, nonce);
    Ok(Value::Null)
}

fn set_code(node: &Node, params: &Params) -> Result<Value, RpcError> {
    let code: Bytes = params.required(1, "code")?;
    node.chain().set_code(params.required(0, "address")?, code);
    Ok(Value::Null)
}

fn set_storage(node: &Node, params: &Params) -> Result<Value, RpcError> {
    let (address, slot) = (params.required(0, "address")?, params.quantity(1, "slot")?);
    let value: B256 = params.required(2, "value")?;
    node.chain().set_slot(address, slot, value.into());
    Ok(Value::Null)
}
