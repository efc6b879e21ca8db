//! Accounts and storage as a value that costs nothing to copy: a snapshot is a copy.

use std::convert::Infallible;

use alloy::primitives::{Address, B256, U256};
use revm::bytecode::Bytecode;
use revm::state::{Account, AccountInfo, EvmState};
use revm::{Database, DatabaseCommit};
use rpds::HashTrieMap;

/// What the EVM reads and writes.
#[derive(Clone, Default, Debug)]
pub struct State {
    accounts: HashTrieMap<Address, AccountInfo>,
    slots: HashTrieMap<(Address, U256), U256>,
}

impl State {
    /// Code of an account; empty where there is none.
    pub fn has_code(&self, address: Address) -> bool {
        let code = self.accounts.get(&address).and_then(|info| info.code.as_ref());
        code.is_some_and(|code| !code.is_empty())
    }

    fn take(&mut self, address: Address, account: Account) {
        for (slot, value) in account.changed_storage_slots() {
            let value = value.present_value();
            if value.is_zero() {
                self.slots.remove_mut(&(address, *slot));
            } else {
                self.slots.insert_mut((address, *slot), value);
            }
        }
        let before = self.accounts.get(&address);
        // The EVM leaves the code out when it did not have to load it.
        let code = account.info.code.or_else(|| before.and_then(|info| info.code.clone()));
        self.accounts.insert_mut(address, AccountInfo { code, ..account.info });
    }
}

impl Database for State {
    type Error = Infallible;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, Infallible> {
        Ok(self.accounts.get(&address).cloned())
    }

    /// Never needed: `basic` hands out the code with the account.
    fn code_by_hash(&mut self, _: B256) -> Result<Bytecode, Infallible> {
        Ok(Bytecode::default())
    }

    fn storage(&mut self, address: Address, slot: U256) -> Result<U256, Infallible> {
        Ok(self.slots.get(&(address, slot)).copied().unwrap_or_default())
    }

    /// Photon's contract asks for no block hash.
    fn block_hash(&mut self, _: u64) -> Result<B256, Infallible> {
        Ok(B256::ZERO)
    }
}

impl DatabaseCommit for State {
    fn commit(&mut self, changes: EvmState) {
        for (address, account) in changes {
            if account.is_touched() && !account.is_empty() {
                self.take(address, account);
            }
        }
    }
}
