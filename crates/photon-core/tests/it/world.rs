//! A few nodes named by letters, in one thread: messages go first in, first out; what a node must
//! not forget is kept as rows, so that it can be dropped and built again at any turn.

use photon_core::record::{LockKey, LockRecord, PaymentRecord, Recollection, Snapshot};
use photon_core::view::{NoticeKind, PaymentStatus, Target};
use photon_core::{
    Answer, Attempt, Change, Command, Config, Effect, Input, Intent, Machine, Notice, OpenedLock,
    PayCommand, Rejection, SignedMessage, Timing,
};
use photon_wire::claim::Domain;
use photon_wire::codec::{Decode, Encode};
use photon_wire::contract::{Call, Event, Parameters, Position};
use photon_wire::message::{ChannelStatus, Message, Operation, Update};
use photon_wire::onward::{ForTarget, Onward};
use photon_wire::record::FeeSchedule;
use photon_wire::{
    Address, Amount, BlockNumber, ChannelId, ChannelKey, Epoch, PaymentId, Seconds, Secret,
    Timestamp, Token,
};
use std::collections::{BTreeMap, VecDeque};

pub(crate) const TOKEN: Token = Token(Address::repeat_byte(0xee));
pub(crate) const START: u64 = 1_000_000;
pub(crate) const SETTLE_TIMEOUT: u64 = 10_000;
pub(crate) const CHALLENGE: u64 = 100;

pub(crate) fn account(name: char) -> Address {
    Address::repeat_byte(name as u8)
}

pub(crate) fn name(account: Address) -> char {
    account.0[0] as char
}

pub(crate) fn channel(one: char, other: char) -> ChannelId {
    ChannelKey::new(TOKEN, account(one), account(other)).unwrap().id()
}

/// The rows of one node.
#[derive(Default)]
pub(crate) struct Store {
    channels: BTreeMap<ChannelId, photon_core::record::ChannelRecord>,
    pub locks: BTreeMap<LockKey, LockRecord>,
    pub payments: BTreeMap<PaymentId, PaymentRecord>,
    updates: BTreeMap<(ChannelId, u64), Update>,
    rest: Snapshot,
    pub recollections: BTreeMap<ChannelId, Recollection>,
    pub notices: Vec<Notice>,
}

impl Store {
    fn apply(&mut self, change: Change) {
        match change {
            Change::Channel(row) => drop(self.channels.insert(row.id, *row)),
            Change::ChannelGone(id) => {
                self.channels.remove(&id);
                self.recollections.remove(&id);
            }
            Change::Lock(key, row) => drop(self.locks.insert(key, row)),
            Change::LockGone(key) => drop(self.locks.remove(&key)),
            Change::Acknowledged(id, nonce) => {
                self.updates.retain(|(channel, number), _| *channel != id || *number > nonce.0);
            }
            Change::Payment(row) => drop(self.payments.insert(row.id, row)),
            Change::Receipt(row) => self.rest.next_receipt = row.number + 1,
            Change::Invoice(row) => {
                self.rest.invoices.retain(|old| old.invoice != row.invoice);
                if row.paid.is_none() && !row.cancelled {
                    self.rest.invoices.push(row);
                }
            }
            Change::Intent(row) => self.rest.intents.push(row),
            Change::IntentGone(id) => self.rest.intents.retain(|row| row.intent.id != id),
            Change::Graph(row) => {
                self.rest.graph.retain(|old| old.channel != row.channel);
                self.rest.graph.push(row);
            }
            Change::GraphGone(id) => self.rest.graph.retain(|row| row.channel != id),
            Change::Node(row) => self.rest.nodes.push(row),
            Change::NodeGone(account) => self.rest.nodes.retain(|row| row.account != account),
            Change::Registered(hashes) => self.rest.registered.extend(hashes),
            Change::Block(row) => self.rest.block = Some(row),
            Change::Fees(id, fees) => {
                self.rest.fees.retain(|(old, _)| *old != id);
                self.rest.fees.push((id, fees));
            }
            Change::Notice(number, notice) => {
                self.rest.next_notice = number + 1;
                self.notices.push(notice);
            }
            Change::FeesGone(id) => self.rest.fees.retain(|(old, _)| *old != Some(id)),
            Change::Ended(id, row) => {
                self.rest.ended.retain(|(old, _)| *old != id);
                self.rest.ended.push((id, row));
            }
            Change::Disposal(id, dispose) => {
                self.recollections.entry(id).or_default().disposals.push(dispose);
            }
            Change::History(id, nonce, changes) => {
                self.recollections.entry(id).or_default().history.push((nonce, changes));
            }
            Change::HistoryGone { channel, from, to } => {
                let known = self.recollections.entry(channel).or_default();
                known.history.retain(|(nonce, _)| *nonce < from || *nonce > to);
            }
        }
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot {
            channels: self.channels.values().cloned().collect(),
            locks: self.locks.iter().map(|(key, row)| (*key, row.clone())).collect(),
            payments: self
                .payments
                .values()
                .filter(|row| row.status == PaymentStatus::Pending)
                .cloned()
                .collect(),
            ..self.rest.clone()
        }
    }
}

pub(crate) struct Node {
    pub machine: Machine,
    pub store: Store,
    pub submitted: Vec<Intent>,
}

pub(crate) struct World {
    pub nodes: BTreeMap<char, Node>,
    queue: VecDeque<(char, char, Message)>,
    pub chart: Vec<String>,
    /// Messages whose line in the chart contains one of these never arrive.
    pub lose: Vec<&'static str>,
    /// Every node is dropped and built again from its rows after each turn.
    pub restart_always: bool,
    pub time: u64,
    block: u64,
    index: u32,
    payments: u8,
    /// What everybody was told, and when each block was.
    log: Vec<(Position, Event)>,
    times: BTreeMap<u64, u64>,
}

pub(crate) fn timing() -> Timing {
    Timing {
        reveal_timeout: Seconds(100),
        hop_margin: Seconds(10),
        lock_duration: Seconds(1_000),
        claim_time: Seconds(500),
        expire_margin: Seconds(50),
    }
}

impl World {
    /// Nodes for these letters, all connected with each other.
    pub(crate) fn new(names: &str) -> Self {
        Self::with_fees(names, FeeSchedule::default())
    }

    pub(crate) fn with_fees(names: &str, fees: FeeSchedule) -> Self {
        let node = |name| {
            let config = Config {
                account: account(name),
                domain: Domain::new(1, Address::ZERO),
                parameters: Parameters {
                    least_settle_timeout: Seconds(10),
                    greatest_settle_timeout: Seconds(100_000),
                    challenge: Seconds(CHALLENGE),
                },
                timing: timing(),
                fees,
                least_lock: Amount(1),
            };
            let store = Store::default();
            (name, Node { machine: Machine::new(config), store, submitted: vec![] })
        };
        let mut world = Self {
            nodes: names.chars().map(node).collect(),
            queue: VecDeque::new(),
            chart: vec![],
            lose: vec![],
            restart_always: false,
            time: START,
            block: 1,
            index: 0,
            payments: 0,
            log: vec![],
            times: BTreeMap::new(),
        };
        world.mine(0);
        for one in names.chars() {
            for other in names.chars().filter(|other| *other != one) {
                world.give(one, Input::Connected(account(other))).unwrap();
            }
        }
        world
    }

    pub(crate) fn names(&self) -> Vec<char> {
        self.nodes.keys().copied().collect()
    }

    /// Gives a node one input and lets the turn take effect.
    pub(crate) fn give(&mut self, to: char, input: Input) -> Result<Answer, Rejection> {
        let answer = self.nodes.get_mut(&to).unwrap().machine.step(input);
        self.turn(to);
        answer
    }

    fn turn(&mut self, who: char) {
        let node = self.nodes.get_mut(&who).unwrap();
        let turn = node.machine.turn();
        for change in turn.changes {
            node.store.apply(change);
        }
        let (mut out, mut recalled) = (vec![], vec![]);
        for effect in turn.effects {
            match effect {
                Effect::SendUpdate { to, update } => {
                    node.store.updates.insert((update.channel, update.nonce.0), update.clone());
                    out.push((to, Message::Update(update)));
                }
                Effect::SendDispose { to, dispose } => out.push((to, Message::Dispose(dispose))),
                Effect::SendAgreeWithdraw { to, agree } => {
                    out.push((to, Message::AgreeWithdraw(agree)));
                }
                Effect::SendAgreeSettle { to, agree } => {
                    out.push((to, Message::AgreeSettle(agree)));
                }
                Effect::Recall { channel, after } => {
                    let known = node.store.recollections.get(&channel).cloned();
                    let mut recollection = known.unwrap_or_default();
                    recollection.history.retain(|(nonce, _)| *nonce > after);
                    let recollection = Box::new(recollection);
                    recalled.push(Input::Recalled { channel, recollection });
                }
                Effect::Send { to, message } => out.push((to, message)),
                Effect::Resend { to, channel, after } => {
                    let from = (channel, after.0 + 1)..=(channel, u64::MAX);
                    let stored = node.store.updates.range(from);
                    out.extend(stored.map(|(_, update)| (to, Message::Update(update.clone()))));
                }
                Effect::Submit(intent) => node.submitted.push(intent),
                Effect::Notify(..) => {}
            }
        }
        self.queue.extend(out.into_iter().map(|(to, message)| (who, name(to), message)));
        if self.restart_always {
            self.rebuild(who);
        }
        for input in recalled {
            self.give(who, input).unwrap();
        }
    }

    /// Drops a node and builds it again from its rows; its sessions come up again.
    pub(crate) fn restart(&mut self, who: char) {
        self.rebuild(who);
        self.queue.retain(|(from, to, _)| *from != who && *to != who);
        for other in self.names().into_iter().filter(|other| *other != who) {
            self.give(other, Input::Disconnected(account(who))).unwrap();
            self.give(other, Input::Connected(account(who))).unwrap();
            self.give(who, Input::Connected(account(other))).unwrap();
        }
    }

    fn rebuild(&mut self, who: char) {
        let time = self.time;
        let node = self.nodes.get_mut(&who).unwrap();
        let online = node.machine.online();
        let config = *node.machine.config();
        let before = node.machine.channels();
        node.machine = Machine::restore(config, node.store.snapshot());
        let _ = node.machine.step(Input::Clock(Timestamp(time)));
        if self.restart_always {
            for account in online {
                node.machine.step(Input::Connected(account)).unwrap();
            }
            for row in node.store.channels.values() {
                // Where the partner stood when it said so last.
                let status = ChannelStatus {
                    channel: row.id,
                    epoch: row.epoch,
                    sent: row.theirs.nonce,
                    received: row.acknowledged,
                    asks: false,
                };
                let (from, message) = (row.partner, Message::Reestablish(vec![status]));
                let said = SignedMessage { from, message, signer: None, opened: vec![] };
                node.machine.step(Input::Message(said)).unwrap();
            }
            node.machine.turn();
            assert_eq!(node.machine.channels(), before, "rows of {who} miss something");
        }
    }

    /// Delivers until nobody has anything to say.
    pub(crate) fn run(&mut self) -> &mut Self {
        while self.deliver_one() {}
        self
    }

    pub(crate) fn deliver_one(&mut self) -> bool {
        let Some((from, to, message)) = self.queue.pop_front() else { return false };
        let line = format!("{from} -> {to} {}", describe(&message));
        let lost = self.lose.iter().any(|part| line.contains(part));
        if !matches!(message, Message::Reestablish(_) | Message::Records(_)) {
            self.chart.push(if lost { format!("{line} (lost)") } else { line });
        }
        if !lost {
            let opened = open(&message);
            let signed =
                SignedMessage { from: account(from), message, signer: Some(account(from)), opened };
            let _ = self.give(to, Input::Message(signed));
        }
        true
    }

    /// Delivers the next message of some session: those of one session keep their order.
    pub(crate) fn deliver_any(&mut self, lot: usize) -> bool {
        let Some(lot) = lot.checked_rem(self.queue.len()) else { return false };
        let (from, to, _) = &self.queue[lot];
        let is_same = |message: &(char, char, Message)| (message.0, message.1) == (*from, *to);
        let first = self.queue.iter().position(is_same).unwrap();
        let message = self.queue.remove(first).unwrap();
        self.queue.push_front(message);
        self.deliver_one()
    }

    /// Tells everybody what the contract said, in a block of its own.
    pub(crate) fn event(&mut self, event: Event) {
        self.same_block(event);
        self.mine(1);
    }

    /// Tells everybody what the contract said; the block goes on.
    pub(crate) fn same_block(&mut self, event: Event) {
        self.index += 1;
        let position = Position {
            block: BlockNumber(self.block),
            time: Timestamp(self.time),
            index: self.index,
        };
        for name in self.names() {
            self.give(name, Input::Contract(position, event.clone())).unwrap();
        }
        self.log.push((position, event));
    }

    /// The newest blocks, this many, are replaced by others in which the same happens; one node
    /// had believed in them.
    pub(crate) fn reorganise(&mut self, who: char, blocks: u64) {
        let kept = self.times.range(..=self.block.saturating_sub(blocks)).next_back();
        let Some((kept, time)) = kept.map(|(kept, time)| (*kept, *time)) else { return };
        let time = Timestamp(time);
        self.give(who, Input::Reorganised { kept: BlockNumber(kept), time }).unwrap();
        for (position, event) in self.log.clone() {
            if position.block.0 > kept {
                self.give(who, Input::Contract(position, event)).unwrap();
            }
        }
        let (number, time) = (BlockNumber(self.block), Timestamp(self.time));
        self.give(who, Input::Block { number, time, head_time: time }).unwrap();
    }

    /// What one node alone has heard from its chain by now.
    pub(crate) fn tell(&mut self, who: char, event: Event) {
        self.index += 1;
        let (block, time) = (BlockNumber(self.block), Timestamp(self.time));
        let position = Position { block, time, index: self.index };
        self.give(who, Input::Contract(position, event)).unwrap();
    }

    /// Says what an honest node would never say; only its signature is right.
    pub(crate) fn say(
        &mut self,
        from: char,
        to: char,
        message: Message,
    ) -> Result<Answer, Rejection> {
        let opened = open(&message);
        let (from, signer) = (account(from), Some(account(from)));
        self.give(to, Input::Message(SignedMessage { from, message, signer, opened }))
    }

    /// A new block, this much later.
    pub(crate) fn mine(&mut self, later: u64) {
        self.time += later;
        self.block += 1;
        self.times.insert(self.block, self.time);
        for name in self.names() {
            let (number, time) = (BlockNumber(self.block), Timestamp(self.time));
            self.give(name, Input::Block { number, time, head_time: time }).unwrap();
        }
    }

    /// A new block, this much later, that one node alone has seen.
    pub(crate) fn mine_for(&mut self, who: char, later: u64) {
        self.time += later;
        self.block += 1;
        self.times.insert(self.block, self.time);
        let (number, time) = (BlockNumber(self.block), Timestamp(self.time));
        self.give(who, Input::Block { number, time, head_time: time }).unwrap();
    }

    /// The number of the newest block.
    pub(crate) fn block(&self) -> BlockNumber {
        BlockNumber(self.block)
    }

    /// Somebody closes, with no proof.
    pub(crate) fn close(&mut self, closer: char, other: char) {
        let (channel, epoch) = (channel(closer, other), Epoch(1));
        let update_until = Timestamp(self.time + SETTLE_TIMEOUT);
        self.event(Event::ChannelClosed { channel, epoch, closer: account(closer), update_until });
    }

    /// The first one has deposited this much more, and alone has seen it.
    pub(crate) fn open_only(&mut self, one: char, other: char, more: u128) {
        let view = self.nodes[&one].machine.channel(channel(one, other)).unwrap();
        let deposit = view.ours.deposit.saturating_add(Amount(more));
        let (channel, epoch, participant) = (channel(one, other), Epoch(1), account(one));
        self.tell(one, Event::Deposited { channel, epoch, participant, deposit });
    }

    /// A channel with these deposits.
    pub(crate) fn open(&mut self, one: char, deposit: u128, other: char, other_deposit: u128) {
        let key = ChannelKey::new(TOKEN, account(one), account(other)).unwrap();
        let epoch = Epoch(1);
        let settle_timeout = Seconds(SETTLE_TIMEOUT);
        self.event(Event::ChannelOpened { key, epoch, settle_timeout });
        for (who, deposit) in [(one, deposit), (other, other_deposit)] {
            if deposit > 0 {
                let (channel, participant) = (key.id(), account(who));
                let deposit = Amount(deposit);
                self.event(Event::Deposited { channel, epoch, participant, deposit });
            }
        }
        self.run();
        self.chart.clear();
    }

    /// Starts a payment with up to three attempts.
    pub(crate) fn pay(
        &mut self,
        from: char,
        to: char,
        amount: u128,
        locked: bool,
    ) -> Result<PaymentId, Rejection> {
        self.payments += 1;
        let payment = PaymentId([self.payments; 16]);
        let attempt = |number: u8| {
            let secret = Secret([self.payments.wrapping_mul(8).wrapping_add(number); 32]);
            let amount = Amount(amount);
            let contents =
                ForTarget { payment, amount, secret: Some(secret.clone()), note: vec![] };
            let sealed = contents.to_bytes();
            Attempt { secret_hash: secret.hash(), secret: Some(secret), sealed }
        };
        let command = PayCommand {
            payment,
            target: Target { token: TOKEN, account: account(to), amount: Amount(amount) },
            max_fee: Amount(1_000),
            note: vec![],
            invoice: None,
            locked,
            attempts: (1..4).map(attempt).collect(),
        };
        self.give(from, Input::Command(Command::Pay(command))).map(|_| payment)
    }

    pub(crate) fn status(&self, who: char, payment: PaymentId) -> PaymentStatus {
        self.nodes[&who].store.payments[&payment].status.clone()
    }

    /// `spendable+locked` of both sides, each side by its own view.
    pub(crate) fn balances(&self, one: char, other: char) -> String {
        let id = channel(one, other);
        let view = |name| self.nodes[&name].machine.channel(id).unwrap();
        let (a, b) = (view(one), view(other));
        assert_eq!((a.ours, a.theirs), (b.theirs, b.ours), "views of {one} and {other} differ");
        let side = |end: photon_core::view::EndView| match end.locked.0 {
            0 => format!("{}", end.spendable),
            locked => format!("{}+{locked}", end.spendable),
        };
        format!("{}/{}", side(a.ours), side(a.theirs))
    }
}

/// What a node has told the contract.
pub(crate) fn calls(world: &World, who: char) -> Vec<Call> {
    world.nodes[&who].submitted.iter().map(|intent| intent.call.clone()).collect()
}

/// Why agreements of a node came to nothing.
pub(crate) fn fails(world: &World, who: char) -> Vec<&'static str> {
    let fails = world.nodes[&who].store.notices.iter().filter_map(|notice| match notice.kind {
        NoticeKind::WithdrawFailed { rule, .. }
        | NoticeKind::CooperativeSettleFailed { rule, .. } => Rejection::code_of(rule),
        _ => None,
    });
    fails.collect()
}

/// Opens what ends at the receiver, as the edge of a real node does with its key.
pub(crate) fn open(message: &Message) -> Vec<OpenedLock> {
    let Message::Update(update) = message else { return vec![] };
    let opened = update.operations.iter().enumerate().filter_map(|(operation, lock)| {
        let Operation::Lock { onward, .. } = lock else { return None };
        let packet = Onward::from_bytes(onward).ok()?;
        let contents = ForTarget::from_bytes(&packet.sealed).ok()?;
        packet.hops.is_empty().then_some(OpenedLock { operation, contents })
    });
    opened.collect()
}

fn describe(message: &Message) -> String {
    match message {
        Message::Hello(_) => "Hello".into(),
        Message::Reestablish(_) => "Reestablish".into(),
        Message::Update(update) => {
            let names: Vec<&str> = update.operations.iter().map(operation_name).collect();
            format!("Update[{}]", names.join(" "))
        }
        Message::Acknowledge(acknowledge) => format!("Acknowledge {}", acknowledge.nonce),
        Message::Refuse(refuse) => format!("Refuse {}", refuse.rule),
        Message::Reveal(secrets) => format!("Reveal {}", secrets.len()),
        Message::Dispose(dispose) => format!("Dispose {}", dispose.locks[0].failure.reason.code()),
        Message::Records(_) => "Records".into(),
        Message::RequestWithdraw(request) => format!("RequestWithdraw {}", request.withdrawn),
        Message::AgreeWithdraw(agree) => format!("AgreeWithdraw {}", agree.withdrawn),
        Message::ProposeSettle(propose) => {
            format!("ProposeSettle {}/{}", propose.transferred_low, propose.transferred_high)
        }
        Message::AgreeSettle(agree) => {
            format!("AgreeSettle {}/{}", agree.transferred_low, agree.transferred_high)
        }
        Message::Decline(decline) => format!("Decline {}", decline.rule),
    }
}

fn operation_name(operation: &Operation) -> &'static str {
    match operation {
        Operation::Pay { .. } => "pay",
        Operation::Lock { .. } => "lock",
        Operation::Unlock { .. } => "unlock",
        Operation::Expire { .. } => "expire",
        Operation::Drop { .. } => "drop",
    }
}
