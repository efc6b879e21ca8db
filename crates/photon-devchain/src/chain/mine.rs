//! Making blocks.

use std::sync::Arc;

use alloy::{
    consensus::{Header, TxEnvelope, constants::EMPTY_WITHDRAWALS, transaction::Recovered},
    eips::{
        eip1559::{BaseFeeParams, calc_next_block_base_fee},
        eip7685::EMPTY_REQUESTS_HASH,
    },
    primitives::{B256, Bytes, U256, keccak256},
};

use revm::context::result::InvalidTransaction;

use super::Chain;
use crate::{
    block::Block,
    config::{Config, Hardfork},
    draft::{Draft, NotTaken},
    error::Error,
    events::Event,
    state::State,
};

/// The last timestamp that a test may set: far enough from the end of the numbers for what follows.
const MAX_TIMESTAMP: u64 = i64::MAX.unsigned_abs();

impl Chain {
    /// Makes one block of what is ready, as far as it fits; an empty one if nothing is.
    pub(crate) fn mine(&mut self) -> Arc<Block> {
        let header = self.next_header();
        let ready = self.pool.ready(self.head_state(), header.base_fee_per_gas.unwrap_or_default());
        let mut draft = Draft::new(self.rules, header, self.head_state().clone());
        for transaction in &ready {
            match draft.push(transaction) {
                Ok(()) => {}
                Err(NotTaken::Full) => break,
                Err(NotTaken::Invalid(invalid)) => self.drop_invalid(transaction, &invalid),
            }
        }
        self.finish(draft)
    }

    /// Makes one block per ready transaction.
    pub(crate) fn mine_each_ready(&mut self) {
        while self.mine_each_of_those_ready_now() {}
    }

    /// True when it is worth asking again: a block was made, or a transaction dropped.
    fn mine_each_of_those_ready_now(&mut self) -> bool {
        let base_fee = self.next_base_fee().unwrap_or_default();
        let ready = self.pool.ready(self.head_state(), base_fee);
        for transaction in &ready {
            let mut draft = Draft::new(self.rules, self.next_header(), self.head_state().clone());
            match draft.push(transaction) {
                Ok(()) => {
                    self.finish(draft);
                }
                // Below the base fee that the blocks before it have raised: it waits again.
                Err(NotTaken::Invalid(InvalidTransaction::GasPriceLessThanBasefee)) => {}
                Err(NotTaken::Full) => return false,
                Err(NotTaken::Invalid(invalid)) => self.drop_invalid(transaction, &invalid),
            }
        }
        !ready.is_empty()
    }

    /// Makes a block of these transactions, whatever waits.
    pub(super) fn mine_these(&mut self, transactions: &[Recovered<TxEnvelope>]) {
        let mut draft = Draft::new(self.rules, self.next_header(), self.head_state().clone());
        for transaction in transactions {
            if let Err(why) = draft.push(transaction) {
                tracing::warn!(hash = %transaction.tx_hash(), %why, "a transaction was left out");
            }
        }
        self.finish(draft);
    }

    /// A transaction whose forerunner was dropped is not invalid: it waits for another one.
    fn drop_invalid(&mut self, transaction: &TxEnvelope, why: &InvalidTransaction) {
        if matches!(why, InvalidTransaction::NonceTooHigh { .. }) {
            return;
        }
        tracing::debug!(hash = %transaction.tx_hash(), %why, "a waiting transaction was dropped");
        self.pool.remove(*transaction.tx_hash());
    }

    fn finish(&mut self, draft: Draft) -> Arc<Block> {
        let (block, state) = draft.seal();
        let block = Arc::new(block);
        self.clock.block_made(block.header.timestamp);
        self.append(Arc::clone(&block), state);
        tracing::debug!(
            number = block.number(),
            transactions = block.transactions.len(),
            "a block was made"
        );
        block
    }

    /// Puts a block on top of the chain.
    pub(super) fn append(&mut self, block: Arc<Block>, state: State) {
        let number = block.number();
        self.by_hash.insert(block.hash(), number);
        for (index, executed) in block.transactions.iter().enumerate() {
            self.transactions.insert(executed.hash(), (number, index));
            let sender = executed.transaction.signer();
            self.pool.remove_below(sender, state.nonce_of(sender));
        }
        self.blocks.push(Arc::clone(&block));
        self.states.push_back(state);
        if self.states.len() > self.history {
            self.states.pop_front();
        }
        self.draft = None;
        self.set_base_fee = None;
        self.events.push(Event::Added(block));
    }

    /// Moves the clock forward; answers by how many seconds it is ahead in all.
    pub(crate) fn increase_time(&mut self, seconds: u64) -> i64 {
        self.draft = None;
        self.clock.advance(seconds)
    }

    /// Gives the next block this timestamp; the clock goes on from there.
    pub(crate) fn set_next_timestamp(&mut self, timestamp: u64) -> Result<(), Error> {
        let head = self.head().header.timestamp;
        if timestamp <= head {
            return Err(Error::TimestampNotAfterHead { got: timestamp, head });
        }
        if timestamp > MAX_TIMESTAMP {
            return Err(Error::TimestampTooLate { got: timestamp, max: MAX_TIMESTAMP });
        }
        self.draft = None;
        self.clock.set_next(timestamp);
        Ok(())
    }

    /// Sets the clock, without a block; answers by how much it is ahead of the wall's.
    pub(crate) fn set_time(&mut self, timestamp: u64) -> Result<i64, Error> {
        if timestamp > MAX_TIMESTAMP {
            return Err(Error::TimestampTooLate { got: timestamp, max: MAX_TIMESTAMP });
        }
        self.draft = None;
        Ok(self.clock.set_now(timestamp))
    }

    /// Puts the next blocks this many seconds apart; true if they were so before.
    pub(crate) fn set_block_interval(&mut self, seconds: Option<u64>) -> bool {
        self.draft = None;
        self.clock.set_interval(seconds)
    }

    pub(super) fn next_header(&self) -> Header {
        Header { parent_hash: self.head().hash(), ..self.header_after(&self.head().header) }
    }

    /// The header of a block after one with this header, but for the hash of that one.
    pub(super) fn header_after(&self, parent: &Header) -> Header {
        Header {
            timestamp: self.clock.after(parent.timestamp),
            base_fee_per_gas: self.next_base_fee_after(parent),
            ..self.header_at(parent.number + 1)
        }
    }

    pub(super) fn genesis_header(&self, config: &Config) -> Header {
        Header {
            timestamp: self.clock.now(),
            base_fee_per_gas: self
                .rules
                .has_base_fee()
                .then_some(config.base_fee.max(self.minimum_base_fee)),
            ..self.header_at(0)
        }
    }

    /// What headers of a height have in common on this chain.
    fn header_at(&self, number: u64) -> Header {
        let since = |hardfork| self.rules.hardfork >= hardfork;
        let mut entropy = [0; 16];
        entropy[..8].copy_from_slice(&number.to_be_bytes());
        entropy[8..].copy_from_slice(&self.forks.to_be_bytes());
        Header {
            number,
            gas_limit: self.block_gas_limit,
            beneficiary: self.coinbase,
            difficulty: if since(Hardfork::Paris) { U256::ZERO } else { U256::ONE },
            mix_hash: keccak256(entropy),
            extra_data: Bytes::from_static(b"photon-devchain"),
            withdrawals_root: since(Hardfork::Shanghai).then_some(EMPTY_WITHDRAWALS),
            blob_gas_used: since(Hardfork::Cancun).then_some(0),
            excess_blob_gas: since(Hardfork::Cancun).then_some(0),
            parent_beacon_block_root: since(Hardfork::Cancun).then_some(B256::ZERO),
            requests_hash: since(Hardfork::Prague).then_some(EMPTY_REQUESTS_HASH),
            ..Header::default()
        }
    }

    /// EIP-1559: up by at most an eighth after a full block, down after an empty one.
    ///
    /// Or what a test has set it to.
    pub(super) fn next_base_fee_after(&self, parent: &Header) -> Option<u64> {
        let base_fee = parent.base_fee_per_gas?;
        if let Some(set) = self.set_base_fee.filter(|_| parent.number == self.head_number()) {
            return Some(set);
        }
        let next = calc_next_block_base_fee(
            parent.gas_used,
            parent.gas_limit,
            base_fee,
            BaseFeeParams::ethereum(),
        );
        Some(next.max(self.minimum_base_fee))
    }

    /// The transactions of blocks, oldest first.
    pub(super) fn transactions_of(blocks: &[Arc<Block>]) -> Vec<Recovered<TxEnvelope>> {
        blocks
            .iter()
            .flat_map(|block| &block.transactions)
            .map(|executed| executed.transaction.clone())
            .collect()
    }
}
