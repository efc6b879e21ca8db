//! A block that was made, with all that came of its transactions.

use alloy::{
    consensus::{Header, ReceiptEnvelope, Sealed, TxEnvelope, transaction::Recovered},
    eips::BlockNumHash,
    primitives::{Address, B256},
    rpc::types::{Filter, Log},
};

/// A sealed block; it never changes.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) header: Sealed<Header>,
    pub(crate) transactions: Vec<Executed>,
    /// The length of its encoding, in bytes.
    pub(crate) size: usize,
}

/// A transaction in a block and its receipt.
#[derive(Clone, Debug)]
pub(crate) struct Executed {
    pub(crate) transaction: Recovered<TxEnvelope>,
    pub(crate) receipt: ReceiptEnvelope,
    pub(crate) gas_used: u64,
    pub(crate) contract: Option<Address>,
    /// How many logs of the block come before its own.
    pub(crate) first_log: usize,
}

impl Executed {
    pub(crate) fn hash(&self) -> B256 {
        *self.transaction.tx_hash()
    }
}

impl Block {
    pub(crate) fn number(&self) -> u64 {
        self.header.number
    }

    pub(crate) fn hash(&self) -> B256 {
        self.header.hash()
    }

    /// The logs that a filter is after, in their order; `removed` when the block was dropped.
    pub(crate) fn logs(&self, filter: &Filter, removed: bool) -> Vec<Log> {
        if !filter.matches_bloom(self.header.logs_bloom) {
            return Vec::new();
        }
        filter.matching_block_logs(
            BlockNumHash::new(self.number(), self.hash()),
            self.header.timestamp,
            self.transactions.iter().map(|executed| (executed.hash(), &executed.receipt)),
            removed,
        )
    }
}
