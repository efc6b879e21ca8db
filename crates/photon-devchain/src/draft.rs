//! A block in the making.

use alloy::consensus::{
    Header, Receipt, ReceiptEnvelope, Sealable as _, Transaction as _, TxEnvelope,
    proofs::{calculate_receipt_root, calculate_transaction_root},
    transaction::Recovered,
};
use revm::context::result::{ExecutionResult, InvalidTransaction};

use crate::{
    block::{Block, Executed},
    execute::{Outcome, Rules},
    state::State,
};

/// Takes transactions one by one; each sees what the ones before it did.
#[derive(Clone)]
pub(crate) struct Draft {
    rules: Rules,
    pub(crate) header: Header,
    pub(crate) state: State,
    pub(crate) transactions: Vec<Executed>,
}

/// Why a transaction is not in a draft.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotTaken {
    /// The block has no room left for its gas limit; a later one may have.
    #[error("the block has no room for its gas limit")]
    Full,
    /// It cannot be executed on this state.
    #[error("{0}")]
    Invalid(InvalidTransaction),
}

impl Draft {
    /// An empty block with this header on top of this state.
    pub(crate) fn new(rules: Rules, header: Header, state: State) -> Self {
        Self { rules, header, state, transactions: Vec::new() }
    }

    /// Executes a transaction at the end of the block.
    pub(crate) fn push(&mut self, transaction: &Recovered<TxEnvelope>) -> Result<(), NotTaken> {
        if transaction.gas_limit() > self.header.gas_limit - self.header.gas_used {
            return Err(NotTaken::Full);
        }
        let Outcome { result, changes } = self
            .rules
            .transact(&self.state, &self.header, transaction)
            .map_err(NotTaken::Invalid)?;
        self.state.commit(changes);
        self.header.gas_used += result.tx_gas_used();
        self.add(transaction.clone(), result);
        Ok(())
    }

    fn add(&mut self, transaction: Recovered<TxEnvelope>, result: ExecutionResult) {
        let success = result.is_success();
        // What a failed transaction logged before it failed did not happen.
        let logs = if success { result.into_logs() } else { Vec::new() };
        let receipt =
            Receipt { status: success.into(), cumulative_gas_used: self.header.gas_used, logs };
        let receipt = ReceiptEnvelope::from_typed(transaction.tx_type(), receipt.with_bloom());
        self.header.logs_bloom |= *receipt.logs_bloom();
        let executed = Executed::after(self.transactions.last(), transaction, receipt);
        self.transactions.push(executed);
    }

    /// Finishes the block; its hash is then known to the state.
    pub(crate) fn seal(self) -> (Block, State) {
        let Self { mut header, mut state, transactions, .. } = self;
        let envelopes: Vec<&TxEnvelope> =
            transactions.iter().map(|executed| executed.transaction.inner()).collect();
        let receipts: Vec<&ReceiptEnvelope> =
            transactions.iter().map(|executed| &executed.receipt).collect();
        header.transactions_root = calculate_transaction_root(&envelopes);
        header.receipts_root = calculate_receipt_root(&receipts);
        header.state_root = state.root();
        let header = header.seal_slow();
        state.add_block_hash(header.number, header.hash());
        (Block::new(header, transactions), state)
    }

    /// True when nothing is in it yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.transactions.is_empty()
    }
}
