//! One node's state. [`Machine::step`] sends each input to its room; [`Machine::turn`] says what
//! must be stored and what may be done then.

use crate::agreement::effect_of;
use crate::channel::Channel;
use crate::config::Config;
use crate::effect::{Change, Effect, Intent, IntentId, Notice, Turn};
use crate::input::{Command, Input};
use crate::record::{
    BlockRecord, EndedRecord, GraphRecord, IntentRecord, InvoiceRecord, LockFate, LockKey,
    LockRecord, PaymentRecord, Purpose, Snapshot,
};
use crate::reject::Rejection;
use crate::route::Graph;
use crate::view::{ChannelView, NoticeKind};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use photon_wire::contract::Call;
use photon_wire::message::{Acknowledge, Dispose, Message};
use photon_wire::record::{FeeSchedule, NodeRecord};
use photon_wire::{
    Address, BlockNumber, ChannelId, ChannelKey, Nonce, PaymentId, SecretHash, Signature,
    Timestamp, Token,
};

/// What an accepted input led to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// It was taken.
    Done,
    /// The payment is under way, or known from before.
    Payment(PaymentId),
    /// A transaction for it is on its way.
    Intent(IntentId),
    /// The same, for this channel.
    Channel(ChannelId, IntentId),
}

/// What time it is, by whom.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock {
    /// The block up to which all events are known.
    pub(crate) block: Option<BlockRecord>,
    pub(crate) head: Timestamp,
    pub(crate) local: Timestamp,
}

impl Clock {
    /// The latest time that anybody shows: for asking whether it is still safe.
    pub(crate) fn now(&self) -> Timestamp {
        self.head.max(self.local)
    }

    /// The confirmed time of the chain: for asking whether it is over.
    pub(crate) fn past(&self) -> Timestamp {
        self.block.map_or(Timestamp(0), |block| block.time)
    }
}

/// The state machine of one node. It holds no key, clock, disk, socket or dice.
///
/// Methods are of three kinds: [`Machine::step`] moves the state in memory, [`Machine::turn`]
/// closes a turn, and everything else asks. What a turn says must be stored before any of its
/// effects is done.
#[derive(Debug)]
pub struct Machine {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) chain_reachable: bool,
    pub(crate) channels: BTreeMap<ChannelId, Channel>,
    pub(crate) locks: LockIndex,
    pub(crate) payments: BTreeMap<PaymentId, PaymentRecord>,
    /// Direct payments by the update that carries them.
    pub(crate) direct: BTreeMap<(ChannelId, Nonce), Vec<PaymentId>>,
    /// Directed pairs that failed in a payment that is still being tried.
    pub(crate) avoided: BTreeMap<PaymentId, BTreeSet<(Address, Address)>>,
    pub(crate) invoices: BTreeMap<SecretHash, InvoiceRecord>,
    /// Invoices of others that were paid in this turn; from then on the store remembers them.
    pub(crate) just_paid: BTreeMap<SecretHash, PaymentId>,
    pub(crate) intents: BTreeMap<Purpose, IntentRecord>,
    pub(crate) registering: BTreeSet<SecretHash>,
    /// Every secret that was ever registered, by anybody.
    pub(crate) registered: BTreeSet<SecretHash>,
    /// Registrations that are not deep enough yet: when, and in which block.
    pub(crate) seen_registered: BTreeMap<SecretHash, (Timestamp, BlockNumber)>,
    /// The last life of each pair that is over.
    pub(crate) ended: BTreeMap<ChannelId, EndedRecord>,
    pub(crate) graphs: BTreeMap<Token, Graph>,
    pub(crate) graph_rows: BTreeMap<ChannelId, GraphRecord>,
    pub(crate) nodes: BTreeMap<Address, NodeRecord>,
    pub(crate) fees: BTreeMap<Option<ChannelId>, FeeSchedule>,
    pub(crate) online: BTreeSet<Address>,
    /// Channels in which the partner may have said what we could not understand yet.
    pub(crate) behind: BTreeSet<ChannelId>,
    touched: BTreeSet<ChannelId>,
    pending: Turn,
    next_intent: u64,
    next_notice: u64,
    pub(crate) next_receipt: u64,
}

/// Where to find pending locks, by what is asked of them.
#[derive(Debug, Default)]
pub(crate) struct LockIndex {
    pub(crate) by_hash: BTreeMap<SecretHash, BTreeSet<LockKey>>,
    pub(crate) by_expiration: BTreeSet<(Timestamp, LockKey)>,
}

impl LockIndex {
    pub(crate) fn add(&mut self, key: LockKey, record: &LockRecord) {
        self.by_hash.entry(record.lock.secret_hash).or_default().insert(key);
        self.by_expiration.insert((record.lock.expiration, key));
    }

    pub(crate) fn remove(&mut self, key: LockKey, record: &LockRecord) {
        self.by_expiration.remove(&(record.lock.expiration, key));
        if let Some(keys) = self.by_hash.get_mut(&record.lock.secret_hash) {
            keys.remove(&key);
            if keys.is_empty() {
                self.by_hash.remove(&record.lock.secret_hash);
            }
        }
    }

    pub(crate) fn with_hash(&self, hash: SecretHash) -> Vec<LockKey> {
        self.by_hash.get(&hash).map(|keys| keys.iter().copied().collect()).unwrap_or_default()
    }
}

impl Machine {
    /// A node that has never done anything.
    pub fn new(config: Config) -> Self {
        Self::restore(config, Snapshot::default())
    }

    /// The node that these rows describe. It does nothing by itself: sessions that come up resend
    /// what is missing, and the next block looks after every dispute and deadline. The caller
    /// submits the snapshot's intents again.
    pub fn restore(config: Config, snapshot: Snapshot) -> Self {
        let next_intent = snapshot.intents.iter().map(|row| row.intent.id.0).max().unwrap_or(0);
        let mut machine = Self {
            config,
            clock: Clock { block: snapshot.block, ..Clock::default() },
            chain_reachable: true,
            channels: BTreeMap::new(),
            locks: LockIndex::default(),
            payments: snapshot.payments.into_iter().map(|row| (row.id, row)).collect(),
            direct: BTreeMap::new(),
            avoided: BTreeMap::new(),
            invoices: snapshot
                .invoices
                .into_iter()
                .map(|row| (row.invoice.secret_hash, row))
                .collect(),
            just_paid: BTreeMap::new(),
            intents: snapshot.intents.into_iter().map(|row| (row.purpose, row)).collect(),
            registering: BTreeSet::new(),
            registered: snapshot.registered.into_iter().collect(),
            seen_registered: BTreeMap::new(),
            ended: snapshot.ended.into_iter().collect(),
            graphs: BTreeMap::new(),
            graph_rows: BTreeMap::new(),
            nodes: BTreeMap::new(),
            fees: snapshot.fees.into_iter().collect(),
            online: BTreeSet::new(),
            behind: BTreeSet::new(),
            touched: BTreeSet::new(),
            pending: Turn::default(),
            next_intent: next_intent.saturating_add(1),
            next_notice: snapshot.next_notice,
            next_receipt: snapshot.next_receipt,
        };
        machine.clock.head = machine.clock.past();
        for record in snapshot.channels {
            machine.channels.insert(record.id, Channel::restore(config.account, record));
        }
        machine.restore_locks(snapshot.locks);
        machine.restore_directs();
        snapshot.graph.into_iter().for_each(|row| machine.add_to_graph(row));
        snapshot.nodes.into_iter().for_each(|record| machine.add_record(record));
        machine
    }

    fn restore_locks(&mut self, locks: Vec<(LockKey, LockRecord)>) {
        for (key, record) in locks {
            self.locks.add(key, &record);
            if let Some(channel) = self.channels.get_mut(&key.channel) {
                let end = if key.ours { &mut channel.ours } else { &mut channel.theirs };
                end.restore_lock(key.slot, record);
            }
        }
        for record in self.intents.values() {
            if let Call::RegisterSecrets(secrets) = &record.intent.call {
                self.registering.extend(secrets.iter().map(|secret| secret.hash()));
            }
        }
    }

    fn restore_directs(&mut self) {
        for payment in self.payments.values() {
            if let Some(carrier) = payment.direct {
                self.direct.entry(carrier).or_default().push(payment.id);
            }
        }
    }

    /// Takes one input. What it leads to is in the next [`Machine::turn`].
    ///
    /// # Errors
    /// A rule is broken; then nothing has changed.
    pub fn step(&mut self, input: Input) -> Result<Answer, Rejection> {
        match input {
            Input::Command(command) => self.on_command(command),
            Input::Message(message) => self.on_message(message).map(|()| Answer::Done),
            Input::Connected(account) => self.on_connected(account),
            Input::Disconnected(account) => {
                self.online.remove(&account);
                Ok(Answer::Done)
            }
            Input::Contract(position, event) => self.on_event(position, event),
            Input::Seen(position, event) => {
                self.on_seen(position, event);
                Ok(Answer::Done)
            }
            Input::Unseen { from } => {
                self.on_unseen(from);
                Ok(Answer::Done)
            }
            Input::Reorganised { kept, time } => {
                self.on_reorganised(BlockRecord { number: kept, time });
                Ok(Answer::Done)
            }
            Input::Recalled { channel, recollection } => {
                self.on_recalled(channel, &recollection);
                Ok(Answer::Done)
            }
            Input::Block { number, time, head_time } => {
                self.on_block(BlockRecord { number, time }, head_time)
            }
            Input::Clock(local) => {
                self.clock.local = local;
                self.on_time()
            }
            Input::ChainReachable(reachable) => {
                self.chain_reachable = reachable;
                Ok(Answer::Done)
            }
            Input::Submitted { id, outcome } => self.on_submitted(id, outcome.is_ok()),
        }
    }

    fn on_command(&mut self, command: Command) -> Result<Answer, Rejection> {
        match command {
            Command::OpenChannel { token, partner, settle_timeout, deposit, way } => {
                self.open_channel(token, partner, settle_timeout, deposit, way)
            }
            Command::Deposit { channel, participant, amount, way } => {
                self.deposit(channel, participant, amount, way)
            }
            Command::Withdraw { channel, amount } => self.withdraw(channel, amount),
            Command::SettleCooperatively { channel, drain } => self.settle_together(channel, drain),
            Command::CancelSettle(channel) => self.cancel_settle(channel),
            Command::CloseChannel(channel) => self.close_channel(channel),
            Command::SettleChannel(channel) => self.settle_channel(channel),
            Command::Pay(pay) => self.pay(pay),
            Command::AddInvoice { invoice, secret } => self.add_invoice(invoice, secret),
            Command::ReleaseInvoice(secret) => self.release_invoice(secret),
            Command::CancelInvoice(hash) => self.cancel_invoice(hash),
            Command::SetFees { channel, fees } => self.set_fees(channel, fees),
            Command::AddRecords(records) => {
                self.spread_records(None, records);
                Ok(Answer::Done)
            }
        }
    }

    /// Closes the turn: one update for all that was sent in each channel since the last one.
    pub fn turn(&mut self) -> Turn {
        for id in core::mem::take(&mut self.touched) {
            self.close_channel_turn(id);
        }
        self.just_paid.clear();
        core::mem::take(&mut self.pending)
    }

    fn close_channel_turn(&mut self, id: ChannelId) {
        let term = self.term();
        let Some(channel) = self.channels.get_mut(&id) else { return };
        channel.close_batch();
        let online = self.online.contains(&channel.partner);
        if online {
            channel.propose_if_quiet(term);
        }
        if cfg!(debug_assertions) {
            channel.assert_sound();
        }
        let turn = &mut self.pending;
        let to = channel.partner;
        turn.changes.extend(channel.history_changes());
        if core::mem::take(&mut channel.dirty.head) {
            turn.changes.push(Change::Channel(Box::new(channel.record())));
        }
        if core::mem::take(&mut channel.dirty.acknowledged) {
            turn.changes.push(Change::Acknowledged(id, channel.acknowledged));
        }
        for (ours, slot) in core::mem::take(&mut channel.dirty.locks) {
            let key = LockKey { channel: id, ours, slot };
            turn.changes.push(match channel.lock(key) {
                Some(record) => Change::Lock(key, record.clone()),
                None => Change::LockGone(key),
            });
        }
        if core::mem::take(&mut channel.acknowledge) && online {
            let nonce = channel.theirs.head.nonce;
            let message =
                Message::Acknowledge(Acknowledge { channel: id, epoch: channel.epoch, nonce });
            turn.effects.push(Effect::Send { to, message });
        }
        let secrets = core::mem::take(&mut channel.reveal);
        for chunk in secrets.chunks(photon_wire::limits::SECRETS) {
            if online {
                let message = Message::Reveal(chunk.to_vec());
                turn.effects.push(Effect::Send { to, message });
            }
        }
        let disposed = core::mem::take(&mut channel.dispose);
        for locks in disposed.chunks(photon_wire::limits::DISPOSED_LOCKS) {
            let dispose = Dispose {
                channel: id,
                epoch: channel.epoch,
                locks: locks.to_vec(),
                signature: Signature([0; 65]),
            };
            if online {
                turn.effects.push(Effect::SendDispose { to, dispose });
            }
        }
        for update in core::mem::take(&mut channel.ready) {
            turn.effects.push(Effect::SendUpdate { to, update });
        }
        let nonces = (channel.ours.head.nonce, channel.theirs.head.nonce);
        for saying in core::mem::take(&mut channel.say).into_iter().filter(|_| online) {
            turn.effects.push(effect_of(saying, to, id, channel.epoch, nonces));
        }
    }

    /// The channel of this name, to be changed in this turn.
    pub(crate) fn channel_mut(&mut self, id: ChannelId) -> Option<&mut Channel> {
        let channel = self.channels.get_mut(&id)?;
        self.touched.insert(id);
        Some(channel)
    }

    /// The channel with this partner.
    pub(crate) fn to(&self, token: Token, partner: Address) -> Option<&Channel> {
        let key = ChannelKey::new(token, self.config.account, partner)?;
        self.channels.get(&key.id())
    }

    pub(crate) fn with(&self, id: ChannelId) -> Result<&Channel, Rejection> {
        self.channels.get(&id).ok_or(Rejection::UnknownChannel { channel: id })
    }

    pub(crate) fn lock(&self, key: LockKey) -> Option<&LockRecord> {
        self.channels.get(&key.channel)?.lock(key)
    }

    pub(crate) fn lock_mut(&mut self, key: LockKey) -> Option<&mut LockRecord> {
        self.channel_mut(key.channel)?.lock_mut(key)
    }

    /// Whether a lock is pending whose fate is open.
    pub(crate) fn is_undecided(&self, key: LockKey) -> bool {
        self.lock(key).is_some_and(|record| record.fate == LockFate::Open)
    }

    pub(crate) fn change(&mut self, change: Change) {
        self.pending.changes.push(change);
    }

    pub(crate) fn effect(&mut self, effect: Effect) {
        self.pending.effects.push(effect);
    }

    pub(crate) fn notify(&mut self, kind: NoticeKind) {
        let notice = Notice { at: self.clock.now(), kind };
        let number = self.next_notice;
        self.next_notice = number.saturating_add(1);
        self.change(Change::Notice(number, notice.clone()));
        self.effect(Effect::Notify(number, notice));
    }

    /// Wants a transaction, unless one for the same purpose is on its way.
    pub(crate) fn submit(
        &mut self,
        purpose: impl FnOnce(IntentId) -> Purpose,
        call: Call,
        deadline: Option<Timestamp>,
    ) -> Result<IntentId, Rejection> {
        let id = IntentId(self.next_intent);
        let purpose = purpose(id);
        if self.intents.contains_key(&purpose) {
            return Err(Rejection::AlreadyPending);
        }
        self.next_intent = self.next_intent.saturating_add(1);
        let intent = Intent { id, call, deadline };
        let record = IntentRecord { intent: intent.clone(), purpose };
        self.change(Change::Intent(record.clone()));
        self.intents.insert(purpose, record);
        self.effect(Effect::Submit(intent));
        Ok(id)
    }

    /// As [`Machine::submit`], where one that is on its way already is as good.
    pub(crate) fn submit_once(&mut self, purpose: Purpose, call: Call, by: Option<Timestamp>) {
        if !self.intents.contains_key(&purpose) {
            self.submit(|_| purpose, call, by).expect("nothing is under way for this purpose");
        }
    }

    /// What the node was made with.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The later of the chain's newest time and our own.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The block up to which all events are known.
    pub const fn block(&self) -> Option<BlockRecord> {
        self.clock.block
    }

    /// Whether the chain answers.
    pub const fn chain_reachable(&self) -> bool {
        self.chain_reachable
    }

    /// All channels of ours.
    pub fn channels(&self) -> Vec<ChannelView> {
        self.channels.values().map(|channel| self.channel_view(channel)).collect()
    }

    /// One channel of ours.
    pub fn channel(&self, id: ChannelId) -> Option<ChannelView> {
        self.channels.get(&id).map(|channel| self.channel_view(channel))
    }

    fn channel_view(&self, channel: &Channel) -> ChannelView {
        let online = self.online.contains(&channel.partner);
        channel.view(online, self.config.parameters.challenge)
    }

    /// A payment of ours that is still pending.
    pub fn payment(&self, id: PaymentId) -> Option<&PaymentRecord> {
        self.payments.get(&id)
    }

    /// How many payments of ours are on their way.
    pub fn pending_payments(&self) -> usize {
        self.payments.len()
    }

    /// An invoice of ours that is not paid.
    pub fn invoice(&self, hash: &SecretHash) -> Option<&InvoiceRecord> {
        self.invoices.get(hash)
    }

    /// What a node says of itself.
    pub fn node_record(&self, account: Address) -> Option<&NodeRecord> {
        self.nodes.get(&account)
    }

    /// Everybody with whom a session is up.
    pub fn online(&self) -> Vec<Address> {
        self.online.iter().copied().collect()
    }

    /// Every token that anybody has a channel for.
    pub fn tokens(&self) -> Vec<Token> {
        self.graphs.keys().copied().collect()
    }

    /// Transactions under way, to be submitted again after a restart.
    pub fn intents(&self) -> Vec<Intent> {
        self.intents.values().map(|record| record.intent.clone()).collect()
    }

    /// What we take for forwarding into this channel, or into those without their own schedule.
    pub fn fees(&self, channel: Option<ChannelId>) -> FeeSchedule {
        let own = channel.and_then(|id| self.fees.get(&Some(id)));
        own.or_else(|| self.fees.get(&None)).copied().unwrap_or(self.config.fees)
    }
}
