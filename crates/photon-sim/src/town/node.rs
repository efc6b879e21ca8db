//! One node: the real engine over a store in memory, what it follows of the chain, what it hears.

use std::collections::VecDeque;
use std::path::PathBuf;

use photon_core::{Config, Input, OpenedLock, SignedMessage};
use photon_engine::Engine;
use photon_wire::claim::{Claim as _, Domain};
use photon_wire::codec::Decode as _;
use photon_wire::message::{Message, Operation};
use photon_wire::onward::{ForTarget, Onward};
use photon_wire::{Address, BlockNumber, SigningKey, Timestamp, Verifier};

use super::blocks::{Blocks, DEPTH};
use super::rest::Copy;

/// A node of the town.
pub(super) struct Node {
    pub key: SigningKey,
    pub config: Config,
    pub path: PathBuf,
    engine: Option<Engine>,
    /// What it has not handled.
    pub inbox: VecDeque<Input>,
    /// The last block whose events were told as deep enough.
    told: u64,
    /// Newer blocks whose events were told as seen: number and id.
    seen: Vec<(u64, u64)>,
}

impl Node {
    pub(super) fn new(key: SigningKey, config: Config, path: PathBuf) -> Self {
        let (inbox, seen) = (VecDeque::new(), Vec::new());
        let mut node = Self { key, config, path, engine: None, inbox, told: 0, seen };
        node.restart();
        node
    }

    pub(super) fn account(&self) -> Address {
        self.config.account
    }

    pub(super) fn engine(&mut self) -> &mut Engine {
        self.engine.as_mut().expect("it runs")
    }

    pub(super) fn machine(&self) -> &photon_core::Machine {
        self.engine.as_ref().expect("it runs").machine()
    }

    /// Drops all that is in memory and begins again from the store.
    pub(super) fn restart(&mut self) {
        self.engine = None;
        let engine = Engine::open(&self.path, self.config);
        self.engine = Some(engine.unwrap_or_else(|fault| panic!("a store opens again: {fault}")));
        self.inbox.clear();
        self.seen.clear();
        self.told = self.machine().block().map_or(0, |block| block.number.0);
    }

    /// The store is again as it was in this copy. A restart has to follow.
    pub(super) fn forget(&mut self, copy: &Copy) {
        self.engine = None;
        copy.put(&self.path);
    }

    /// Hears of the chain what it has not heard: first what is deep enough, then what is not.
    pub(super) fn follow(&mut self, blocks: &Blocks, hasty: bool) {
        let head = blocks.head();
        let gone =
            |(number, id): &(u64, u64)| blocks.block(*number).is_none_or(|block| block.id != *id);
        if let Some(place) = self.seen.iter().position(gone) {
            let from = BlockNumber(self.seen[place].0);
            self.seen.truncate(place);
            self.inbox.push_back(Input::Unseen { from });
        }
        let head_time = Timestamp(blocks.block(head).map_or(0, |block| block.time));
        let deep = if hasty { head } else { head.saturating_sub(DEPTH) };
        for number in self.told + 1..=deep {
            let Some(block) = blocks.block(number) else { break };
            let said = block.events.into_iter();
            self.inbox.extend(said.map(|(position, event)| Input::Contract(position, event)));
            let (number, time) = (BlockNumber(number), Timestamp(block.time));
            self.inbox.push_back(Input::Block { number, time, head_time });
            self.told = number.0;
        }
        let told = self.told;
        self.seen.retain(|(number, _)| *number > told);
        let from = self.seen.last().map_or(told, |(number, _)| *number);
        for number in from + 1..=head {
            let Some(block) = blocks.block(number) else { break };
            self.seen.push((number, block.id));
            let said = block.events.into_iter();
            self.inbox.extend(said.map(|(position, event)| Input::Seen(position, event)));
        }
    }
}

/// What a frame becomes at the edge of the node that gets it: decoded, its signer known, opened.
pub(super) fn received(
    verifier: &Verifier,
    domain: &Domain,
    from: Address,
    to: Address,
    frame: &[u8],
) -> SignedMessage {
    let message = Message::from_bytes(frame).expect("an honest node sends what can be read");
    let (digest, signature) = match &message {
        Message::Update(update) => (update.proof(from).digest(domain), update.signature),
        Message::Dispose(dispose) => (dispose.disposal(to).digest(domain), dispose.signature),
        Message::AgreeWithdraw(agree) => (agree.claim(to).digest(domain), agree.signature),
        Message::AgreeSettle(agree) => (agree.claim().digest(domain), agree.signature),
        Message::Hello(_)
        | Message::Reestablish(_)
        | Message::Acknowledge(_)
        | Message::Refuse(_)
        | Message::Reveal(_)
        | Message::Records(_)
        | Message::RequestWithdraw(_)
        | Message::ProposeSettle(_)
        | Message::Decline(_) => {
            return SignedMessage { from, message, signer: None, opened: Vec::new() };
        }
    };
    let signer = verifier.signer(digest, &signature).ok();
    let opened = if let Message::Update(update) = &message {
        opened(&update.operations)
    } else {
        Vec::new()
    };
    SignedMessage { from, message, signer, opened }
}

/// Here "sealed" means merely encoded.
fn opened(operations: &[Operation]) -> Vec<OpenedLock> {
    let mut all = Vec::new();
    for (operation, change) in operations.iter().enumerate() {
        if let Operation::Lock { onward, .. } = change
            && let Ok(packet) = Onward::from_bytes(onward)
            && packet.hops.is_empty()
            && let Ok(contents) = ForTarget::from_bytes(&packet.sealed)
        {
            all.push(OpenedLock { operation, contents });
        }
    }
    all
}
