//! The accounts at one block, as a value that costs nothing to copy.
//!
//! The maps are persistent: a copy shares all that has not changed since. That is why every block
//! can keep its whole state, and why a snapshot is a copy.

use std::convert::Infallible;

use alloy::{
    primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256},
    rpc::types::state::{AccountOverride, StateOverride},
};
use revm::{
    DatabaseRef,
    bytecode::Bytecode,
    state::{Account as Touched, AccountInfo, EvmState},
};
use rpds::HashTrieMapSync;

/// How many block hashes the EVM can ask for.
const BLOCK_HASHES: u64 = 256;

/// Balances, nonces, code and storage after one block, and the last 256 block hashes.
#[derive(Clone)]
pub(crate) struct State {
    accounts: HashTrieMapSync<Address, Account>,
    block_hashes: HashTrieMapSync<u64, B256>,
}

#[derive(Clone)]
struct Account {
    info: AccountInfo,
    storage: HashTrieMapSync<U256, U256>,
}

impl Default for Account {
    fn default() -> Self {
        Self { info: AccountInfo::default(), storage: HashTrieMapSync::new_sync() }
    }
}

impl Default for State {
    fn default() -> Self {
        Self { accounts: HashTrieMapSync::new_sync(), block_hashes: HashTrieMapSync::new_sync() }
    }
}

impl State {
    pub(crate) fn balance_of(&self, address: Address) -> U256 {
        self.accounts.get(&address).map_or(U256::ZERO, |account| account.info.balance)
    }

    pub(crate) fn nonce_of(&self, address: Address) -> u64 {
        self.accounts.get(&address).map_or(0, |account| account.info.nonce)
    }

    pub(crate) fn code_of(&self, address: Address) -> Bytes {
        self.accounts
            .get(&address)
            .and_then(|account| account.info.code.as_ref())
            .map_or_else(Bytes::new, Bytecode::original_bytes)
    }

    pub(crate) fn slot_of(&self, address: Address, slot: U256) -> U256 {
        self.accounts
            .get(&address)
            .and_then(|account| account.storage.get(&slot))
            .copied()
            .unwrap_or_default()
    }

    pub(crate) fn set_balance(&mut self, address: Address, balance: U256) {
        self.change(address, |account| account.info.balance = balance);
    }

    pub(crate) fn set_nonce(&mut self, address: Address, nonce: u64) {
        self.change(address, |account| account.info.nonce = nonce);
    }

    pub(crate) fn set_code(&mut self, address: Address, code: Bytes) {
        let hash = if code.is_empty() { KECCAK256_EMPTY } else { keccak256(&code) };
        // Marked as a delegation but no valid one: kept as plain code, which fails when it runs.
        let code =
            Bytecode::new_raw_checked(code.clone()).unwrap_or_else(|_| Bytecode::new_legacy(code));
        self.change(address, |account| {
            account.info.code_hash = hash;
            account.info.code = Some(code);
        });
    }

    pub(crate) fn set_slot(&mut self, address: Address, slot: U256, value: U256) {
        self.change(address, |account| put(&mut account.storage, slot, value));
    }

    /// Makes a hash known to the EVM and forgets the one that is now out of its reach.
    pub(crate) fn add_block_hash(&mut self, number: u64, hash: B256) {
        self.block_hashes.insert_mut(number, hash);
        if let Some(old) = number.checked_sub(BLOCK_HASHES) {
            self.block_hashes.remove_mut(&old);
        }
    }

    /// Takes over what a transaction changed.
    pub(crate) fn commit(&mut self, changes: EvmState) {
        for (address, touched) in changes {
            if touched.is_touched() {
                self.commit_account(address, touched);
            }
        }
    }

    fn commit_account(&mut self, address: Address, touched: Touched) {
        if touched.is_selfdestructed() || touched.is_empty() {
            self.accounts.remove_mut(&address);
            return;
        }
        let fresh = touched.is_created();
        self.change(address, |account| {
            if fresh {
                account.storage = HashTrieMapSync::new_sync();
            }
            for (slot, value) in touched.changed_storage_slots() {
                put(&mut account.storage, *slot, value.present_value());
            }
            // The EVM leaves the code out when it did not have to load it.
            let code = touched.info.code.or_else(|| account.info.code.take());
            account.info = AccountInfo { code, ..touched.info };
        });
    }

    /// Pretends, for one call, that accounts are other than they are.
    pub(crate) fn override_with(&mut self, overrides: StateOverride) {
        for (address, account) in overrides {
            self.override_account(address, account);
        }
    }

    fn override_account(&mut self, address: Address, account: AccountOverride) {
        if let Some(balance) = account.balance {
            self.set_balance(address, balance);
        }
        if let Some(nonce) = account.nonce {
            self.set_nonce(address, nonce);
        }
        if let Some(code) = account.code {
            self.set_code(address, code);
        }
        if account.state.is_some() {
            self.change(address, |account| account.storage = HashTrieMapSync::new_sync());
        }
        for (slot, value) in account.state.into_iter().chain(account.state_diff).flatten() {
            self.set_slot(address, slot.into(), value.into());
        }
    }

    fn change(&mut self, address: Address, change: impl FnOnce(&mut Account)) {
        if let Some(account) = self.accounts.get_mut(&address) {
            change(account);
        } else {
            let mut account = Account::default();
            change(&mut account);
            self.accounts.insert_mut(address, account);
        }
    }
}

fn put(storage: &mut HashTrieMapSync<U256, U256>, slot: U256, value: U256) {
    if value.is_zero() {
        storage.remove_mut(&slot);
    } else {
        storage.insert_mut(slot, value);
    }
}

impl DatabaseRef for State {
    type Error = Infallible;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, Infallible> {
        Ok(self.accounts.get(&address).map(|account| account.info.clone()))
    }

    /// Never needed: [`Self::basic_ref`] hands out the code with the account.
    fn code_by_hash_ref(&self, _: B256) -> Result<Bytecode, Infallible> {
        Ok(Bytecode::default())
    }

    fn storage_ref(&self, address: Address, slot: U256) -> Result<U256, Infallible> {
        Ok(self.slot_of(address, slot))
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, Infallible> {
        Ok(self.block_hashes.get(&number).copied().unwrap_or_default())
    }
}
