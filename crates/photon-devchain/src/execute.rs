//! The EVM: what a transaction or a call does to a state.

use alloy::{
    consensus::{Header, Transaction as _, TxEnvelope, Typed2718 as _, transaction::Recovered},
    primitives::{Address, Signature, U256},
};
use revm::{
    Context, ExecuteEvm as _, MainBuilder as _, MainContext as _,
    context::{
        BlockEnv, CfgEnv, TxEnv,
        either::Either,
        result::{EVMError, ExecutionResult, InvalidTransaction},
    },
    context_interface::block::BlobExcessGasAndPrice,
    database_interface::WrapDatabaseRef,
    primitives::{
        eip4844::{BLOB_BASE_FEE_UPDATE_FRACTION_CANCUN, BLOB_BASE_FEE_UPDATE_FRACTION_PRAGUE},
        eip7825::TX_GAS_LIMIT_CAP,
    },
    state::EvmState,
};

use crate::{config::Hardfork, state::State};

/// The memory that one call may use, in bytes: 30 million gas buy about 4 MB, overrides more.
const MEMORY_LIMIT: u64 = 64 * 1024 * 1024;

/// What the EVM must know besides the state: the rules and the chain id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) chain_id: u64,
    pub(crate) hardfork: Hardfork,
}

/// What came of a transaction, and what it changed.
pub(crate) struct Outcome {
    pub(crate) result: ExecutionResult,
    pub(crate) changes: EvmState,
}

impl Rules {
    /// The most gas that one transaction may ask for, where the rules cap it.
    pub(crate) fn transaction_gas_cap(self) -> u64 {
        if self.hardfork >= Hardfork::Osaka { TX_GAS_LIMIT_CAP } else { u64::MAX }
    }

    pub(crate) fn has_base_fee(self) -> bool {
        self.hardfork >= Hardfork::London
    }

    /// Runs a signed transaction by all the rules.
    pub(crate) fn transact(
        self,
        state: &State,
        header: &Header,
        transaction: &Recovered<TxEnvelope>,
    ) -> Result<Outcome, InvalidTransaction> {
        let mut config = self.config();
        // A contract has no key, so only an impersonated one can be the sender.
        config.disable_eip3607 =
            *transaction.signature() == stand_in_signature(transaction.signer());
        self.run(config, state, header, transaction_env(transaction))
    }

    /// Runs an unsigned call: no fee need be paid, the nonce is not asked, a contract may call.
    pub(crate) fn call(
        self,
        state: &State,
        header: &Header,
        call: TxEnv,
    ) -> Result<Outcome, InvalidTransaction> {
        let mut config = self.config();
        config.disable_nonce_check = true;
        config.disable_eip3607 = true;
        config.disable_base_fee = true;
        config.disable_block_gas_limit = true;
        config.tx_gas_limit_cap = Some(u64::MAX);
        self.run(config, state, header, call)
    }

    fn config(self) -> CfgEnv {
        let mut config = CfgEnv::new_with_spec(self.hardfork.spec());
        config.chain_id = self.chain_id;
        config.memory_limit = MEMORY_LIMIT;
        config
    }

    fn run(
        self,
        config: CfgEnv,
        state: &State,
        header: &Header,
        transaction: TxEnv,
    ) -> Result<Outcome, InvalidTransaction> {
        let mut evm = Context::mainnet()
            .with_db(WrapDatabaseRef(state))
            .with_cfg(config)
            .with_block(self.block(header))
            .build_mainnet();
        match evm.transact(transaction) {
            Ok(done) => Ok(Outcome { result: done.result, changes: done.state }),
            Err(EVMError::Transaction(invalid)) => Err(invalid),
            Err(other) => Err(InvalidTransaction::Str(other.to_string().into())),
        }
    }

    fn block(self, header: &Header) -> BlockEnv {
        let fraction = if self.hardfork >= Hardfork::Prague {
            BLOB_BASE_FEE_UPDATE_FRACTION_PRAGUE
        } else {
            BLOB_BASE_FEE_UPDATE_FRACTION_CANCUN
        };
        BlockEnv {
            number: U256::from(header.number),
            beneficiary: header.beneficiary,
            timestamp: U256::from(header.timestamp),
            gas_limit: header.gas_limit,
            basefee: header.base_fee_per_gas.unwrap_or_default(),
            difficulty: header.difficulty,
            prevrandao: (self.hardfork >= Hardfork::Paris).then_some(header.mix_hash),
            blob_excess_gas_and_price: (self.hardfork >= Hardfork::Cancun)
                .then(|| BlobExcessGasAndPrice::new(0, fraction)),
            slot_num: 0,
        }
    }
}

/// What takes the place of a signature when an account is impersonated.
///
/// It is no signature of anybody's, and the hash of a transaction with it differs by the sender.
pub(crate) fn stand_in_signature(sender: Address) -> Signature {
    Signature::new(U256::from_be_slice(sender.as_slice()), U256::ONE, false)
}

/// A signed transaction as the EVM takes it.
pub(crate) fn transaction_env(transaction: &Recovered<TxEnvelope>) -> TxEnv {
    TxEnv {
        tx_type: transaction.ty(),
        caller: transaction.signer(),
        gas_limit: transaction.gas_limit(),
        gas_price: transaction.max_fee_per_gas(),
        kind: transaction.kind(),
        value: transaction.value(),
        data: transaction.input().clone(),
        nonce: transaction.nonce(),
        chain_id: transaction.chain_id(),
        access_list: transaction.access_list().cloned().unwrap_or_default(),
        gas_priority_fee: transaction.max_priority_fee_per_gas(),
        blob_hashes: Vec::new(),
        max_fee_per_blob_gas: 0,
        authorization_list: transaction
            .authorization_list()
            .unwrap_or_default()
            .iter()
            .cloned()
            .map(Either::Left)
            .collect(),
    }
}
