//! What a transaction must fulfil to enter the pool.

use alloy::{
    consensus::{Transaction as _, TxEnvelope, TxType, transaction::Recovered},
    primitives::B256,
};
use revm::{
    context::result::InvalidTransaction, handler::validation::validate_initial_tx_gas,
    primitives::eip3860::MAX_INITCODE_SIZE,
};

use super::Chain;
use crate::{
    config::{Hardfork, Mining},
    error::Refusal,
    events::Event,
    execute::{Rules, transaction_env},
    pool::cost_of,
};

impl Chain {
    /// Takes a signed transaction; with instant mining it is in a block when this returns.
    pub(crate) fn submit(&mut self, transaction: Recovered<TxEnvelope>) -> Result<B256, Refusal> {
        let hash = *transaction.tx_hash();
        if self.transactions.contains_key(&hash) {
            return Err(Refusal::AlreadyKnown);
        }
        self.check_possible(&transaction)?;
        self.check_fee(&transaction)?;
        let next_nonce = self.head_state().nonce_of(transaction.signer());
        if transaction.nonce() >= next_nonce {
            self.check_funds(&transaction)?;
        }
        self.pool.add(transaction, next_nonce)?;
        self.events.push(Event::Pending(hash));
        if self.mining == Mining::Instant {
            self.mine_each_ready();
        }
        Ok(hash)
    }

    /// Checks all that does not depend on the state.
    pub(super) fn check_possible(
        &self,
        transaction: &Recovered<TxEnvelope>,
    ) -> Result<(), Refusal> {
        self.rules.check_transaction(transaction, self.block_gas_limit)
    }

    /// With instant mining a transaction that no block takes would be lost sight of: it is refused.
    fn check_fee(&self, transaction: &TxEnvelope) -> Result<(), Refusal> {
        let base_fee = self.next_base_fee().unwrap_or_default();
        let got = transaction.max_fee_per_gas();
        if self.mining == Mining::Instant && got < u128::from(base_fee) {
            return Err(Refusal::FeeBelowBaseFee { got, base_fee });
        }
        Ok(())
    }

    fn check_funds(&self, transaction: &Recovered<TxEnvelope>) -> Result<(), Refusal> {
        let address = transaction.signer();
        let balance = self.head_state().balance_of(address);
        let before = self.pool.cost_before(address, transaction.nonce());
        let cost = before.saturating_add(cost_of(transaction));
        if cost > balance {
            return Err(Refusal::InsufficientFunds { address, balance, cost });
        }
        Ok(())
    }
}

impl Rules {
    fn check_transaction(
        self,
        transaction: &Recovered<TxEnvelope>,
        block_gas_limit: u64,
    ) -> Result<(), Refusal> {
        self.check_type(transaction.tx_type())?;
        match transaction.chain_id() {
            None => return Err(Refusal::NotReplayProtected),
            Some(got) if got != self.chain_id => {
                return Err(Refusal::WrongChainId { got, expected: self.chain_id });
            }
            Some(_) => {}
        }
        let max = transaction.max_fee_per_gas();
        if let Some(tip) = transaction.max_priority_fee_per_gas().filter(|tip| *tip > max) {
            return Err(Refusal::TipAboveFee { tip, max });
        }
        self.check_gas(transaction, block_gas_limit)?;
        let size = transaction.input().len();
        if self.hardfork >= Hardfork::Shanghai
            && transaction.is_create()
            && size > MAX_INITCODE_SIZE
        {
            return Err(Refusal::InitCodeTooLong { got: size, max: MAX_INITCODE_SIZE });
        }
        Ok(())
    }

    fn check_type(self, kind: TxType) -> Result<(), Refusal> {
        let since = match kind {
            TxType::Legacy => Hardfork::Petersburg,
            TxType::Eip2930 => Hardfork::Berlin,
            TxType::Eip1559 => Hardfork::London,
            TxType::Eip4844 => return Err(Refusal::TypeNotSupported),
            TxType::Eip7702 => Hardfork::Prague,
        };
        if self.hardfork < since { Err(Refusal::TypeNotSupported) } else { Ok(()) }
    }

    fn check_gas(
        self,
        transaction: &Recovered<TxEnvelope>,
        block_gas_limit: u64,
    ) -> Result<(), Refusal> {
        let got = transaction.gas_limit();
        if got > block_gas_limit {
            return Err(Refusal::AboveBlockGasLimit { got, max: block_gas_limit });
        }
        let max = self.transaction_gas_cap();
        if got > max {
            return Err(Refusal::AboveTransactionGasCap { got, max });
        }
        let env = transaction_env(transaction);
        match validate_initial_tx_gas(&env, self.hardfork.spec(), false, false, max, None) {
            Ok(_) => Ok(()),
            Err(invalid) => Err(Refusal::from(invalid)),
        }
    }
}

impl From<InvalidTransaction> for Refusal {
    fn from(invalid: InvalidTransaction) -> Self {
        if let InvalidTransaction::CallGasCostMoreThanGasLimit { initial_gas, gas_limit } = invalid
        {
            return Self::IntrinsicGasTooLow { got: gas_limit, needed: initial_gas };
        }
        if let InvalidTransaction::GasFloorMoreThanGasLimit { gas_floor, gas_limit } = invalid {
            return Self::FloorGasTooLow { got: gas_limit, needed: gas_floor };
        }
        if matches!(
            invalid,
            InvalidTransaction::Eip2930NotSupported
                | InvalidTransaction::Eip1559NotSupported
                | InvalidTransaction::Eip4844NotSupported
                | InvalidTransaction::Eip7702NotSupported
        ) {
            return Self::TypeNotSupported;
        }
        Self::Invalid(invalid.to_string())
    }
}
