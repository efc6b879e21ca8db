//! A block that was made, with all that came of its transactions.

use alloy::{
    consensus::{
        BlockBody, Header, ReceiptEnvelope, Sealed, Transaction as _, TxEnvelope,
        transaction::Recovered,
    },
    eips::BlockNumHash,
    primitives::{Address, B256},
    rlp::Encodable as _,
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
    /// A transaction with its receipt, after another one in the same block or as the first.
    pub(crate) fn after(
        before: Option<&Self>,
        transaction: Recovered<TxEnvelope>,
        receipt: ReceiptEnvelope,
    ) -> Self {
        let gas_before = before.map_or(0, |one| one.receipt.cumulative_gas_used());
        let created = transaction.is_create() && receipt.status();
        Self {
            gas_used: receipt.cumulative_gas_used().saturating_sub(gas_before),
            contract: created.then(|| transaction.signer().create(transaction.nonce())),
            first_log: before.map_or(0, |one| one.first_log + one.receipt.logs().len()),
            transaction,
            receipt,
        }
    }

    pub(crate) fn hash(&self) -> B256 {
        *self.transaction.tx_hash()
    }
}

impl Block {
    pub(crate) fn new(header: Sealed<Header>, transactions: Vec<Executed>) -> Self {
        let envelopes: Vec<&TxEnvelope> =
            transactions.iter().map(|executed| executed.transaction.inner()).collect();
        let body =
            BlockBody { transactions: envelopes, ommers: Vec::<Header>::new(), withdrawals: None };
        let size = header.length() + body.length();
        Self { header, transactions, size }
    }

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
