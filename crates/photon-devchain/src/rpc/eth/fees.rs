//! What gas costs and has cost.

use std::sync::Arc;

use alloy::{
    consensus::Transaction as _, eips::BlockNumberOrTag, primitives::U128, rpc::types::FeeHistory,
};
use serde_json::json;

use super::to_json;
use crate::{
    block::Block,
    chain::Chain,
    config::Hardfork,
    rpc::{Method, Params, RpcError},
};

/// The tip that is suggested, in wei per gas; before London it is the gas price.
pub(super) const SUGGESTED_TIP: u128 = 1_000_000_000;

/// The most blocks in one fee history.
const MAX_HISTORY: u64 = 1_024;

/// The most percentiles in one fee history: as many as geth takes.
const MAX_PERCENTILES: usize = 100;

pub(super) const METHODS: &[Method] = &[
    ("eth_gasPrice", |node, _| Ok(json!(U128::from(gas_price(&node.chain()))))),
    ("eth_maxPriorityFeePerGas", |node, _| {
        if node.chain().rules.has_base_fee() {
            Ok(json!(U128::from(SUGGESTED_TIP)))
        } else {
            Err(RpcError::not_on_these_rules("eth_maxPriorityFeePerGas", Hardfork::London))
        }
    }),
    ("eth_blobBaseFee", |node, _| {
        if node.chain().rules.hardfork >= Hardfork::Cancun {
            Ok(json!("0x1"))
        } else {
            Err(RpcError::not_on_these_rules("eth_blobBaseFee", Hardfork::Cancun))
        }
    }),
    ("eth_feeHistory", |node, params| history(&node.chain(), params).and_then(to_json)),
];

/// A gas price that the next block takes.
pub(super) fn gas_price(chain: &Chain) -> u128 {
    SUGGESTED_TIP + chain.next_base_fee().map_or(0, u128::from)
}

fn history(chain: &Chain, params: &Params) -> Result<FeeHistory, RpcError> {
    let count = params.number(0, "block count")?.clamp(1, MAX_HISTORY);
    let newest: BlockNumberOrTag = params.optional(1, "newest block")?.unwrap_or_default();
    let percentiles: Vec<f64> = params.optional(2, "reward percentiles")?.unwrap_or_default();
    if percentiles.len() > MAX_PERCENTILES {
        let why = format!("{} reward percentiles, at most {MAX_PERCENTILES}", percentiles.len());
        return Err(RpcError::invalid_params(why));
    }
    let ordered = percentiles.is_sorted() && percentiles.iter().all(|p| (0.0..=100.0).contains(p));
    if !ordered {
        return Err(RpcError::invalid_params("invalid reward percentile: not rising in 0..=100"));
    }
    let last = match newest {
        BlockNumberOrTag::Pending => chain.head_number(),
        BlockNumberOrTag::Latest
        | BlockNumberOrTag::Finalized
        | BlockNumberOrTag::Safe
        | BlockNumberOrTag::Earliest
        | BlockNumberOrTag::Number(_) => chain.number_of(newest),
    };
    if last > chain.head_number() {
        let why =
            format!("request beyond head block: requested {last}, head {}", chain.head_number());
        return Err(RpcError::server(why));
    }
    let first = (last + 1).saturating_sub(count);
    let blocks = chain.blocks_between(first, last);
    let base_fee = |block: &Arc<Block>| u128::from(block.header.base_fee_per_gas.unwrap_or(0));
    let after = blocks.last().and_then(|block| match chain.block_at(block.number() + 1) {
        Some(next) => next.header.base_fee_per_gas,
        None => chain.next_base_fee(),
    });
    let next = after.map_or(0, u128::from);
    Ok(FeeHistory {
        base_fee_per_gas: blocks.iter().map(base_fee).chain([next]).collect(),
        gas_used_ratio: blocks.iter().map(|block| fullness(block)).collect(),
        oldest_block: first,
        reward: (!percentiles.is_empty())
            .then(|| blocks.iter().map(|block| rewards(block, &percentiles)).collect()),
        ..FeeHistory::default()
    })
}

fn fullness(block: &Block) -> f64 {
    block.header.gas_used as f64 / block.header.gas_limit.max(1) as f64
}

/// The tips that were enough for these shares of the block's gas.
fn rewards(block: &Block, percentiles: &[f64]) -> Vec<u128> {
    let base_fee = block.header.base_fee_per_gas.unwrap_or_default();
    let mut tips: Vec<(u128, u64)> = block
        .transactions
        .iter()
        .map(|one| {
            (one.transaction.effective_tip_per_gas(base_fee).unwrap_or_default(), one.gas_used)
        })
        .collect();
    tips.sort_unstable();
    let tip_at = |percentile: &f64| {
        let wanted = block.header.gas_used as f64 * percentile / 100.0;
        let mut passed = 0.0;
        let reached = tips.iter().find(|(_, gas)| {
            passed += *gas as f64;
            passed >= wanted
        });
        reached.or_else(|| tips.last()).map_or(0, |(tip, _)| *tip)
    };
    percentiles.iter().map(tip_at).collect()
}
