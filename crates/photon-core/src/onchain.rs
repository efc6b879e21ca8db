//! What the contract says, and what the owner wants of it.

use crate::channel::{Channel, Opened};
use crate::effect::{Change, IntentId};
use crate::machine::{Answer, Machine};
use crate::peer::STATE_LOST;
use crate::record::{
    BalanceFact, BlockRecord, DisputeRecord, EndedRecord, Fact, GraphRecord, LockFate, LockKey,
    LockRecord, LockRole, Purpose, RegistrationRecord,
};
use crate::reject::Rejection;
use crate::view::{NoticeKind, PaymentFailure};
use alloc::vec::Vec;
use photon_wire::contract::{Balance, Call, Event, Position, Way};
use photon_wire::message::{Failure, Reason};
use photon_wire::record::FeeSchedule;
use photon_wire::registry::RegistryTree;
use photon_wire::{
    Address, Amount, B256, BlockNumber, ChannelId, ChannelKey, Epoch, Nonce, Seconds, Secret,
    SecretHash, Slot, Timestamp, Token,
};

impl Machine {
    pub(crate) fn open_channel(
        &mut self,
        token: Token,
        partner: Address,
        settle_timeout: Seconds,
        deposit: Amount,
        way: Option<Way>,
    ) -> Result<Answer, Rejection> {
        if partner == Address::ZERO || token.0 == Address::ZERO {
            return Err(Rejection::ZeroAddress);
        }
        let key = ChannelKey::new(token, self.config.account, partner);
        let id = key.ok_or(Rejection::PartnerIsSelf)?.id();
        if self.channels.contains_key(&id) {
            return Err(Rejection::ChannelExists { channel: id });
        }
        let bounds = &self.config.parameters;
        let (least, most) = (bounds.least_settle_timeout, bounds.greatest_settle_timeout);
        if settle_timeout < least || settle_timeout > most {
            let got = settle_timeout;
            return Err(Rejection::SettleTimeoutOutOfBounds { least, most, got });
        }
        if deposit > Amount::MAX_DEPOSIT {
            return Err(Rejection::BadAmount { amount: deposit });
        }
        let call = Call::Open { token, partner, settle_timeout, amount: deposit, way };
        let intent = self.submit(|_| Purpose::Open(id), call, None)?;
        Ok(Answer::Channel(id, intent))
    }

    pub(crate) fn deposit(
        &mut self,
        id: ChannelId,
        participant: Address,
        amount: Amount,
        way: Option<Way>,
    ) -> Result<Answer, Rejection> {
        crate::channel::check_amount(amount)?;
        let channel = self.with(id)?;
        channel.check_open()?;
        if participant != channel.us && participant != channel.partner {
            return Err(Rejection::NotPartner { account: participant });
        }
        let (key, epoch) = (channel.key(), channel.epoch);
        let call = Call::Deposit { key, epoch, participant, amount, way };
        let intent = self.submit(|intent| Purpose::Deposit(id, intent), call, None)?;
        Ok(Answer::Channel(id, intent))
    }

    pub(crate) fn close_channel(&mut self, id: ChannelId) -> Result<Answer, Rejection> {
        let channel = self.with(id)?;
        if channel.dispute.is_some() || channel.closing {
            return Err(Rejection::ChannelNotOpen { channel: id });
        }
        let call = channel.close_call();
        let intent = self.submit(|_| Purpose::Close(id), call, None)?;
        if let Some(channel) = self.channel_mut(id) {
            channel.closing = true;
            channel.dirty.head = true;
        }
        Ok(Answer::Channel(id, intent))
    }

    pub(crate) fn settle_channel(&mut self, id: ChannelId) -> Result<Answer, Rejection> {
        let channel = self.with(id)?;
        let dispute = channel.dispute.ok_or(Rejection::NotClosed)?;
        let from = dispute.settle_after(self.config.parameters.challenge);
        if self.clock.past() <= from {
            return Err(Rejection::NotSettleable { from });
        }
        let call = channel.settle_call();
        let intent = self.submit(|_| Purpose::Settle(id), call, None)?;
        Ok(Answer::Channel(id, intent))
    }

    pub(crate) fn set_fees(
        &mut self,
        channel: Option<ChannelId>,
        fees: FeeSchedule,
    ) -> Result<Answer, Rejection> {
        if let Some(id) = channel {
            self.with(id)?;
        }
        let parts_per_million = fees.parts_per_million;
        if parts_per_million > 1_000_000 {
            return Err(Rejection::BadFees { parts_per_million });
        }
        self.fees.insert(channel, fees);
        self.change(Change::Fees(channel, fees));
        Ok(Answer::Done)
    }

    /// Looks after everything that a new block, or time alone, may have made due.
    pub(crate) fn on_block(
        &mut self,
        block: BlockRecord,
        head_time: Timestamp,
    ) -> Result<Answer, Rejection> {
        self.clock.block = Some(block);
        self.clock.head = head_time.max(block.time);
        self.change(Change::Block(block));
        self.end_sightings_up_to(block.number);
        self.ask_again();
        self.forget_past_records();
        self.claim_in_disputes();
        self.recall_disposals();
        self.end_agreements();
        self.on_time()
    }

    /// Brings what we may claim onto the chain, decided from the state after each block, so that
    /// no single event can be missed.
    fn claim_in_disputes(&mut self) {
        // Our own clock may run ahead: whether a dispute is over is for the chain to say.
        let past = self.clock.past();
        let due: Vec<_> =
            self.channels.values_mut().filter_map(|channel| channel.claim_call(past)).collect();
        for (purpose, call, deadline) in due {
            self.submit_once(purpose, call, Some(deadline));
        }
    }

    /// Settles what the contract will settle now.
    pub(crate) fn settle_disputes(&mut self) {
        let past = self.clock.past();
        let challenge = self.config.parameters.challenge;
        let turn = self.config.timing.hop_margin;
        let due: Vec<_> = self
            .channels
            .values()
            .filter(|channel| channel.is_settleable(past, challenge, turn))
            .map(|channel| (channel.id, channel.settle_call()))
            .collect();
        for (id, call) in due {
            self.submit_once(Purpose::Settle(id), call, None);
        }
    }

    /// A transaction of ours is through, or will never be.
    pub(crate) fn on_submitted(&mut self, id: IntentId, done: bool) -> Result<Answer, Rejection> {
        let purpose = self
            .intents
            .iter()
            .find_map(|(purpose, record)| (record.intent.id == id).then_some(*purpose));
        let Some(purpose) = purpose else { return Ok(Answer::Done) };
        self.change(Change::IntentGone(id));
        // What is through waits in memory for its event, so that it is not submitted twice.
        let waits = matches!(
            purpose,
            Purpose::Update(..)
                | Purpose::Settle(_)
                | Purpose::Unlock(_)
                | Purpose::Close(_)
                | Purpose::Withdraw(_)
                | Purpose::CooperativeSettle(_)
                | Purpose::Punish(..)
        );
        if done && waits {
            return Ok(Answer::Done);
        }
        let record = self.intents.remove(&purpose);
        if done {
            return Ok(Answer::Done);
        }
        if let Some(Call::RegisterSecrets(secrets)) = record.map(|record| record.intent.call) {
            secrets.iter().for_each(|secret| {
                self.registering.remove(&secret.hash());
            });
        }
        if let Purpose::Close(id) = purpose
            && let Some(channel) = self.channel_mut(id)
        {
            channel.closing = false;
            channel.dirty.head = true;
            self.reopen(id);
        }
        self.notify(NoticeKind::TransactionFailed { purpose });
        Ok(Answer::Done)
    }

    /// The chain has done it, whoever sent it. Its row goes too: submitted again after a restart,
    /// an opening would be valid once more when the channel is settled.
    pub(crate) fn done_with(&mut self, purpose: Purpose) {
        if let Some(record) = self.intents.remove(&purpose) {
            self.change(Change::IntentGone(record.intent.id));
        }
    }

    /// The contract said something, as deep in the chain as we demand.
    pub(crate) fn on_event(
        &mut self,
        position: Position,
        event: Event,
    ) -> Result<Answer, Rejection> {
        let block = position.block;
        match event {
            Event::ChannelOpened { key, epoch, settle_timeout } => {
                self.on_opened(key, Opened { epoch, settle_timeout }, block);
            }
            Event::Deposited { channel, epoch, participant, deposit } => {
                self.on_deposited(channel, epoch, participant, deposit, block);
            }
            Event::Withdrawn { channel, epoch, participant, withdrawn } => {
                self.on_withdrawn(channel, epoch, participant, withdrawn, block);
            }
            Event::ChannelClosed { channel, epoch, closer, update_until } => {
                self.on_closed(
                    channel,
                    epoch,
                    DisputeRecord { closer, update_until, ..DisputeRecord::default() },
                    block,
                );
            }
            Event::BalanceUpdated { channel, epoch, payer, nonce, transferred, locksroot } => {
                let balance = Balance { transferred, locksroot, declared: Amount::ZERO };
                let ours = payer == self.config.account;
                let fact = BalanceFact { block, ours, nonce, balance };
                self.on_balance_updated(channel, epoch, payer, fact);
            }
            Event::Unlocked { channel, epoch, payer, nonce, slots, amount } => {
                self.on_claimed(channel, epoch, payer, nonce, &slots);
                self.notify(NoticeKind::Unlocked { channel, payer, amount });
            }
            Event::Punished { channel, epoch, payer, slot, amount } => {
                self.on_punished(channel, epoch, payer, slot, amount);
            }
            Event::Credited { .. } | Event::CreditClaimed { .. } => {}
            Event::ChannelSettled { channel, epoch, paid_low, paid_high } => {
                self.on_settled(channel, EndedRecord { epoch, block }, paid_low, paid_high);
            }
            Event::SecretsRegistered { root, secrets } => {
                self.on_registered(position.time, root, &secrets);
            }
        }
        Ok(Answer::Done)
    }

    fn on_opened(&mut self, key: ChannelKey, opened: Opened, block: BlockNumber) {
        let id = key.id();
        let (low, high, token) = (key.low(), key.high(), key.token());
        self.put_graph(GraphRecord {
            channel: id,
            token,
            low,
            high,
            deposit_low: Amount::ZERO,
            deposit_high: Amount::ZERO,
            open: true,
        });
        let us = self.config.account;
        let Some(partner) = key.partner_of(us) else { return };
        if self.ended.get(&id).is_some_and(|ended| ended.epoch >= opened.epoch) {
            return;
        }
        if self.ours(id, opened.epoch).is_some() {
            self.note_fact(id, Fact::Opened, block);
        }
        // A node that stopped between a block's events and the block hears the events again. To
        // begin this life anew would be to sign its nonces twice.
        if self.channels.get(&id).is_some_and(|channel| channel.epoch >= opened.epoch) {
            return;
        }
        self.done_with(Purpose::Open(id));
        self.channels.insert(id, Channel::open(us, partner, key, opened));
        self.note_fact(id, Fact::Opened, block);
        self.behind.insert(id);
        self.notify(NoticeKind::ChannelOpened { channel: id, token, partner });
    }

    /// Our channel of this name, if it is in this life.
    fn ours(&mut self, id: ChannelId, epoch: Epoch) -> Option<&mut Channel> {
        self.channel_mut(id).filter(|channel| channel.epoch == epoch)
    }

    fn on_deposited(
        &mut self,
        id: ChannelId,
        epoch: Epoch,
        participant: Address,
        total: Amount,
        block: BlockNumber,
    ) {
        if let Some(mut row) = self.graph_rows.get(&id).copied() {
            let deposit =
                if participant == row.low { &mut row.deposit_low } else { &mut row.deposit_high };
            *deposit = total;
            self.put_graph(row);
        }
        let Some(channel) = self.ours(id, epoch) else { return };
        let ours = participant == channel.us;
        let end = if ours { &mut channel.ours } else { &mut channel.theirs };
        // Totals only grow; what is told again may be an older one.
        if total >= end.head.deposit {
            end.head.deposit = total;
            let fact = if ours { Fact::OurDeposit } else { Fact::TheirDeposit };
            self.note_fact(id, fact, block);
        }
        self.notify(NoticeKind::Deposited { channel: id, participant, deposit: total });
    }

    fn on_withdrawn(
        &mut self,
        id: ChannelId,
        epoch: Epoch,
        participant: Address,
        total: Amount,
        block: BlockNumber,
    ) {
        let Some(channel) = self.ours(id, epoch) else { return };
        let ours = participant == channel.us;
        let known = channel.end(ours).head.withdrawn;
        let expected = channel.expects_withdrawn(ours, total);
        if channel.note_withdrawn(ours, total) {
            self.done_with(Purpose::Withdraw(id));
        }
        if total >= known {
            let fact = if ours { Fact::OurWithdrawal } else { Fact::TheirWithdrawal };
            self.note_fact(id, fact, block);
        }
        if total > known {
            let kind = NoticeKind::Withdrawn { channel: id, participant, withdrawn: total };
            self.notify(kind);
        }
        // Both have signed it, and we do not know of it: our store is an old one, or what was past
        // for good was not.
        if !expected {
            self.stop(id, STATE_LOST);
        }
    }

    fn on_closed(&mut self, id: ChannelId, epoch: Epoch, begun: DisputeRecord, block: BlockNumber) {
        if let Some(mut row) = self.graph_rows.get(&id).copied() {
            row.open = false;
            self.put_graph(row);
        }
        let Some(channel) = self.ours(id, epoch) else { return };
        if channel.dispute.is_some() {
            return;
        }
        channel.dispute = Some(begun);
        self.note_fact(id, Fact::Closed, block);
        self.void_agreements(id);
        let DisputeRecord { closer, update_until, .. } = begun;
        self.notify(NoticeKind::ChannelClosed { channel: id, closer, update_until });
    }

    fn on_balance_updated(
        &mut self,
        id: ChannelId,
        epoch: Epoch,
        payer: Address,
        fact: BalanceFact,
    ) {
        let Some(channel) = self.ours(id, epoch) else { return };
        if channel.dispute.is_none() {
            return;
        }
        channel.note_balance(fact);
        let nonce = fact.nonce;
        if fact.ours {
            // Who shows a proof of ours to the contract has it, acknowledged or not: what it pays
            // is paid.
            let shown = nonce.min(channel.ours.head.nonce);
            self.acknowledged(id, shown);
        }
        self.notify(NoticeKind::BalanceUpdated { channel: id, payer, nonce });
    }

    fn on_punished(
        &mut self,
        id: ChannelId,
        epoch: Epoch,
        payer: Address,
        slot: Slot,
        amount: Amount,
    ) {
        let Some(channel) = self.ours(id, epoch) else { return };
        if payer == channel.us {
            channel.note_punished(slot);
            self.done_with(Purpose::Punish(id, slot));
        }
        self.notify(NoticeKind::Punished { channel: id, payer, amount });
    }

    fn on_claimed(
        &mut self,
        id: ChannelId,
        epoch: Epoch,
        payer: Address,
        nonce: Nonce,
        slots: &[Slot],
    ) {
        let Some(channel) = self.ours(id, epoch) else { return };
        let ours = payer == channel.us;
        if ours {
            channel.note_claims(nonce, slots);
        }
        // A-B: under an old proof of A, B claims a lock from a slot that holds another by now.
        if nonce != channel.end(ours).head.nonce {
            return;
        }
        let mut claimed = Vec::new();
        for slot in slots {
            let key = LockKey { channel: id, ours, slot: *slot };
            let Some(record) = channel.lock_mut(key) else { continue };
            if !core::mem::replace(&mut record.unlocked, true)
                && let LockFate::Claimed(secret) = &record.fate
            {
                claimed.push((key, record.clone(), secret.clone()));
                // Told again after a reorganisation, it is not paid a second time.
                record.role = LockRole::Refused;
            }
        }
        // What the contract pays is paid, as if the payer had.
        for (key, record, secret) in claimed.into_iter().filter(|(key, _, _)| !key.ours) {
            self.on_unlocked(key, record, secret);
        }
        self.done_with(Purpose::Unlock(id));
    }

    fn on_settled(&mut self, id: ChannelId, ended: EndedRecord, low: Amount, high: Amount) {
        if let Some(row) = self.graph_rows.remove(&id) {
            self.change(Change::GraphGone(id));
            if let Some(graph) = self.graphs.get_mut(&row.token) {
                graph.remove(id);
            }
        }
        if let Some(known) = self.ended.get_mut(&id).filter(|known| known.epoch == ended.epoch) {
            *known = ended;
            self.change(Change::Ended(id, ended));
        }
        if self.ours(id, ended.epoch).is_none() {
            return;
        }
        let Some(channel) = self.channels.remove(&id) else { return };
        self.ended.insert(id, ended);
        if self.fees.remove(&Some(id)).is_some() {
            self.change(Change::FeesGone(id));
        }
        let over: Vec<Purpose> =
            self.intents.keys().copied().filter(|purpose| concerns(purpose, id)).collect();
        over.into_iter().for_each(|purpose| self.done_with(purpose));
        let (ours, theirs) = if channel.us < channel.partner { (low, high) } else { (high, low) };
        for ours in [true, false] {
            for (slot, record) in channel.end(ours).locks() {
                self.on_lock_settled(LockKey { channel: id, ours, slot }, record);
            }
        }
        self.fail_directs(id);
        self.change(Change::ChannelGone(id));
        self.change(Change::Ended(id, ended));
        self.notify(NoticeKind::ChannelSettled {
            channel: id,
            partner: channel.partner,
            ours,
            theirs,
        });
    }

    /// The channel of a lock is gone: what was not claimed on the chain never will be.
    fn on_lock_settled(&mut self, key: LockKey, record: &LockRecord) {
        self.locks.remove(key, record);
        self.change(Change::LockGone(key));
        if key.ours && !record.unlocked && record.fate == LockFate::Open {
            match &record.role {
                LockRole::Initiator(payment) => {
                    self.payment_failed(*payment, PaymentFailure::ChannelClosed);
                }
                LockRole::Onward(_)
                | LockRole::Forwarded(_)
                | LockRole::Target { .. }
                | LockRole::Refused
                | LockRole::Owed => {
                    let failure = Failure { hop: self.config.account, reason: Reason::NoChannel };
                    self.outgoing_failed(key, record, failure);
                }
            }
        }
    }

    fn fail_directs(&mut self, id: ChannelId) {
        let due: Vec<_> =
            self.direct.keys().filter(|(channel, _)| *channel == id).copied().collect();
        for carrier in due {
            for payment in self.direct.remove(&carrier).unwrap_or_default() {
                self.payment_failed(payment, PaymentFailure::ChannelClosed);
            }
        }
    }

    /// Secrets are public: every lock of theirs that has not expired is safe, without closing
    /// anything.
    fn on_registered(&mut self, time: Timestamp, root: B256, secrets: &[Secret]) {
        let hashes: Vec<SecretHash> = secrets.iter().map(Secret::hash).collect();
        let is_news = |hash: &SecretHash| self.registered.insert(*hash);
        let news: Vec<SecretHash> = hashes.iter().copied().filter(is_news).collect();
        if !news.is_empty() {
            self.change(Change::Registered(news));
        }
        let known = |hash: &SecretHash| self.locks.by_hash.contains_key(hash);
        let count = hashes.iter().filter(|hash| known(hash)).count();
        if count == 0 {
            return;
        }
        let Some(tree) = RegistryTree::new(hashes.iter().copied()) else { return };
        for ((index, hash), secret) in (0_u8..=u8::MAX).zip(&hashes).zip(secrets) {
            let path = tree.path(index).unwrap_or_default();
            let registration = RegistrationRecord { time, root, index, path };
            self.on_secret_registered(*hash, secret, &registration);
        }
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.notify(NoticeKind::SecretsRegistered { root, count });
    }

    fn on_secret_registered(
        &mut self,
        hash: SecretHash,
        secret: &Secret,
        registration: &RegistrationRecord,
    ) {
        let mut in_time = false;
        for key in self.locks.with_hash(hash) {
            let Some(record) = self.lock(key) else { continue };
            if registration.time > record.lock.expiration || record.registered.is_some() {
                continue;
            }
            in_time = true;
            if let Some(record) = self.lock_mut(key) {
                record.registered = Some(registration.clone());
            }
        }
        self.registering.remove(&hash);
        if in_time {
            self.learn(secret.clone());
        }
    }

    fn put_graph(&mut self, row: GraphRecord) {
        self.change(Change::Graph(row));
        self.add_to_graph(row);
    }

    pub(crate) fn add_to_graph(&mut self, row: GraphRecord) {
        let graph = self.graphs.entry(row.token).or_default();
        if row.open {
            if !graph.contains(row.channel) {
                graph.add(row.channel, row.low, row.high);
                for account in [row.low, row.high] {
                    if let Some(record) = self.nodes.get(&account) {
                        graph.set_fees(account, record.fees);
                    }
                }
            }
            graph.set_deposit(row.channel, row.low, row.deposit_low);
            graph.set_deposit(row.channel, row.high, row.deposit_high);
        } else {
            graph.remove(row.channel);
        }
        self.graph_rows.insert(row.channel, row);
    }
}

fn concerns(purpose: &Purpose, id: ChannelId) -> bool {
    match purpose {
        Purpose::Open(_) | Purpose::Register(_) => false,
        Purpose::Deposit(channel, _)
        | Purpose::Close(channel)
        | Purpose::Update(channel, _)
        | Purpose::Unlock(channel)
        | Purpose::Settle(channel)
        | Purpose::Withdraw(channel)
        | Purpose::CooperativeSettle(channel)
        | Purpose::Punish(channel, _) => *channel == id,
    }
}
