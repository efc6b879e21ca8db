//! The chain: its blocks, their states, the pool and the clock.
//!
//! Reading is here; [`mine`] makes blocks, [`rewind`] takes them back.

mod admit;
mod clock;
mod mine;
mod rewind;
mod store;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use alloy::{
    consensus::{Header, TxEnvelope, transaction::Recovered},
    eips::{BlockId, BlockNumberOrTag},
    primitives::{Address, B256, Bytes, U256},
};

use crate::{
    accounts::Accounts,
    block::{Block, Executed},
    config::{Config, Mining},
    draft::Draft,
    events::EventLog,
    execute::Rules,
    pool::Pool,
    state::State,
};
pub(crate) use clock::Clock;
use rewind::Snapshot;
pub(crate) use store::Fingerprint;

/// Behind the head by this much, a block counts as safe.
const SAFE_DEPTH: u64 = 32;

/// Behind the head by this much, a block counts as final.
const FINAL_DEPTH: u64 = 64;

/// The most accounts that are impersonated at once.
const MAX_IMPERSONATED: usize = 1_024;

/// Everything that changes while the chain runs.
pub(crate) struct Chain {
    pub(crate) rules: Rules,
    pub(crate) mining: Mining,
    pub(crate) pool: Pool,
    pub(crate) events: EventLog,
    /// From the genesis block on, without gaps: the index is the number.
    blocks: Vec<Arc<Block>>,
    /// The states after the last blocks, the head's last.
    states: VecDeque<State>,
    history: usize,
    by_hash: HashMap<B256, u64>,
    /// In which block a transaction is, and at which place.
    transactions: HashMap<B256, (u64, usize)>,
    snapshots: BTreeMap<u64, Snapshot>,
    next_snapshot: u64,
    /// How often blocks were taken back: so that a new block never equals a dropped one.
    forks: u64,
    clock: Clock,
    /// Who gets the tips of the next blocks.
    pub(crate) coinbase: Address,
    /// The base fee that the next block has to have.
    set_base_fee: Option<u64>,
    impersonated: BTreeSet<Address>,
    pub(crate) impersonates_all: bool,
    /// How often something changed that no event tells of.
    tampered: u64,
    minimum_base_fee: u64,
    block_gas_limit: u64,
    /// The block that would be made now, kept while nothing else changes.
    draft: Option<Draft>,
}

/// The block that a request is about.
pub(crate) enum Place {
    /// A block of the chain.
    Mined(Arc<Block>),
    /// The next block, with what waits in the pool.
    Pending,
}

impl Chain {
    /// A chain that consists of its genesis block.
    pub(crate) fn new(config: &Config, accounts: &Accounts) -> Self {
        let rules = Rules { chain_id: config.chain_id, hardfork: config.hardfork };
        let mut state = State::default();
        for address in accounts.addresses() {
            state.set_balance(address, config.balance);
        }
        let mut chain = Self {
            rules,
            mining: config.mining,
            pool: Pool::default(),
            events: EventLog::new(),
            blocks: Vec::new(),
            states: VecDeque::new(),
            history: config.history,
            by_hash: HashMap::new(),
            transactions: HashMap::new(),
            snapshots: BTreeMap::new(),
            next_snapshot: 1,
            forks: 0,
            clock: Clock::default(),
            coinbase: Address::ZERO,
            set_base_fee: None,
            impersonated: BTreeSet::new(),
            impersonates_all: false,
            tampered: 0,
            minimum_base_fee: config.minimum_base_fee,
            block_gas_limit: config.block_gas_limit,
            draft: None,
        };
        let (genesis, state) = Draft::new(rules, chain.genesis_header(config), state).seal();
        chain.append(Arc::new(genesis), state);
        chain
    }

    pub(crate) fn head(&self) -> &Arc<Block> {
        self.blocks.last().expect("the genesis block is never dropped")
    }

    pub(crate) fn head_number(&self) -> u64 {
        self.head().number()
    }

    pub(crate) fn head_state(&self) -> &State {
        self.states.back().expect("the state of the head is always kept")
    }

    pub(crate) fn block_at(&self, number: u64) -> Option<&Arc<Block>> {
        self.blocks.get(usize::try_from(number).ok()?)
    }

    pub(crate) fn block_with_hash(&self, hash: B256) -> Option<&Arc<Block>> {
        self.block_at(*self.by_hash.get(&hash)?)
    }

    /// The state after a block, while it is kept.
    pub(crate) fn state_at(&self, number: u64) -> Option<&State> {
        self.states.get(usize::try_from(number).ok()?.checked_sub(self.oldest_state())?)
    }

    /// The number of the oldest block whose state is kept.
    pub(crate) fn oldest_state(&self) -> usize {
        self.blocks.len() - self.states.len()
    }

    /// The number of a place; pending counts as the block after the head.
    pub(crate) fn number_at(&self, place: &Place) -> u64 {
        match place {
            Place::Mined(block) => block.number(),
            Place::Pending => self.head_number() + 1,
        }
    }

    /// The blocks from one number to another, both included, as far as there are any.
    pub(crate) fn blocks_between(&self, first: u64, last: u64) -> &[Arc<Block>] {
        let start = usize::try_from(first).unwrap_or(usize::MAX).min(self.blocks.len());
        let end = usize::try_from(last).unwrap_or(usize::MAX).saturating_add(1);
        &self.blocks[start..end.clamp(start, self.blocks.len())]
    }

    /// The block that a number, tag or hash stands for.
    pub(crate) fn place(&self, id: BlockId) -> Option<Place> {
        let mined = |block: Option<&Arc<Block>>| block.cloned().map(Place::Mined);
        match id {
            BlockId::Hash(hash) => mined(self.block_with_hash(hash.block_hash)),
            BlockId::Number(BlockNumberOrTag::Pending) => Some(Place::Pending),
            BlockId::Number(tag) => mined(self.block_at(self.number_of(tag))),
        }
    }

    /// The number that a tag stands for; pending counts as the block after the head.
    pub(crate) fn number_of(&self, tag: BlockNumberOrTag) -> u64 {
        match tag {
            BlockNumberOrTag::Latest => self.head_number(),
            BlockNumberOrTag::Finalized => self.head_number().saturating_sub(FINAL_DEPTH),
            BlockNumberOrTag::Safe => self.head_number().saturating_sub(SAFE_DEPTH),
            BlockNumberOrTag::Earliest => 0,
            BlockNumberOrTag::Pending => self.head_number() + 1,
            BlockNumberOrTag::Number(number) => number,
        }
    }

    /// A transaction in a block, with the block.
    pub(crate) fn executed(&self, hash: B256) -> Option<(&Arc<Block>, usize, &Executed)> {
        let &(number, index) = self.transactions.get(&hash)?;
        let block = self.block_at(number)?;
        Some((block, index, block.transactions.get(index)?))
    }

    /// A transaction that waits.
    pub(crate) fn waiting(&self, hash: B256) -> Option<&Recovered<TxEnvelope>> {
        self.pool.with_hash(hash)
    }

    /// The nonce of the next transaction, those that wait counted.
    pub(crate) fn pending_nonce(&self, address: Address) -> u64 {
        self.pool.next_nonce(address, self.head_state().nonce_of(address))
    }

    /// The base fee of the next block; none before London.
    pub(crate) fn next_base_fee(&self) -> Option<u64> {
        self.next_base_fee_after(&self.head().header)
    }

    /// Changes an account at the head, as no transaction could.
    pub(crate) fn set_balance(&mut self, address: Address, balance: U256) {
        self.tamper(|state| state.set_balance(address, balance));
    }

    pub(crate) fn set_nonce(&mut self, address: Address, nonce: u64) {
        self.tamper(|state| state.set_nonce(address, nonce));
        self.pool.remove_below(address, nonce);
    }

    pub(crate) fn set_code(&mut self, address: Address, code: Bytes) {
        self.tamper(|state| state.set_code(address, code));
    }

    pub(crate) fn set_slot(&mut self, address: Address, slot: U256, value: U256) {
        self.tamper(|state| state.set_slot(address, slot, value));
    }

    fn tamper(&mut self, change: impl FnOnce(&mut State)) {
        change(self.states.back_mut().expect("the state of the head is always kept"));
        self.draft = None;
        self.tampered += 1;
    }

    /// Gives the next block this base fee, in wei per gas.
    pub(crate) fn set_next_base_fee(&mut self, base_fee: u64) {
        self.draft = None;
        self.set_base_fee = Some(base_fee);
    }

    /// Gives the next blocks this much room.
    pub(crate) fn set_block_gas_limit(&mut self, gas: u64) {
        self.draft = None;
        self.block_gas_limit = gas;
    }

    /// Gives the tips of the next blocks to this account.
    pub(crate) fn set_coinbase(&mut self, address: Address) {
        self.draft = None;
        self.coinbase = address;
    }

    /// Takes transactions of this account without its signature from now on; false if it does so
    /// for too many already.
    pub(crate) fn impersonate(&mut self, address: Address) -> bool {
        let room = self.impersonated.len() < MAX_IMPERSONATED;
        (room || self.impersonated.contains(&address)) && {
            self.impersonated.insert(address);
            true
        }
    }

    pub(crate) fn stop_impersonating(&mut self, address: Address) -> bool {
        self.impersonated.remove(&address)
    }

    /// True if transactions of this account need no signature.
    pub(crate) fn impersonates(&self, address: Address) -> bool {
        self.impersonates_all || self.impersonated.contains(&address)
    }

    /// The next block as it would be now.
    pub(crate) fn pending(&mut self) -> &Draft {
        let draft = self.refreshed_draft();
        self.draft.insert(draft)
    }

    fn refreshed_draft(&mut self) -> Draft {
        let header = self.next_header();
        let ready = self.pool.ready(self.head_state(), header.base_fee_per_gas.unwrap_or_default());
        let mut draft = match self.draft.take() {
            Some(draft) if continues(&draft, &header, &ready) => draft,
            Some(_) | None => Draft::new(self.rules, header, self.head_state().clone()),
        };
        for transaction in ready.iter().skip(draft.transactions.len()) {
            // What cannot be executed now is dropped when a block is made, not here.
            if draft.push(transaction).is_err() {
                break;
            }
        }
        draft
    }

    /// The header that a call in the context of this place sees, and the state it works on.
    pub(crate) fn context(&mut self, place: &Place) -> Option<(Header, State)> {
        match place {
            Place::Pending => {
                let draft = self.pending();
                Some((draft.header.clone(), draft.state.clone()))
            }
            Place::Mined(block) => {
                let state = self.state_at(block.number())?;
                Some((block.header.inner().clone(), state.clone()))
            }
        }
    }
}

/// True when the ready transactions begin with those that the draft has executed already.
fn continues(draft: &Draft, header: &Header, ready: &[Arc<Recovered<TxEnvelope>>]) -> bool {
    draft.header.parent_hash == header.parent_hash
        && draft.header.timestamp == header.timestamp
        && !draft.is_empty()
        && draft.transactions.len() <= ready.len()
        && draft.transactions.iter().zip(ready).all(|(done, one)| done.hash() == *one.tx_hash())
}
