//! A town of nodes with the real engine and the real contract, in one thread, from one seed.
//!
//! Faults come first: sessions that break with all that is in flight, delays, partitions, frames
//! that come twice, nodes that fall before, right after, or later after a commit, reorganisations
//! up to the depth, blocks without room. Then all is calm, and everything must come to its end:
//! every payment, then every channel; and nobody may have less than what is his.

mod blocks;
mod cheat;
mod check;
mod node;
mod plan;
mod rest;

use std::collections::BTreeMap;
use std::path::Path;

use photon_core::view::NoticeKind;
use photon_core::{Config, Input, Timing};
use photon_engine::Action;
use photon_wire::claim::Domain;
use photon_wire::contract::Parameters;
use photon_wire::record::FeeSchedule;
use photon_wire::{Address, Amount, Seconds, SigningKey, Timestamp, Verifier};

use self::blocks::{Blocks, DEPTH, Sent};
use self::check::Witness;
use self::node::{Node, received};
use crate::chain::CHAIN_ID;
use crate::dice::Dice;

/// When nights begin.
const START: u64 = 1_700_000_000;
/// From block to block.
const BLOCK: u64 = 12;

/// A mistake that is planted, to show that the checkers would find it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Plant {
    /// Frames leave before the commit that they rest on.
    SendBeforeCommit,
    /// What the chain says counts at once, however shallow.
    NoDepth,
}

/// One night of the town.
#[derive(Clone, Copy, Debug)]
pub struct Night {
    /// Decides everything.
    pub seed: u64,
    /// How many seconds of chain time faults go on.
    pub seconds: u64,
    /// What is wrong on purpose.
    pub plant: Option<Plant>,
    /// Whether to print all that happens.
    pub trace: bool,
}

/// What happened in a night.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// Inputs that machines handled: a protocol step each.
    pub steps: u64,
    /// Commits.
    pub commits: u64,
    /// Nodes that fell.
    pub falls: u64,
    /// Blocks mined, and of those replaced.
    pub blocks: u64,
    /// Reorganisations.
    pub reorganisations: u64,
    /// Sessions that broke.
    pub breaks: u64,
    /// Frames that came twice.
    pub doubles: u64,
    /// Messages and commands that a rule refused.
    pub rejections: u64,
    /// Payments that arrived.
    pub paid: u64,
    /// Payments that did not happen.
    pub failed: u64,
    /// Channels closed by one side alone.
    pub closes: u64,
    /// Withdrawals and cooperative ends that were asked for.
    pub agreements: u64,
    /// Channels that somebody closed with an old proof.
    pub cheats: u64,
    /// Claims of disposed locks that were punished, as the cheated saw it.
    pub punished: u64,
}

impl Report {
    /// Adds another night's.
    pub fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        self.commits += other.commits;
        self.falls += other.falls;
        self.blocks += other.blocks;
        self.reorganisations += other.reorganisations;
        self.breaks += other.breaks;
        self.doubles += other.doubles;
        self.rejections += other.rejections;
        self.paid += other.paid;
        self.failed += other.failed;
        self.closes += other.closes;
        self.agreements += other.agreements;
        self.cheats += other.cheats;
        self.punished += other.punished;
    }
}

/// A frame on its way.
struct Flight {
    from: usize,
    to: usize,
    session: u64,
    frame: Vec<u8>,
    again: bool,
}

/// The session of a pair.
#[derive(Clone, Copy, Debug, Default)]
struct Session {
    /// Which one; rises with each.
    number: u64,
    up: bool,
    /// Not again before.
    down_until: u64,
    /// Frames of either direction keep their order: not before.
    due: [u64; 2],
}

/// The whole town.
struct Town {
    dice: Dice,
    plant: Option<Plant>,
    trace: bool,
    now: u64,
    calm: bool,
    blocks: Blocks,
    domain: Domain,
    nodes: Vec<Node>,
    sessions: BTreeMap<(usize, usize), Session>,
    flying: BTreeMap<(u64, u64), Flight>,
    flights: u64,
    verifier: Verifier,
    witness: Witness,
    plan: plan::Plan,
    cheat: cheat::Cheat,
    report: Report,
}

/// Lives through a night; stores are kept in `space`, which should be memory.
///
/// # Errors
/// What did not hold, with the time at which it was seen.
pub fn live(night: &Night, space: &Path) -> Result<Report, String> {
    let mut town = Town::new(night, space);
    let lived = town.night(night.seconds);
    lived.map(|()| town.report).map_err(|why| {
        let (seed, at) = (night.seed, town.now - START);
        format!("night {seed}, second {at}: {why}")
    })
}

fn parameters() -> Parameters {
    Parameters {
        least_settle_timeout: Seconds(100),
        greatest_settle_timeout: Seconds(100_000),
        challenge: Seconds(120),
    }
}

fn timing() -> Timing {
    Timing {
        reveal_timeout: Seconds(180),
        hop_margin: Seconds(20),
        lock_duration: Seconds(600),
        claim_time: Seconds(400),
        expire_margin: Seconds(60),
    }
}

impl Town {
    fn new(night: &Night, space: &Path) -> Self {
        let mut dice = Dice::new(night.seed);
        let count = 3 + dice.index(3);
        let cheater = dice.once_in(2).then(|| dice.index(count));
        let keys: Vec<SigningKey> = (10_u8..)
            .take(count)
            .map(|number| SigningKey::from_bytes(&[number; 32]).expect("small numbers are keys"))
            .collect();
        let accounts: Vec<Address> = keys.iter().map(SigningKey::address).collect();
        let blocks = Blocks::new(&parameters(), &accounts, START);
        let domain = Domain::new(CHAIN_ID, blocks.network);
        let nodes = keys.into_iter().enumerate().map(|(place, key)| {
            let config = Config {
                account: key.address(),
                domain,
                parameters: parameters(),
                timing: timing(),
                fees: FeeSchedule { base: Amount(1), parts_per_million: 1_000 },
                least_lock: Amount(1),
            };
            Node::new(key, config, space.join(format!("{}-{place}", night.seed)))
        });
        let nodes: Vec<Node> = nodes.collect();
        let pairs = (0..count).flat_map(|one| (one + 1..count).map(move |other| (one, other)));
        Self {
            dice,
            plant: night.plant,
            trace: night.trace,
            now: START,
            calm: false,
            blocks,
            domain,
            nodes,
            sessions: pairs.map(|pair| (pair, Session::default())).collect(),
            flying: BTreeMap::new(),
            flights: 0,
            verifier: Verifier::new(),
            witness: Witness::default(),
            plan: plan::Plan::default(),
            cheat: cheat::Cheat::of(cheater),
            report: Report::default(),
        }
    }

    /// One second: what is due comes, blocks are mined, sessions come and go, owners want things.
    fn second(&mut self) -> Result<(), String> {
        self.now += 1;
        if self.now.is_multiple_of(BLOCK) {
            self.mine();
        }
        self.trouble();
        self.connect();
        let due: Vec<_> =
            self.flying.range(..=(self.now, u64::MAX)).map(|(name, _)| *name).collect();
        for name in due {
            if let Some(flight) = self.flying.remove(&name) {
                self.deliver(&flight);
            }
        }
        for who in 0..self.nodes.len() {
            if self.now.is_multiple_of(5) {
                // A clock that is wrong by up to a hop's margin.
                let wrong = self.dice.below(10);
                self.nodes[who].inbox.push_back(Input::Clock(Timestamp(self.now - wrong)));
            }
            self.turn(who)?;
        }
        Ok(())
    }

    fn mine(&mut self) {
        self.cheat_on_chain();
        let over = self.blocks.mine(self.now, &mut self.dice);
        self.report.blocks += 1;
        self.tell_outcomes(over);
        self.tell_chain();
    }

    fn tell_outcomes(&mut self, over: Vec<((usize, photon_core::IntentId), Result<(), String>)>) {
        for ((who, id), outcome) in over {
            if let Some(node) = self.nodes.get_mut(who) {
                node.inbox.push_back(Input::Submitted { id, outcome });
            }
        }
    }

    fn tell_chain(&mut self) {
        for who in 0..self.nodes.len() {
            // A node's endpoint may be silent for a while.
            if self.calm || !self.dice.once_in(5) {
                let hasty = self.plant == Some(Plant::NoDepth);
                self.nodes[who].follow(&self.blocks, hasty);
            }
        }
    }

    /// Whatever goes wrong in a second.
    fn trouble(&mut self) {
        if self.calm {
            return;
        }
        if self.dice.once_in(60) {
            let pairs: Vec<_> = self.sessions.keys().copied().collect();
            if let Some(pair) = self.dice.pick(&pairs).copied() {
                let longest = if self.dice.once_in(10) { 400 } else { 20 };
                let down = 1 + self.dice.below(longest);
                self.hang_up(pair, down);
            }
        }
        if self.dice.once_in(200) && self.blocks.head() > DEPTH {
            let depth = 1 + self.dice.below(DEPTH);
            let over = self.blocks.reorganise(depth, &mut self.dice);
            self.report.reorganisations += 1;
            if self.trace {
                println!("{} {depth} blocks are replaced", self.now - START);
            }
            self.tell_outcomes(over);
            self.tell_chain();
        }
    }

    fn connect(&mut self) {
        let (now, calm) = (self.now, self.calm);
        let mut fresh = Vec::new();
        for (pair, session) in &mut self.sessions {
            if !session.up && (calm || now >= session.down_until) {
                session.up = true;
                session.number += 1;
                session.due = [now; 2];
                fresh.push(*pair);
            }
        }
        for (one, other) in fresh {
            let [first, second] = [one, other].map(|who| self.nodes[who].account());
            self.nodes[one].inbox.push_back(Input::Connected(second));
            self.nodes[other].inbox.push_back(Input::Connected(first));
        }
    }

    /// The session breaks; what is in flight is lost.
    fn hang_up(&mut self, pair: (usize, usize), down: u64) {
        let Some(session) = self.sessions.get_mut(&pair) else { return };
        session.down_until = self.now + down;
        if !session.up {
            return;
        }
        session.up = false;
        self.report.breaks += 1;
        let (one, other) = pair;
        let of = |flight: &Flight| {
            [flight.from, flight.to] == [one, other] || [flight.from, flight.to] == [other, one]
        };
        self.flying.retain(|_, flight| !of(flight));
        let [first, second] = [one, other].map(|who| self.nodes[who].account());
        self.nodes[one].inbox.push_back(Input::Disconnected(second));
        self.nodes[other].inbox.push_back(Input::Disconnected(first));
    }

    fn deliver(&mut self, flight: &Flight) {
        let pair = (flight.from.min(flight.to), flight.from.max(flight.to));
        let current = self.sessions.get(&pair);
        if !current.is_some_and(|session| session.up && session.number == flight.session) {
            return;
        }
        self.report.doubles += u64::from(flight.again);
        self.cheat.hears(flight.to, &flight.frame);
        let [from, to] = [flight.from, flight.to].map(|who| self.nodes[who].account());
        let message = received(&self.verifier, &self.domain, from, to, &flight.frame);
        self.nodes[flight.to].inbox.push_back(Input::Message(message));
    }

    fn send(&mut self, from: usize, to: Address, frame: Vec<u8>) -> Result<(), String> {
        let account = self.nodes[from].account();
        self.witness.sent(account, &frame)?;
        let Some(to) = self.nodes.iter().position(|node| node.account() == to) else {
            return Ok(());
        };
        let pair = (from.min(to), from.max(to));
        let Some(session) = self.sessions.get_mut(&pair).filter(|session| session.up) else {
            return Ok(());
        };
        let delay = if self.calm { 0 } else { self.dice.below(4) };
        let due = &mut session.due[usize::from(from > to)];
        *due = (*due).max(self.now + 1 + delay);
        let (due, session) = (*due, session.number);
        self.flights += 1;
        if !self.calm && self.dice.once_in(50) {
            let double = Flight { from, to, session, frame: frame.clone(), again: true };
            self.flying.insert((due + self.dice.below(3), self.flights), double);
            self.flights += 1;
        }
        let flight = Flight { from, to, session, frame, again: false };
        self.flying.insert((due, self.flights), flight);
        Ok(())
    }

    /// A node handles all it has heard, in one commit, and may fall.
    fn turn(&mut self, who: usize) -> Result<(), String> {
        if self.nodes[who].inbox.is_empty() {
            return Ok(());
        }
        let inputs: Vec<Input> = self.nodes[who].inbox.drain(..).collect();
        for input in inputs {
            self.report.steps += 1;
            self.step(who, input)?;
        }
        let node = &mut self.nodes[who];
        let draft = node.engine().draft().map_err(|fault| fault.to_string())?;
        if draft.is_empty() {
            return Ok(());
        }
        let fall = if self.calm { 99 } else { self.dice.below(400) };
        let early = self.plant == Some(Plant::SendBeforeCommit) && fall == 0;
        if fall == 0 && !early {
            drop(draft);
            return self.fall(who);
        }
        let node = &mut self.nodes[who];
        let signatures = draft.digests().iter().map(|digest| node.key.sign(*digest)).collect();
        let before = early.then(|| rest::copy_of(&node.path));
        let outbox = node.engine().commit(draft, signatures).map_err(|fault| fault.to_string())?;
        self.report.commits += 1;
        self.check(who)?;
        if fall == 1 {
            drop(outbox);
            return self.fall(who);
        }
        for action in outbox {
            self.run(who, action)?;
        }
        if let Some(before) = before {
            self.nodes[who].forget(&before);
        }
        if fall <= 2 { self.fall(who) } else { Ok(()) }
    }

    fn step(&mut self, who: usize, input: Input) -> Result<(), String> {
        let told = self.trace.then(|| format!("{input:?}"));
        let answer = self.nodes[who].engine().step(input).map_err(|fault| fault.to_string())?;
        if let Some(told) = told {
            let refused = answer.as_ref().err();
            println!("{} node {who}: {told} {refused:?}", self.now - START);
        }
        self.report.rejections += u64::from(answer.is_err());
        Ok(())
    }

    fn run(&mut self, who: usize, action: Action) -> Result<(), String> {
        if self.trace && !matches!(action, Action::Send { .. }) {
            println!("{} node {who} does {action:?}", self.now - START);
        }
        match action {
            Action::Send { to, frames } => {
                for frame in frames {
                    self.send(who, to, frame)?;
                }
            }
            Action::Submit(intent) => self.submit(who, *intent),
            Action::Notify { notice, .. } => {
                let honest = self.cheat.who != Some(who);
                if let NoticeKind::Punished { payer, .. } = notice.kind {
                    let cheated = payer == self.nodes[who].account();
                    self.report.punished += u64::from(cheated);
                }
                if honest && check::accuses(&notice.kind) {
                    return Err(format!("an honest node accuses another: {:?}", notice.kind));
                }
            }
        }
        Ok(())
    }

    fn submit(&mut self, who: usize, mut intent: photon_core::Intent) {
        self.bend(who, &mut intent);
        let id = intent.id;
        let sent = Sent { who, from: self.nodes[who].account(), intent };
        if let Some(outcome) = self.blocks.submit(sent) {
            self.nodes[who].inbox.push_back(Input::Submitted { id, outcome });
        }
    }

    /// A node dies and comes back; its sessions break.
    fn fall(&mut self, who: usize) -> Result<(), String> {
        self.report.falls += 1;
        if self.trace {
            println!("{} node {who} falls", self.now - START);
        }
        let pairs: Vec<_> = self.sessions.keys().copied().collect();
        for pair in pairs.into_iter().filter(|(one, other)| [one, other].contains(&&who)) {
            let down = 1 + self.dice.below(10);
            self.hang_up(pair, down);
        }
        let node = &mut self.nodes[who];
        node.restart();
        node.inbox.push_back(Input::Clock(Timestamp(self.now)));
        let intents = self.nodes[who].machine().intents();
        let known: Vec<_> = intents.iter().map(|intent| intent.id).collect();
        self.blocks.forget(who, &known);
        intents.into_iter().for_each(|intent| self.submit(who, intent));
        self.nodes[who].follow(&self.blocks, self.plant == Some(Plant::NoDepth));
        self.check(who)
    }

    fn check(&self, who: usize) -> Result<(), String> {
        if self.cheat.who == Some(who) {
            return Ok(());
        }
        self.nodes[who].machine().channels().iter().try_for_each(check::sound)
    }
}
