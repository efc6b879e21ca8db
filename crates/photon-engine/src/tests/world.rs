//! Two nodes, a channel between them, a network that loses what is in flight when one falls.

use crate::load;
use crate::{Action, Engine, Fault};
use photon_core::record::InvoiceRecord;
use photon_core::view::{ChannelView, PaymentStatus, Target};
use photon_core::{
    Answer, Attempt, Command, Config, Input, Machine, OpenedLock, PayCommand, Rejection,
    SignedMessage, Timing,
};
use photon_wire::claim::{Claim, Domain};
use photon_wire::codec::{Decode, Encode};
use photon_wire::contract::{Event, Parameters, Position};
use photon_wire::invoice::Invoice;
use photon_wire::message::{ChannelStatus, Message, Operation};
use photon_wire::onward::{ForTarget, Onward};
use photon_wire::record::FeeSchedule;
use photon_wire::seal::EncryptionKey;
use photon_wire::{
    Address, Amount, BlockNumber, ChannelId, ChannelKey, Epoch, Nonce, PaymentId, Seconds, Secret,
    Signature, SigningKey, Timestamp, Token, Verifier,
};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub(super) const TOKEN: Token = Token(Address::repeat_byte(0x70));
pub(super) const NOW: u64 = 1_800_000_000;
pub(super) const DEPOSIT: Amount = Amount(1_000_000);

pub(super) fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32]).unwrap()
}

pub(super) fn domain() -> Domain {
    Domain::new(1337, Address::repeat_byte(0xC0))
}

pub(super) fn config(account: Address) -> Config {
    Config {
        account,
        domain: domain(),
        parameters: Parameters {
            least_settle_timeout: Seconds(100),
            greatest_settle_timeout: Seconds(1_000_000),
            challenge: Seconds(100),
        },
        timing: Timing::default(),
        fees: FeeSchedule::default(),
        least_lock: Amount(1),
    }
}

/// Where a node falls in a turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Crash {
    /// Its draft is never committed.
    Uncommitted,
    /// Committed, but nothing leaves.
    Unsent,
    /// Everything has left.
    Sent,
}

pub(super) struct Node {
    pub(super) key: SigningKey,
    path: PathBuf,
    engine: Option<Engine>,
}

impl Node {
    pub(super) fn open(key: SigningKey, path: &Path) -> Self {
        let mut node = Self { key, path: path.into(), engine: None };
        node.restart();
        node
    }

    pub(super) fn account(&self) -> Address {
        self.key.address()
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn engine(&mut self) -> &mut Engine {
        self.engine.as_mut().expect("it runs")
    }

    pub(super) fn machine(&self) -> &Machine {
        self.engine.as_ref().expect("it runs").machine()
    }

    pub(super) fn stop(&mut self) {
        self.engine = None;
    }

    pub(super) fn restart(&mut self) {
        self.stop();
        self.engine = Some(Engine::open(&self.path, config(self.account())).unwrap());
    }

    pub(super) fn sign(&self, draft: &crate::Draft) -> Vec<Signature> {
        draft.digests().iter().map(|digest| self.key.sign(*digest)).collect()
    }

    /// One whole turn.
    pub(super) fn turn(&mut self, inputs: Vec<Input>) -> Result<Vec<Action>, Fault> {
        for input in inputs {
            let _ = self.engine().step(input)?;
        }
        let draft = self.engine().draft()?;
        let signatures = self.sign(&draft);
        let outbox = self.engine().commit(draft, signatures)?;
        Ok(outbox.collect())
    }

    /// What is stored leads to what is in memory.
    fn assert_stored(&self) {
        let engine = self.engine.as_ref().expect("it runs");
        let snapshot = load::snapshot(&engine.store().view()).unwrap();
        let restored = Machine::restore(config(self.account()), snapshot);
        assert_eq!(offline(&restored), offline(engine.machine()));
        assert_eq!(restored.block(), engine.machine().block());
        assert_eq!(restored.fees(None), engine.machine().fees(None));
        let running = engine.machine().intents();
        restored.intents().iter().for_each(|intent| assert!(running.contains(intent)));
    }
}

pub(super) fn offline(machine: &Machine) -> Vec<ChannelView> {
    let views = machine.channels().into_iter();
    views.map(|view| ChannelView { partner_online: false, ..view }).collect()
}

pub(super) struct World {
    _space: TempDir,
    pub(super) nodes: [Node; 2],
    flying: VecDeque<(usize, Vec<u8>)>,
    verifier: Verifier,
    /// Turns that had something to store so far, of both nodes.
    pub(super) turns: usize,
    /// In which turn somebody falls, and how.
    pub(super) crash: Option<(usize, Crash)>,
    /// Whether sessions are up.
    connected: bool,
}

impl World {
    pub(super) fn new() -> Self {
        let space = TempDir::new().unwrap();
        let nodes =
            [1, 2].map(|number| Node::open(key(number), &space.path().join(number.to_string())));
        Self {
            _space: space,
            nodes,
            flying: VecDeque::new(),
            verifier: Verifier::new(),
            turns: 0,
            crash: None,
            connected: false,
        }
    }

    pub(super) fn accounts(&self) -> [Address; 2] {
        [self.nodes[0].account(), self.nodes[1].account()]
    }

    pub(super) fn channel(&self) -> ChannelId {
        let [one, other] = self.accounts();
        ChannelKey::new(TOKEN, one, other).unwrap().id()
    }

    /// Opens the channel, funded by both, and connects the nodes.
    pub(super) fn begin(&mut self) {
        (0..2).for_each(|who| self.follow_chain(who));
        self.connect();
        self.settle();
    }

    /// Tells a node of the blocks that it has not handled.
    pub(super) fn follow_chain(&mut self, who: usize) {
        if self.nodes[who].machine().block().is_some() {
            return;
        }
        let [one, other] = self.accounts();
        let key = ChannelKey::new(TOKEN, one, other).unwrap();
        let (channel, epoch) = (key.id(), Epoch(1));
        let position = |index| Position { block: BlockNumber(1), time: Timestamp(NOW), index };
        let deposited =
            |participant| Event::Deposited { channel, epoch, participant, deposit: DEPOSIT };
        let opened = Event::ChannelOpened { key, epoch, settle_timeout: Seconds(100_000) };
        let time = Timestamp(NOW);
        self.turn(
            who,
            vec![
                Input::Contract(position(0), opened),
                Input::Contract(position(1), deposited(one)),
                Input::Contract(position(2), deposited(other)),
                Input::Block { number: BlockNumber(1), time, head_time: time },
            ],
        );
    }

    pub(super) fn connect(&mut self) {
        self.connected = true;
        let [one, other] = self.accounts();
        self.turn(0, vec![Input::Connected(other)]);
        self.turn(1, vec![Input::Connected(one)]);
    }

    /// One turn of a node, in which it may fall.
    pub(super) fn turn(
        &mut self,
        who: usize,
        inputs: Vec<Input>,
    ) -> Vec<Result<Answer, Rejection>> {
        let node = &mut self.nodes[who];
        let answers = inputs.into_iter().map(|input| node.engine().step(input).unwrap()).collect();
        let draft = node.engine().draft().unwrap();
        if draft.is_empty() {
            return answers;
        }
        self.turns += 1;
        let crash = self.crash.take_if(|(turn, _)| *turn == self.turns).map(|(_, crash)| crash);
        if crash == Some(Crash::Uncommitted) {
            drop(draft);
            self.fall(who);
            return answers;
        }
        let signatures = node.sign(&draft);
        let outbox = node.engine().commit(draft, signatures).unwrap();
        node.assert_stored();
        if crash != Some(Crash::Unsent) {
            for action in outbox {
                if let Action::Send { frames, .. } = action {
                    self.flying.extend(frames.into_iter().map(|frame| (1 - who, frame)));
                }
            }
        }
        if crash.is_some() {
            self.fall(who);
        }
        answers
    }

    /// A node dies and comes back; what was in flight to it is lost.
    fn fall(&mut self, who: usize) {
        self.nodes[who].restart();
        self.flying.retain(|(to, _)| *to != who);
        self.follow_chain(who);
        if self.connected {
            let [one, other] = self.accounts();
            let (gone, still) = if who == 0 { (one, other) } else { (other, one) };
            self.turn(1 - who, vec![Input::Disconnected(gone)]);
            self.flying.clear();
            self.turn(1 - who, vec![Input::Connected(gone)]);
            self.turn(who, vec![Input::Connected(still)]);
        }
    }

    /// Delivers until nobody has anything to say.
    pub(super) fn settle(&mut self) {
        while let Some((to, _)) = self.flying.front() {
            let to = *to;
            let mut inputs = Vec::new();
            while let Some((_, frame)) = self.flying.pop_front_if(|(other, _)| *other == to) {
                inputs.push(self.received(1 - to, &frame));
            }
            self.turn(to, inputs);
        }
    }

    fn received(&self, from: usize, frame: &[u8]) -> Input {
        let payer = self.nodes[from].account();
        let message = Message::from_bytes(frame).unwrap();
        let signer = match &message {
            Message::Update(update) => {
                self.verifier.signer(update.proof(payer).digest(&domain()), &update.signature).ok()
            }
            Message::Dispose(dispose) => {
                let payer = self.nodes[1 - from].account();
                let digest = dispose.disposal(payer).digest(&domain());
                self.verifier.signer(digest, &dispose.signature).ok()
            }
            Message::AgreeWithdraw(agree) => {
                let digest = agree.claim(self.nodes[1 - from].account()).digest(&domain());
                self.verifier.signer(digest, &agree.signature).ok()
            }
            Message::AgreeSettle(agree) => {
                self.verifier.signer(agree.claim().digest(&domain()), &agree.signature).ok()
            }
            Message::Hello(_)
            | Message::Reestablish(_)
            | Message::Acknowledge(_)
            | Message::Refuse(_)
            | Message::Reveal(_)
            | Message::Records(_)
            | Message::RequestWithdraw(_)
            | Message::ProposeSettle(_)
            | Message::Decline(_) => None,
        };
        let opened = if let Message::Update(update) = &message {
            opened(&update.operations)
        } else {
            Vec::new()
        };
        Input::Message(SignedMessage { from: payer, message, signer, opened })
    }

    pub(super) fn status(&self, who: usize, id: PaymentId) -> Option<PaymentStatus> {
        let history = self.nodes[who].engine.as_ref().expect("it runs").history();
        history.payment(id).unwrap().map(|record| record.status)
    }
}

/// Here "sealed" means merely encoded.
fn opened(operations: &[Operation]) -> Vec<OpenedLock> {
    let packets = operations.iter().enumerate().filter_map(|(operation, change)| match change {
        Operation::Lock { onward, .. } => Some((operation, Onward::from_bytes(onward).ok()?)),
        Operation::Pay { .. }
        | Operation::Unlock { .. }
        | Operation::Expire { .. }
        | Operation::Drop { .. } => None,
    });
    packets
        .filter_map(|(operation, packet)| {
            let contents = ForTarget::from_bytes(&packet.sealed).ok()?;
            Some(OpenedLock { operation, contents })
        })
        .collect()
}

/// A partner that holds nothing of ours says where it stands; before that nothing is signed.
pub(super) fn introduces(partner: Address, channel: ChannelId) -> Input {
    let none = Nonce(0);
    let status =
        ChannelStatus { channel, epoch: Epoch(1), sent: none, received: none, asks: false };
    let message = Message::Reestablish(vec![status]);
    Input::Message(SignedMessage { from: partner, message, signer: None, opened: Vec::new() })
}

pub(super) fn id(number: u8) -> PaymentId {
    PaymentId([number; 16])
}

/// A direct payment.
pub(super) fn pay(number: u8, to: Address, amount: u128) -> PayCommand {
    PayCommand {
        payment: id(number),
        target: Target { token: TOKEN, account: to, amount: Amount(amount) },
        max_fee: Amount(0),
        note: b"thanks".to_vec(),
        invoice: None,
        locked: false,
        attempts: Vec::new(),
    }
}

/// A payment with a lock whose secret the initiator drew.
pub(super) fn pay_locked(number: u8, to: Address, amount: u128) -> PayCommand {
    let secret = Secret([number; 32]);
    let sealed = ForTarget {
        payment: id(number),
        amount: Amount(amount),
        secret: Some(secret.clone()),
        note: Vec::new(),
    };
    let attempt =
        Attempt { secret_hash: secret.hash(), secret: Some(secret), sealed: sealed.to_bytes() };
    PayCommand { locked: true, attempts: vec![attempt], ..pay(number, to, amount) }
}

pub(super) fn invoice(key: &SigningKey, number: u8, amount: u128) -> (Invoice, Secret) {
    let secret = Secret([number; 32]);
    let invoice = Invoice {
        chain_id: domain().chain_id(),
        contract: domain().contract(),
        token: TOKEN,
        target: key.address(),
        amount: Some(Amount(amount)),
        secret_hash: secret.hash(),
        encryption_key: EncryptionKey([1; 32]),
        issued: Timestamp(NOW),
        expires: Timestamp(NOW + 100_000),
        description: "tea".into(),
        signature: Signature([0; 65]),
    };
    (invoice.sign(key), secret)
}

/// A payment of an invoice.
pub(super) fn pay_invoice(number: u8, invoice: &Invoice) -> PayCommand {
    let amount = invoice.amount.expect("the invoices of these tests ask for an amount");
    let sealed =
        ForTarget { payment: id(number), amount, secret: None, note: Vec::new() }.to_bytes();
    let attempt = Attempt { secret: None, secret_hash: invoice.secret_hash, sealed };
    PayCommand {
        invoice: Some(invoice.secret_hash),
        attempts: vec![attempt],
        ..pay(number, invoice.target, amount.0)
    }
}

pub(super) fn command(command: Command) -> Input {
    Input::Command(command)
}

pub(super) fn paying(pay: &PayCommand) -> Input {
    command(Command::Pay(pay.clone()))
}

pub(super) fn paid(record: Option<InvoiceRecord>) -> Option<Amount> {
    record.and_then(|record| record.paid)
}
