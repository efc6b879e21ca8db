//! Blocks and what is in them.

use std::sync::Arc;

use alloy::{
    eips::{BlockId, BlockNumberOrTag, eip2718::Encodable2718 as _},
    primitives::{B256, Bytes, U64},
};
use serde_json::{Value, json};

use super::{
    index_of, to_json,
    views::{block_view, header_view, mined_view, receipt_view, waiting_view},
};
use crate::{
    block::Block,
    chain::{Chain, Place},
    node::Node,
    rpc::{Method, Params, RpcError},
};

pub(super) const METHODS: &[Method] = &[
    ("eth_getBlockByNumber", |node, params| block(by_number(node, params)?, params)),
    ("eth_getBlockByHash", |node, params| block(by_hash(node, params)?, params)),
    ("eth_getHeaderByNumber", |node, params| header(by_number(node, params)?)),
    ("eth_getHeaderByHash", |node, params| header(by_hash(node, params)?)),
    ("eth_getBlockTransactionCountByNumber", |node, params| count(by_number(node, params)?)),
    ("eth_getBlockTransactionCountByHash", |node, params| count(by_hash(node, params)?)),
    ("eth_getTransactionByBlockNumberAndIndex", |node, params| {
        transaction_of(by_number(node, params)?, params)
    }),
    ("eth_getTransactionByBlockHashAndIndex", |node, params| {
        transaction_of(by_hash(node, params)?, params)
    }),
    ("eth_getUncleCountByBlockNumber", |node, params| uncles(by_number(node, params)?)),
    ("eth_getUncleCountByBlockHash", |node, params| uncles(by_hash(node, params)?)),
    ("eth_getUncleByBlockNumberAndIndex", |_, _| Ok(Value::Null)),
    ("eth_getUncleByBlockHashAndIndex", |_, _| Ok(Value::Null)),
    ("eth_getBlockReceipts", block_receipts),
    ("eth_getTransactionByHash", |node, params| {
        let hash: B256 = params.required(0, "hash")?;
        let chain = node.chain();
        let mined = chain.executed(hash).and_then(|(block, at, _)| mined_view(block, at));
        to_json(mined.or_else(|| chain.waiting(hash).map(waiting_view)))
    }),
    ("eth_getRawTransactionByHash", |node, params| {
        let hash: B256 = params.required(0, "hash")?;
        let chain = node.chain();
        let mined = || chain.executed(hash).map(|(_, _, executed)| &executed.transaction);
        let found = chain.waiting(hash).or_else(mined);
        Ok(json!(found.map(|transaction| Bytes::from(transaction.encoded_2718()))))
    }),
    ("eth_getTransactionReceipt", |node, params| {
        let hash: B256 = params.required(0, "hash")?;
        to_json(node.chain().executed(hash).and_then(|(block, at, _)| receipt_view(block, at)))
    }),
];

fn by_number(node: &Node, params: &Params) -> Result<Option<Arc<Block>>, RpcError> {
    let tag: BlockNumberOrTag = params.required(0, "block number")?;
    Ok(block_of(&mut node.chain(), tag.into()))
}

fn by_hash(node: &Node, params: &Params) -> Result<Option<Arc<Block>>, RpcError> {
    let hash: B256 = params.required(0, "block hash")?;
    Ok(block_of(&mut node.chain(), hash.into()))
}

fn block_of(chain: &mut Chain, id: BlockId) -> Option<Arc<Block>> {
    match chain.place(id)? {
        Place::Mined(block) => Some(block),
        Place::Pending => Some(Arc::new(chain.pending().clone().seal().0)),
    }
}

fn block(block: Option<Arc<Block>>, params: &Params) -> Result<Value, RpcError> {
    let full = params.optional(1, "full transactions")?.unwrap_or(false);
    to_json(block.map(|block| block_view(&block, full)))
}

fn header(block: Option<Arc<Block>>) -> Result<Value, RpcError> {
    to_json(block.map(|block| header_view(&block)))
}

fn count(block: Option<Arc<Block>>) -> Result<Value, RpcError> {
    Ok(json!(block.map(|block| U64::from(block.transactions.len()))))
}

fn uncles(block: Option<Arc<Block>>) -> Result<Value, RpcError> {
    Ok(json!(block.map(|_| "0x0")))
}

fn transaction_of(block: Option<Arc<Block>>, params: &Params) -> Result<Value, RpcError> {
    let index = index_of(params, 1)?;
    to_json(block.and_then(|block| mined_view(&block, index)))
}

fn block_receipts(node: &Node, params: &Params) -> Result<Value, RpcError> {
    let id: BlockId = params.required(0, "block")?;
    let block = block_of(&mut node.chain(), id);
    to_json(block.map(|block| {
        let all = 0..block.transactions.len();
        all.filter_map(|index| receipt_view(&block, index)).collect::<Vec<_>>()
    }))
}
