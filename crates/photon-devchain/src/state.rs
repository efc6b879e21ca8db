//! The accounts at one block, as a value that costs nothing to copy.
//!
//! The maps are persistent: a copy shares all that has not changed since. That is why every block
//! can keep its whole state, and why a snapshot is a copy.

use std::{collections::BTreeMap, convert::Infallible};

use alloy::{
    consensus::{TrieAccount, constants::EMPTY_ROOT_HASH},
    primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256},
    rlp,
    rpc::types::state::{AccountOverride, StateOverride},
};
use revm::{
    DatabaseRef,
    bytecode::Bytecode,
    state::{Account as Touched, AccountInfo, EvmState},
};
use rpds::HashTrieMapSync;
use serde::{Deserialize, Serialize};

use crate::trie::Trie;

/// How many block hashes the EVM can ask for.
const BLOCK_HASHES: u64 = 256;

/// Balances, nonces, code and storage after one block, and the last 256 block hashes.
#[derive(Clone)]
pub(crate) struct State {
    accounts: HashTrieMapSync<Address, Account>,
    block_hashes: HashTrieMapSync<u64, B256>,
    /// The accounts hashed, but for those that changed since [`State::root`] was asked for.
    trie: Trie,
    changed: Vec<Address>,
}

#[derive(Clone)]
struct Account {
    info: AccountInfo,
    storage: HashTrieMapSync<U256, U256>,
    trie: Trie,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            info: AccountInfo::default(),
            storage: HashTrieMapSync::new_sync(),
            trie: Trie::default(),
        }
    }
}

impl Account {
    fn put(&mut self, slot: U256, value: U256) {
        let key = B256::from(slot);
        if value.is_zero() {
            self.storage.remove_mut(&slot);
            self.trie.remove(key.as_slice());
        } else {
            self.storage.insert_mut(slot, value);
            self.trie.insert(key.as_slice(), rlp::encode(value));
        }
    }

    fn clear_storage(&mut self) {
        self.storage = HashTrieMapSync::new_sync();
        self.trie = Trie::default();
    }

    /// As the trie has it.
    fn hashed(&self) -> TrieAccount {
        TrieAccount {
            nonce: self.info.nonce,
            balance: self.info.balance,
            storage_root: self.trie.root(),
            code_hash: self.info.code_hash,
        }
    }
}

/// An account as a file has it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SavedAccount {
    balance: U256,
    nonce: u64,
    code: Bytes,
    storage: BTreeMap<U256, U256>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            accounts: HashTrieMapSync::new_sync(),
            block_hashes: HashTrieMapSync::new_sync(),
            trie: Trie::default(),
            changed: Vec::new(),
        }
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

    pub(crate) fn code_hash_of(&self, address: Address) -> B256 {
        self.accounts.get(&address).map_or(KECCAK256_EMPTY, |account| account.info.code_hash)
    }

    pub(crate) fn storage_root_of(&self, address: Address) -> B256 {
        self.accounts.get(&address).map_or(EMPTY_ROOT_HASH, |account| account.trie.root())
    }

    /// The hash over all accounts, as the header of a block has it.
    pub(crate) fn root(&mut self) -> B256 {
        for address in std::mem::take(&mut self.changed) {
            match self.accounts.get(&address).filter(|account| !account.info.is_empty()) {
                Some(account) => {
                    self.trie.insert(address.as_slice(), rlp::encode(account.hashed()));
                }
                None => self.trie.remove(address.as_slice()),
            }
        }
        self.trie.root()
    }

    /// The way from the root to an account, or to where it would be.
    pub(crate) fn account_proof(&mut self, address: Address) -> Vec<Bytes> {
        self.root();
        self.trie.proof(address.as_slice())
    }

    /// The way from an account's storage root to a slot, or to where it would be.
    pub(crate) fn slot_proof(&self, address: Address, slot: U256) -> Vec<Bytes> {
        let slot = B256::from(slot);
        self.accounts.get(&address).map_or_else(Vec::new, |one| one.trie.proof(slot.as_slice()))
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
        self.change(address, |account| account.put(slot, value));
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
            self.changed.push(address);
            return;
        }
        let fresh = touched.is_created();
        self.change(address, |account| {
            if fresh {
                account.clear_storage();
            }
            for (slot, value) in touched.changed_storage_slots() {
                account.put(*slot, value.present_value());
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
            self.change(address, Account::clear_storage);
        }
        for (slot, value) in account.state.into_iter().chain(account.state_diff).flatten() {
            self.set_slot(address, slot.into(), value.into());
        }
    }

    /// All accounts, to be written into a file.
    pub(crate) fn saved(&self) -> BTreeMap<Address, SavedAccount> {
        let saved = |address: &Address, account: &Account| SavedAccount {
            balance: account.info.balance,
            nonce: account.info.nonce,
            code: self.code_of(*address),
            storage: account.storage.iter().map(|(slot, value)| (*slot, *value)).collect(),
        };
        self.accounts.iter().map(|(address, one)| (*address, saved(address, one))).collect()
    }

    /// The accounts of a file; block hashes are not among them.
    pub(crate) fn of_saved(accounts: BTreeMap<Address, SavedAccount>) -> Self {
        let mut state = Self::default();
        for (address, account) in accounts {
            state.set_balance(address, account.balance);
            state.set_nonce(address, account.nonce);
            if !account.code.is_empty() {
                state.set_code(address, account.code);
            }
            for (slot, value) in account.storage {
                state.set_slot(address, slot, value);
            }
        }
        state
    }

    fn change(&mut self, address: Address, change: impl FnOnce(&mut Account)) {
        if self.changed.last() != Some(&address) {
            self.changed.push(address);
        }
        if let Some(account) = self.accounts.get_mut(&address) {
            change(account);
        } else {
            let mut account = Account::default();
            change(&mut account);
            self.accounts.insert_mut(address, account);
        }
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
