//! Logs, and filters to poll.

use alloy::{
    eips::BlockNumberOrTag,
    primitives::U64,
    rpc::types::{Filter, FilterBlockOption, Log},
};
use serde_json::{Value, json};

use super::to_json;
use crate::{
    chain::Chain,
    filters::{Changes, Wanted},
    node::Node,
    rpc::{Method, RpcError},
};

/// The most logs in one answer.
const MAX_LOGS: usize = 100_000;

pub(super) const METHODS: &[Method] = &[
    ("eth_getLogs", |node, params| {
        let filter: Filter = params.required(0, "filter")?;
        to_json(logs(&node.chain(), &filter)?)
    }),
    ("eth_newFilter", |node, params| {
        let filter: Filter = params.required(0, "filter")?;
        add(node, Wanted::Logs(Box::new(filter)))
    }),
    ("eth_newBlockFilter", |node, _| add(node, Wanted::Blocks)),
    ("eth_newPendingTransactionFilter", |node, _| add(node, Wanted::Transactions)),
    ("eth_getFilterChanges", |node, params| {
        let id = params.number(0, "filter id")?;
        let chain = node.chain();
        match node.filters().changes(id, &chain).ok_or_else(filter_not_found)? {
            Changes::Logs(logs) => to_json(logs),
            Changes::Hashes(hashes) => to_json(hashes),
        }
    }),
    ("eth_getFilterLogs", |node, params| {
        let id = params.number(0, "filter id")?;
        let chain = node.chain();
        let filter = node.filters().log_filter(id).ok_or_else(filter_not_found)?;
        to_json(logs(&chain, &filter)?)
    }),
    ("eth_uninstallFilter", |node, params| {
        Ok(json!(node.filters().remove(params.number(0, "filter id")?)))
    }),
];

fn add(node: &Node, wanted: Wanted) -> Result<Value, RpcError> {
    let chain = node.chain();
    let id = node.filters().add(wanted, &chain);
    id.map(|id| json!(U64::from(id)))
        .ok_or_else(|| RpcError::limit_exceeded("too many filters: uninstall some"))
}

fn filter_not_found() -> RpcError {
    RpcError::server("filter not found")
}

fn logs(chain: &Chain, filter: &Filter) -> Result<Vec<Log>, RpcError> {
    let blocks = match filter.block_option {
        FilterBlockOption::AtBlockHash(hash) => {
            let block =
                chain.block_with_hash(hash).ok_or_else(|| RpcError::server("unknown block"))?;
            std::slice::from_ref(block)
        }
        FilterBlockOption::Range { from_block, to_block } => {
            let number = |tag: Option<BlockNumberOrTag>| chain.number_of(tag.unwrap_or_default());
            let (first, last) = (number(from_block), number(to_block));
            if first > last {
                return Err(RpcError::invalid_params("invalid block range params"));
            }
            chain.blocks_between(first, last)
        }
    };
    // Tags in the range were resolved above; without it the filter asks for address and topics.
    let filter = Filter { block_option: FilterBlockOption::default(), ..filter.clone() };
    let mut logs = Vec::new();
    for block in blocks {
        logs.extend(block.logs(&filter, false));
        if logs.len() > MAX_LOGS {
            return Err(RpcError::limit_exceeded(format!(
                "query returns more than {MAX_LOGS} logs"
            )));
        }
    }
    Ok(logs)
}
