//! The EVM without a node around it: calls, the time, and copies of the whole state.

mod state;

pub use state::State;

use alloy::primitives::{Address, Bytes, Log, TxKind, U256};
use revm::context::result::{ExecutionResult, Output};
use revm::context::{CfgEnv, TxEnv};
use revm::handler::{MainnetContext, MainnetEvm};
use revm::primitives::hardfork::SpecId;
use revm::{Context, DatabaseCommit as _, ExecuteEvm as _, MainBuilder as _, MainContext as _};

/// More than any call of the contract needs, less than a transaction may ask for.
const GAS: u64 = 16_000_000;

/// The chain's id.
pub const CHAIN_ID: u64 = 1337;

/// What a call did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Called {
    /// It returned this and logged that.
    Done {
        /// What it returned.
        output: Bytes,
        /// In order.
        logs: Vec<Log>,
        /// The gas it took.
        gas: u64,
    },
    /// It was refused with this error, encoded; nothing changed.
    Refused(Bytes),
    /// It ran out of gas, or worse; nothing changed.
    Broken(String),
}

/// A chain of which each call is a block, or a part of one.
pub struct Chain {
    evm: MainnetEvm<MainnetContext<State>>,
}

impl Chain {
    /// A chain with nothing on it, at this time, by these rules.
    pub fn new(rules: SpecId, time: u64) -> Self {
        let mut config = CfgEnv::new_with_spec(rules);
        config.chain_id = CHAIN_ID;
        config.disable_nonce_check = true;
        let mut context = Context::mainnet().with_db(State::default()).with_cfg(config);
        context.modify_block(|block| {
            block.gas_limit = 2 * GAS;
            block.timestamp = U256::from(time);
            block.number = U256::from(1);
        });
        Self { evm: context.build_mainnet() }
    }

    /// A copy of everything stored.
    pub fn state(&self) -> State {
        self.evm.ctx.journaled_state.database.clone()
    }

    /// Goes back, or forth, to a copy.
    pub fn set_state(&mut self, state: State) {
        self.evm.ctx.journaled_state.database = state;
    }

    /// What the next calls will see as the time.
    pub fn set_time(&mut self, time: u64) {
        self.evm.ctx.modify_block(|block| block.timestamp = U256::from(time));
    }

    /// The time of the next calls.
    pub fn time(&self) -> u64 {
        self.evm.ctx.block.timestamp.saturating_to()
    }

    /// Puts a contract on the chain; none where its constructor refuses.
    pub fn deploy(&mut self, from: Address, code: Bytes) -> Option<Address> {
        let (result, changes) = self.run(from, TxKind::Create, code)?;
        let ExecutionResult::Success { output: Output::Create(_, address), .. } = result else {
            return None;
        };
        self.evm.ctx.journaled_state.database.commit(changes);
        address
    }

    /// A transaction.
    pub fn call(&mut self, from: Address, to: Address, input: Bytes) -> Called {
        self.ask(from, to, input, true)
    }

    /// A question: nothing changes.
    pub fn view(&mut self, to: Address, input: Bytes) -> Called {
        self.ask(Address::ZERO, to, input, false)
    }

    fn ask(&mut self, from: Address, to: Address, input: Bytes, commit: bool) -> Called {
        let Some((result, changes)) = self.run(from, TxKind::Call(to), input) else {
            return Called::Broken("the transaction itself is invalid".into());
        };
        match result {
            ExecutionResult::Success { output, logs, gas, .. } => {
                if commit {
                    self.evm.ctx.journaled_state.database.commit(changes);
                }
                Called::Done { output: output.into_data(), logs, gas: gas.tx_gas_used() }
            }
            ExecutionResult::Revert { output, .. } => Called::Refused(output),
            ExecutionResult::Halt { reason, .. } => Called::Broken(format!("{reason:?}")),
        }
    }

    fn run(
        &mut self,
        caller: Address,
        kind: TxKind,
        data: Bytes,
    ) -> Option<(ExecutionResult, revm::state::EvmState)> {
        let call = TxEnv {
            caller,
            kind,
            data,
            gas_limit: GAS,
            chain_id: Some(CHAIN_ID),
            ..TxEnv::default()
        };
        self.evm.transact(call).ok().map(|done| (done.result, done.state))
    }
}
