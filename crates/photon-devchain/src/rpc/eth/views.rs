//! Blocks, transactions and receipts as JSON-RPC shows them.

use alloy::{
    consensus::{Transaction as _, TxEnvelope, transaction::Recovered},
    eips::eip4895::Withdrawals,
    primitives::U256,
    rpc::types as rpc,
};

use crate::block::{Block, Executed};

/// A header with the hash and size that go with it.
pub(crate) fn header_view(block: &Block) -> rpc::Header {
    rpc::Header::from_consensus(block.header.clone(), None, Some(U256::from(block.size)))
}

/// A block, its transactions whole or as hashes.
pub(super) fn block_view(block: &Block, full: bool) -> rpc::Block {
    let transactions = if full {
        let all = 0..block.transactions.len();
        rpc::BlockTransactions::Full(all.filter_map(|at| mined_view(block, at)).collect())
    } else {
        let hashes = block.transactions.iter().map(Executed::hash).collect();
        rpc::BlockTransactions::Hashes(hashes)
    };
    rpc::Block {
        header: header_view(block),
        uncles: Vec::new(),
        transactions,
        withdrawals: block.header.withdrawals_root.map(|_| Withdrawals::default()),
    }
}

/// A transaction in a block; none if there are not that many.
pub(super) fn mined_view(block: &Block, index: usize) -> Option<rpc::Transaction> {
    let transaction = block.transactions.get(index)?.transaction.clone();
    Some(rpc::Transaction {
        effective_gas_price: Some(transaction.effective_gas_price(block.header.base_fee_per_gas)),
        inner: transaction,
        block_hash: Some(block.hash()),
        block_number: Some(block.number()),
        transaction_index: Some(index as u64),
        block_timestamp: Some(block.header.timestamp),
    })
}

/// A transaction that waits.
pub(crate) fn waiting_view(transaction: &Recovered<TxEnvelope>) -> rpc::Transaction {
    rpc::Transaction {
        inner: transaction.clone(),
        block_hash: None,
        block_number: None,
        transaction_index: None,
        effective_gas_price: None,
        block_timestamp: None,
    }
}

/// What came of a transaction; none if there are not that many in the block.
pub(super) fn receipt_view(block: &Block, index: usize) -> Option<rpc::TransactionReceipt> {
    let executed = block.transactions.get(index)?;
    let transaction = &executed.transaction;
    let mut log_index = executed.first_log as u64;
    let inner = executed.receipt.clone().map_logs(|log| {
        log_index += 1;
        rpc::Log {
            inner: log,
            block_hash: Some(block.hash()),
            block_number: Some(block.number()),
            block_timestamp: Some(block.header.timestamp),
            transaction_hash: Some(executed.hash()),
            transaction_index: Some(index as u64),
            log_index: Some(log_index - 1),
            removed: false,
        }
    });
    Some(rpc::TransactionReceipt {
        inner,
        transaction_hash: executed.hash(),
        transaction_index: Some(index as u64),
        block_hash: Some(block.hash()),
        block_number: Some(block.number()),
        gas_used: executed.gas_used,
        effective_gas_price: transaction.effective_gas_price(block.header.base_fee_per_gas),
        blob_gas_used: None,
        blob_gas_price: None,
        from: transaction.signer(),
        to: transaction.to(),
        contract_address: executed.contract,
    })
}
