//! A chain of blocks around the EVM: a pool, reorganisations, and what each block said.

use std::collections::BTreeMap;

use alloy::primitives::{Address, U256};
use alloy::rpc::types::Log;
use alloy::sol_types::SolCall as _;
use photon_chain::{Revert, abi};
use photon_core::{Intent, IntentId};
use photon_wire::contract::{Event, Parameters, Position};
use photon_wire::{BlockNumber, Timestamp, Token};
use revm::primitives::hardfork::SpecId;

use crate::chain::{Called, Chain, State};
use crate::contract::TestToken;
use crate::dice::Dice;

/// How deep something must be before it counts.
pub(super) const DEPTH: u64 = 3;

/// What each account has at first.
pub(super) const PLENTY: u128 = 1_000_000_000;

/// A transaction that somebody wants mined.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub who: usize,
    pub from: Address,
    pub intent: Intent,
}

/// One block.
struct Block {
    /// No other block ever has it, even at the same height.
    id: u64,
    time: u64,
    before: State,
    events: Vec<(Position, Event)>,
    mined: Vec<Sent>,
}

/// What a follower is told next.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub id: u64,
    pub time: u64,
    pub events: Vec<(Position, Event)>,
}

/// Who does not wait for a transaction any more.
pub(super) const NOBODY: usize = usize::MAX;

/// Whose transaction, and which.
type Name = (usize, IntentId);

/// The chain that all nodes follow.
pub(super) struct Blocks {
    chain: Chain,
    /// The contract.
    pub network: Address,
    /// The token of all channels.
    pub token: Token,
    blocks: Vec<Block>,
    pool: Vec<Sent>,
    outcomes: BTreeMap<Name, Result<(), String>>,
    ids: u64,
}

impl Blocks {
    /// A chain with the contract and a token, of which these accounts have plenty.
    pub(super) fn new(parameters: &Parameters, accounts: &[Address], time: u64) -> Self {
        let mut chain = Chain::new(SpecId::PRAGUE, time);
        let deployer = Address::repeat_byte(0xde);
        let mut deploy = |code| chain.deploy(deployer, code).expect("the code deploys");
        let network = deploy(abi::network_code(parameters));
        let token = deploy(abi::token_code("Test", "TST", 18));
        for account in accounts {
            let mint = TestToken::mintCall { to: *account, amount: U256::from(PLENTY) };
            let approve = TestToken::approveCall { spender: network, amount: U256::MAX };
            for input in [mint.abi_encode(), approve.abi_encode()] {
                let done = chain.call(*account, token, input.into());
                assert!(matches!(done, Called::Done { .. }), "the token works: {done:?}");
            }
        }
        let before = chain.state();
        let first = Block { id: 0, time, before, events: Vec::new(), mined: Vec::new() };
        Self {
            chain,
            network,
            token: Token(token),
            blocks: vec![first],
            pool: Vec::new(),
            outcomes: BTreeMap::new(),
            ids: 0,
        }
    }

    /// The number of the newest block.
    pub(super) fn head(&self) -> u64 {
        u64::try_from(self.blocks.len()).unwrap_or(u64::MAX) - 1
    }

    /// What the block of this number says.
    pub(super) fn block(&self, number: u64) -> Option<Told> {
        let block = self.blocks.get(usize::try_from(number).ok()?)?;
        Some(Told { id: block.id, time: block.time, events: block.events.clone() })
    }

    /// Takes a transaction, unless it has it already; what became of it, if that is known.
    pub(super) fn submit(&mut self, sent: Sent) -> Option<Result<(), String>> {
        let name = (sent.who, sent.intent.id);
        if let Some(outcome) = self.outcomes.get(&name) {
            return Some(outcome.clone());
        }
        let same = |other: &Sent| (other.who, other.intent.id) == name;
        let mined = self.blocks.iter().rev().take(64).any(|block| block.mined.iter().any(same));
        if !mined && !self.pool.iter().any(same) {
            self.pool.push(sent);
        }
        None
    }

    /// Takes a transaction whose outcome nobody waits for.
    pub(super) fn push(&mut self, sent: Sent) {
        self.pool.push(sent);
    }

    /// A node has begun again and knows only these intents of its own. It gives the names of the
    /// others to new ones, so what became of those is told to nobody.
    pub(super) fn forget(&mut self, who: usize, known: &[IntentId]) {
        let is_gone = |name: &Name| name.0 == who && !known.contains(&name.1);
        self.outcomes.retain(|name, _| !is_gone(name));
        let mined = self.blocks.iter_mut().rev().take(64).flat_map(|block| &mut block.mined);
        for sent in mined.chain(&mut self.pool) {
            if is_gone(&(sent.who, sent.intent.id)) {
                sent.who = NOBODY;
            }
        }
    }

    /// A new block, with some of the pool in some order. What became final, or was refused.
    pub(super) fn mine(&mut self, time: u64, dice: &mut Dice) -> Vec<(Name, Result<(), String>)> {
        let mut over = Vec::new();
        let before = self.chain.state();
        self.chain.set_time(time);
        let mut block =
            Block { id: self.next_id(), time, before, events: Vec::new(), mined: Vec::new() };
        let number = self.head() + 1;
        let mut waiting = std::mem::take(&mut self.pool);
        while !waiting.is_empty() {
            let sent = waiting.swap_remove(dice.index(waiting.len()));
            // Not every block has room for everybody.
            if dice.once_in(6) {
                self.pool.push(sent);
                continue;
            }
            match self.run(&sent, number, &mut block) {
                Ok(()) => block.mined.push(sent),
                Err(revert) => {
                    let done = revert.means_done(&sent.intent.call);
                    let outcome = if done { Ok(()) } else { Err(format!("{revert}")) };
                    over.push(((sent.who, sent.intent.id), outcome));
                }
            }
        }
        self.blocks.push(block);
        if let Some(place) = self.head().checked_sub(DEPTH).and_then(|it| usize::try_from(it).ok())
            && let Some(block) = self.blocks.get(place)
        {
            over.extend(block.mined.iter().map(|sent| ((sent.who, sent.intent.id), Ok(()))));
        }
        for (name, outcome) in &over {
            self.outcomes.insert(*name, outcome.clone());
        }
        over
    }

    fn run(&mut self, sent: &Sent, number: u64, block: &mut Block) -> Result<(), Revert> {
        let input = abi::input(&sent.intent.call, sent.from);
        match self.chain.call(sent.from, self.network, input) {
            Called::Done { logs, .. } => {
                for log in logs.into_iter().filter(|log| log.address == self.network) {
                    let log = Log { inner: log, ..Log::default() };
                    let events = abi::events(&log).expect("the contract's logs can be read");
                    for event in events {
                        let index = u32::try_from(block.events.len()).unwrap_or(u32::MAX);
                        let time = Timestamp(block.time);
                        let position = Position { block: BlockNumber(number), time, index };
                        block.events.push((position, event));
                    }
                }
                Ok(())
            }
            Called::Refused(error) => Err(Revert::decode(&error)),
            Called::Broken(why) => panic!("a call of an honest node broke: {why}"),
        }
    }

    /// Replaces the newest blocks by as many and one more. What they held is in the pool again.
    pub(super) fn reorganise(
        &mut self,
        depth: u64,
        dice: &mut Dice,
    ) -> Vec<(Name, Result<(), String>)> {
        let mut times = Vec::new();
        for _ in 0..depth.min(self.head()) {
            let Some(block) = self.blocks.pop() else { break };
            self.chain.set_state(block.before);
            times.push(block.time);
            self.pool.extend(block.mined);
        }
        times.reverse();
        let last = times.last().copied().unwrap_or_else(|| self.chain.time());
        let mut over = Vec::new();
        for time in times.into_iter().chain([last + 1]) {
            over.extend(self.mine(time, dice));
        }
        over
    }

    /// What an account has of the token.
    pub(super) fn purse(&mut self, owner: Address) -> u128 {
        let call = TestToken::balanceOfCall { owner };
        let Called::Done { output, .. } = self.chain.view(self.token.0, call.abi_encode().into())
        else {
            panic!("the token tells balances")
        };
        TestToken::balanceOfCall::abi_decode_returns(&output).map_or(0, |it| it.saturating_to())
    }

    fn next_id(&mut self) -> u64 {
        self.ids += 1;
        self.ids
    }
}
