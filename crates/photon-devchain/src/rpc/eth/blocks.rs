//! Blocks and what is in them.

use std::sync::Arc;

use alloy::{
    eips::{BlockId, BlockNumberOrTag},
    primitives::{B256, U64},
};
use serde_json::{Value, json};

use super::{
    index_of, to_json,
    views::{block_view, mined_view, receipt_view, waiting_view},
};
use crate::{
    block::Block,
    chain::{Chain, Place},
    node::Node,
    rpc::{Params, RpcError},
};

pub(super) fn dispatch(node: &Node, method: &str, params: &Params) -> Result<Value, RpcError> {
    let mut chain = node.chain();
    match method {
        "eth_getBlockByNumber" | "eth_getBlockByHash" => {
            let full = params.optional(1, "full transactions")?.unwrap_or(false);
            let block = named(&mut chain, method, params)?;
            to_json(block.map(|block| block_view(&block, full)))
        }
        "eth_getBlockTransactionCountByNumber" | "eth_getBlockTransactionCountByHash" => {
            let block = named(&mut chain, method, params)?;
            Ok(json!(block.map(|block| U64::from(block.transactions.len()))))
        }
        "eth_getTransactionByBlockNumberAndIndex" | "eth_getTransactionByBlockHashAndIndex" => {
            let index = index_of(params, 1)?;
            let block = named(&mut chain, method, params)?;
            to_json(block.and_then(|block| mined_view(&block, index)))
        }
        "eth_getBlockReceipts" => {
            let id: BlockId = params.required(0, "block")?;
            let block = block_of(&mut chain, id);
            to_json(block.map(|block| {
                let all = 0..block.transactions.len();
                all.filter_map(|index| receipt_view(&block, index)).collect::<Vec<_>>()
            }))
        }
        "eth_getTransactionByHash" => {
            let hash: B256 = params.required(0, "hash")?;
            let mined = chain.executed(hash).and_then(|(block, at, _)| mined_view(block, at));
            to_json(mined.or_else(|| chain.waiting(hash).map(waiting_view)))
        }
        "eth_getTransactionReceipt" => {
            let hash: B256 = params.required(0, "hash")?;
            to_json(chain.executed(hash).and_then(|(block, at, _)| receipt_view(block, at)))
        }
        "eth_getUncleCountByBlockNumber" | "eth_getUncleCountByBlockHash" => {
            Ok(json!(named(&mut chain, method, params)?.map(|_| "0x0")))
        }
        "eth_getUncleByBlockNumberAndIndex" | "eth_getUncleByBlockHashAndIndex" => Ok(Value::Null),
        _ => Err(RpcError::method_not_found(method)),
    }
}

/// The block that the first parameter names: a hash or a number, as the method has it.
fn named(chain: &mut Chain, method: &str, params: &Params) -> Result<Option<Arc<Block>>, RpcError> {
    let id = if method.contains("Hash") {
        BlockId::from(params.required::<B256>(0, "block hash")?)
    } else {
        BlockId::from(params.required::<BlockNumberOrTag>(0, "block number")?)
    };
    Ok(block_of(chain, id))
}

fn block_of(chain: &mut Chain, id: BlockId) -> Option<Arc<Block>> {
    match chain.place(id)? {
        Place::Mined(block) => Some(block),
        Place::Pending => Some(Arc::new(chain.pending().clone().seal().0)),
    }
}
