//! What peers say, and what we say when they come and go.

use crate::channel::Accepted;
use crate::effect::{Change, Effect};
use crate::input::{OpenedLock, SignedMessage};
use crate::machine::{Answer, Machine};
use crate::record::{LockFate, LockKey};
use crate::reject::Rejection;
use crate::view::NoticeKind;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use photon_wire::limits::{CHANNELS_PER_MESSAGE, RECORDS, RECORDS_PER_MESSAGE};
use photon_wire::message::{
    Acknowledge, ChannelStatus, Dispose, DisposedLock, Message, Refuse, Update,
};
use photon_wire::record::{FeeSchedule, NodeRecord};
use photon_wire::{Address, ChannelId, Nonce};

/// The rule number of a partner that knows more of our own updates than we do.
pub(crate) const STATE_LOST: u16 = 7;

impl Machine {
    pub(crate) fn on_message(&mut self, signed: SignedMessage) -> Result<(), Rejection> {
        let SignedMessage { from, message, signer, opened } = signed;
        let signer = signer.unwrap_or(Address::ZERO);
        match message {
            // The session's own business, over before the core hears of the peer.
            Message::Hello(_) => Ok(()),
            Message::Reestablish(channels) => {
                // A few bytes ask for all that is not acknowledged: once a message is enough.
                let mut seen = BTreeSet::new();
                for status in channels.iter().filter(|status| seen.insert(status.channel)) {
                    self.on_status(from, status);
                }
                Ok(())
            }
            Message::Update(update) => self.on_update(from, &update, signer, opened),
            Message::Acknowledge(acknowledge) => self.on_acknowledge(from, &acknowledge),
            Message::Refuse(refuse) => self.on_refuse(from, &refuse),
            Message::Reveal(secrets) => {
                secrets.into_iter().for_each(|secret| self.learn(secret));
                Ok(())
            }
            Message::Dispose(dispose) => self.on_dispose(from, dispose, signer),
            Message::Records(records) => {
                self.spread_records(Some(from), records);
                Ok(())
            }
            Message::RequestWithdraw(request) => self.on_request_withdraw(from, &request),
            Message::AgreeWithdraw(agree) => self.on_agree_withdraw(from, &agree, signer),
            Message::ProposeSettle(propose) => self.on_propose_settle(from, &propose),
            Message::AgreeSettle(agree) => self.on_agree_settle(from, &agree, signer),
            Message::Decline(decline) => self.on_decline(from, &decline),
        }
    }

    /// Refuses what does not come from the partner of a channel.
    pub(crate) fn check_partner(&self, from: Address, channel: ChannelId) -> Result<(), Rejection> {
        if self.with(channel)?.partner == from {
            Ok(())
        } else {
            Err(Rejection::NotPartner { account: from })
        }
    }

    pub(crate) fn on_connected(&mut self, account: Address) -> Result<Answer, Rejection> {
        self.online.insert(account);
        let ids: Vec<ChannelId> = self
            .channels
            .values()
            .filter(|channel| channel.partner == account)
            .map(|channel| channel.id)
            .collect();
        let statuses: Vec<ChannelStatus> = ids.iter().filter_map(|id| self.status(*id)).collect();
        for chunk in statuses.chunks(CHANNELS_PER_MESSAGE) {
            let message = Message::Reestablish(chunk.to_vec());
            self.effect(Effect::Send { to: account, message });
        }
        ids.into_iter().for_each(|id| self.repeat_promises(id));
        let records: Vec<NodeRecord> = self.nodes.values().cloned().collect();
        self.send_records(account, &records);
        Ok(Answer::Done)
    }

    fn status(&self, id: ChannelId) -> Option<ChannelStatus> {
        let channel = self.channels.get(&id)?;
        Some(ChannelStatus {
            channel: id,
            epoch: channel.epoch,
            sent: channel.ours.head.nonce,
            received: channel.theirs.head.nonce,
            asks: !channel.in_step,
        })
    }

    /// Says again what the partner may have missed: secrets of its locks, and disposals.
    fn repeat_promises(&mut self, id: ChannelId) {
        let Some(channel) = self.channel_mut(id) else { return };
        let mut secrets = Vec::new();
        let mut disposed = Vec::new();
        for (_, record) in channel.theirs.locks() {
            match &record.fate {
                LockFate::Open => {}
                LockFate::Claimed(secret) => secrets.push(secret.clone()),
                LockFate::Disposed(failure) => {
                    disposed.push(DisposedLock { lock: record.lock.hash(), failure: *failure });
                }
            }
        }
        channel.reveal = secrets;
        channel.dispose = disposed;
        channel.repeat_agreements();
    }

    fn on_status(&mut self, from: Address, status: &ChannelStatus) {
        let Some(channel) = self.channels.get(&status.channel) else { return };
        if channel.partner != from || channel.epoch != status.epoch {
            return;
        }
        let sent = channel.ours.head.nonce;
        if status.received > sent {
            // The partner holds an update of ours that we do not know: our store is an old one.
            // Signing that nonce again would be equivocation.
            self.stop(status.channel, STATE_LOST);
            return;
        }
        let begins = !channel.in_step;
        if begins && let Some(channel) = self.channel_mut(status.channel) {
            channel.in_step = true;
        }
        if status.asks {
            self.say_status(status.channel);
        }
        self.acknowledged(status.channel, status.received);
        if status.received < sent {
            self.effect(Effect::Resend {
                to: from,
                channel: status.channel,
                after: status.received,
            });
        }
        if begins {
            self.catch_up(status.channel);
        }
    }

    /// Says where a channel stands, if the partner is there to hear it.
    fn say_status(&mut self, id: ChannelId) {
        let partner = self.channels.get(&id).map(|channel| channel.partner);
        let Some(to) = partner.filter(|partner| self.online.contains(partner)) else { return };
        if let Some(status) = self.status(id) {
            let message = Message::Reestablish([status].into());
            self.effect(Effect::Send { to, message });
        }
    }

    fn on_update(
        &mut self,
        from: Address,
        update: &Update,
        signer: Address,
        opened: Vec<OpenedLock>,
    ) -> Result<(), Rejection> {
        let id = update.channel;
        self.check_partner(from, id)?;
        let past = self.clock.past();
        let Some(channel) = self.channel_mut(id) else { return Ok(()) };
        if update.epoch == channel.epoch && update.nonce <= channel.theirs.head.nonce {
            return self.on_old_update(update);
        }
        match channel.receive_update(update, signer, past) {
            Ok(accepted) => {
                accepted.into_iter().for_each(|meaning| self.on_accepted(id, meaning, &opened));
                Ok(())
            }
            Err(rejection) if is_violation(&rejection) => {
                let (epoch, nonce, rule) = (update.epoch, update.nonce, rejection.number());
                let refuse = Refuse { channel: id, epoch, nonce, rule };
                self.effect(Effect::Send { to: from, message: Message::Refuse(refuse) });
                self.stop(id, rule);
                Ok(())
            }
            Err(rejection) => {
                if channel.is_open() {
                    self.behind.insert(id);
                }
                Err(rejection)
            }
        }
    }

    /// A-B: A sees its deposit, or a lock's end, before B does, and B has to refuse what is right.
    /// Whenever B has seen more of the chain it says where it stands, so that A sends it again.
    pub(crate) fn ask_again(&mut self) {
        // A channel that the partner has not seen yet is not in step before it has.
        let waiting =
            self.channels.values().filter(|channel| channel.is_open() && !channel.in_step);
        let waiting: Vec<ChannelId> = waiting.map(|channel| channel.id).collect();
        self.behind.extend(waiting);
        for id in core::mem::take(&mut self.behind) {
            self.say_status(id);
        }
    }

    /// An update that we have: acknowledged again, unless it is another one under the same nonce.
    fn on_old_update(&mut self, update: &Update) -> Result<(), Rejection> {
        let Some(channel) = self.channel_mut(update.channel) else { return Ok(()) };
        let differs = channel.proof.is_some_and(|proof| {
            proof.nonce == update.nonce
                && (proof.transferred, proof.locksroot) != (update.transferred, update.locksroot)
        });
        if !differs {
            channel.acknowledge = true;
            return Ok(());
        }
        let expected = channel.theirs.head.nonce;
        let rejection = Rejection::WrongNonce { expected, got: update.nonce };
        self.stop(update.channel, rejection.number());
        Ok(())
    }

    fn on_accepted(&mut self, id: ChannelId, meaning: Accepted, opened: &[OpenedLock]) {
        match meaning {
            Accepted::Paid { payment, amount, note } => {
                self.receipt(id, payment, amount, note, None)
            }
            Accepted::Locked { key, number, operation, onward } => {
                // A-B-C: A fills a slot, empties it and fills it again in one update. B would
                // forward the lock that is left once for each time, and pay C for each.
                if self.lock(key).is_none_or(|record| record.lock.number != number) {
                    return;
                }
                let contents = opened
                    .iter()
                    .find(|opened| opened.operation == operation)
                    .map(|opened| opened.contents.clone());
                self.on_lock(key, &onward, contents);
            }
            Accepted::Unlocked { key, record, secret } => {
                self.locks.remove(key, &record);
                self.on_unlocked(key, record, secret);
            }
            Accepted::Gone { key, record } => self.locks.remove(key, &record),
        }
    }

    /// Nothing more is received in this channel, and nothing more is sent.
    pub(crate) fn stop(&mut self, id: ChannelId, rule: u16) {
        let Some(channel) = self.channel_mut(id) else { return };
        if channel.stopped.is_some() {
            return;
        }
        channel.stopped = Some(rule);
        channel.dirty.head = true;
        let partner = channel.partner;
        self.notify(NoticeKind::DirectionStopped { channel: id, partner, rule });
    }

    fn on_acknowledge(&mut self, from: Address, said: &Acknowledge) -> Result<(), Rejection> {
        self.check_partner(from, said.channel)?;
        let channel = self.with(said.channel)?;
        if said.epoch != channel.epoch {
            return Err(Rejection::WrongEpoch { expected: channel.epoch, got: said.epoch });
        }
        let expected = channel.ours.head.nonce;
        if said.nonce > expected {
            // As in a status: the partner holds what we do not know.
            self.stop(said.channel, STATE_LOST);
            return Ok(());
        }
        self.acknowledged(said.channel, said.nonce);
        Ok(())
    }

    pub(crate) fn acknowledged(&mut self, id: ChannelId, nonce: Nonce) {
        let Some(channel) = self.channel_mut(id) else { return };
        if nonce <= channel.acknowledged {
            return;
        }
        channel.acknowledged = nonce;
        channel.dirty.head = true;
        channel.dirty.acknowledged = true;
        let later = self.direct.split_off(&(id, Nonce(nonce.0.saturating_add(1))));
        let mut due = core::mem::replace(&mut self.direct, later);
        let mut earlier = due.split_off(&(id, Nonce(0)));
        self.direct.append(&mut due);
        for payment in core::mem::take(&mut earlier).into_values().flatten() {
            self.payment_arrived(payment, None);
        }
    }

    fn on_refuse(&mut self, from: Address, refuse: &Refuse) -> Result<(), Rejection> {
        self.check_partner(from, refuse.channel)?;
        let Some(channel) = self.channel_mut(refuse.channel) else { return Ok(()) };
        if channel.stopped.is_none() {
            channel.stopped = Some(refuse.rule);
            channel.dirty.head = true;
            let (channel, nonce, rule) = (refuse.channel, refuse.nonce, refuse.rule);
            self.notify(NoticeKind::UpdateRefused { channel, nonce, rule });
        }
        Ok(())
    }

    fn on_dispose(
        &mut self,
        from: Address,
        dispose: Dispose,
        signer: Address,
    ) -> Result<(), Rejection> {
        self.check_partner(from, dispose.channel)?;
        let channel = self.with(dispose.channel)?;
        if dispose.epoch != channel.epoch {
            return Err(Rejection::WrongEpoch { expected: channel.epoch, got: dispose.epoch });
        }
        // B-A: without B's own signature nothing proves on the chain that B gave the lock up, and
        // B could still claim it.
        if signer != channel.partner {
            return Err(Rejection::WrongSigner { expected: channel.partner });
        }
        // A-B: B gives one lock back again and again, each time with other words, while A cannot
        // drop it: A must not keep all of them. A lock that is claimed is not given back any more.
        let is_open = |disposed: &DisposedLock| {
            let slot = channel.ours.slot_of(disposed.lock);
            let record = slot.and_then(|slot| channel.ours.lock(slot));
            record.is_some_and(|record| record.fate == LockFate::Open)
        };
        if !dispose.locks.iter().any(is_open) {
            return Ok(());
        }
        let id = dispose.channel;
        self.change(Change::Disposal(id, dispose.clone()));
        if let Some(channel) = self.channel_mut(id) {
            channel.agreements.disposed = true;
            channel.dirty.head = true;
        }
        for DisposedLock { lock, failure } in dispose.locks {
            // A-B: B names one lock twice. The first time frees its slot for A's next attempt, so
            // the slot is looked up only now.
            let slot = self.channels.get(&id).and_then(|channel| channel.ours.slot_of(lock));
            if let Some(slot) = slot {
                self.on_lock_disposed(LockKey { channel: id, ours: true, slot }, failure);
            }
        }
        Ok(())
    }

    /// Remembers records that are newer than what we have, and passes them on.
    pub(crate) fn spread_records(&mut self, from: Option<Address>, records: Vec<NodeRecord>) {
        let now = self.clock.now();
        let mut news = Vec::new();
        for record in records {
            let known = self.nodes.get(&record.account);
            let is_news = known.is_none_or(|known| known.issued < record.issued);
            let fits = known.is_some() || self.nodes.len() < RECORDS;
            if is_news && fits && record.valid_until > now {
                self.change(Change::Node(record.clone()));
                self.add_record(record.clone());
                news.push(record);
            }
        }
        let others: Vec<Address> =
            self.online.iter().copied().filter(|peer| Some(*peer) != from).collect();
        others.into_iter().for_each(|peer| self.send_records(peer, &news));
    }

    fn send_records(&mut self, to: Address, records: &[NodeRecord]) {
        for chunk in records.chunks(RECORDS_PER_MESSAGE) {
            let message = Message::Records(chunk.to_vec());
            self.effect(Effect::Send { to, message });
        }
    }

    /// A record is believed until its end and not longer, so that the room for records is not
    /// taken for ever by accounts that were once made up.
    pub(crate) fn forget_past_records(&mut self) {
        let past = self.clock.past();
        let is_past = |record: &&NodeRecord| record.valid_until < past;
        let accounts: Vec<Address> =
            self.nodes.values().filter(is_past).map(|record| record.account).collect();
        for account in accounts {
            self.nodes.remove(&account);
            self.change(Change::NodeGone(account));
            for graph in self.graphs.values_mut() {
                graph.set_fees(account, FeeSchedule::default());
            }
        }
    }

    pub(crate) fn add_record(&mut self, record: NodeRecord) {
        for graph in self.graphs.values_mut() {
            graph.set_fees(record.account, record.fees);
        }
        self.nodes.insert(record.account, record);
    }
}

/// Whether a partner that plays by the rules, and sees the chain a little later or earlier than
/// we do, could never have sent this.
const fn is_violation(rejection: &Rejection) -> bool {
    !matches!(
        rejection,
        Rejection::UnknownChannel { .. }
            | Rejection::WrongEpoch { .. }
            | Rejection::ChannelNotOpen { .. }
            | Rejection::DirectionStopped { .. }
            | Rejection::ChannelSettling { .. }
            | Rejection::WrongNonce { .. }
            | Rejection::NotExpired { .. }
            // It may spend a deposit that we have not seen.
            | Rejection::InsufficientBalance { .. }
    )
}
