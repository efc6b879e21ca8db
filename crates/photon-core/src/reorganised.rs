//! What the chain says before it is deep enough, and what it takes back after it was.
//!
//! What was only seen is kept in memory: a reorganisation up to the depth that we demand changes
//! nothing durable.

use crate::channel::Channel;
use crate::effect::{Change, Effect};
use crate::machine::Machine;
use crate::record::{BlockRecord, Fact, Purpose, Recollection};
use crate::view::NoticeKind;
use alloc::vec::Vec;
use photon_wire::contract::{Event, Position};
use photon_wire::{BlockNumber, ChannelId, Epoch, Nonce, Secret};

impl Machine {
    pub(crate) fn on_seen(&mut self, position: Position, event: Event) {
        match event {
            // A-B: A closes. What B accepts or signs from now on, no dispute need count.
            Event::ChannelClosed { channel, epoch, .. }
            | Event::ChannelSettled { channel, epoch, .. } => {
                self.on_seen_closed(channel, epoch, position.block);
            }
            Event::SecretsRegistered { secrets, .. } => {
                secrets.into_iter().for_each(|secret| self.on_seen_secret(position, secret));
            }
            Event::ChannelOpened { .. }
            | Event::Deposited { .. }
            | Event::Withdrawn { .. }
            | Event::BalanceUpdated { .. }
            | Event::Unlocked { .. }
            | Event::Punished { .. }
            | Event::Credited { .. }
            | Event::CreditClaimed { .. } => {}
        }
    }

    fn on_seen_closed(&mut self, id: ChannelId, epoch: Epoch, block: BlockNumber) {
        let Some(channel) = self.channel_mut(id) else { return };
        if channel.epoch == epoch {
            let earlier = channel.seen_closed.unwrap_or(block);
            channel.seen_closed = Some(earlier.min(block));
        }
    }

    /// A secret is known wherever it was shown; that it was shown in time counts only at the depth
    /// that we demand.
    fn on_seen_secret(&mut self, position: Position, secret: Secret) {
        let hash = secret.hash();
        if !self.locks.by_hash.contains_key(&hash) {
            return;
        }
        self.seen_registered.entry(hash).or_insert((position.time, position.block));
        self.learn(secret);
    }

    pub(crate) fn on_unseen(&mut self, from: BlockNumber) {
        self.seen_registered.retain(|_, (_, block)| *block < from);
        self.end_sightings(|block| block >= from);
    }

    /// What was seen up to this block has been told by now, or is not there.
    pub(crate) fn end_sightings_up_to(&mut self, number: BlockNumber) {
        self.seen_registered.retain(|_, (_, block)| *block > number);
        self.end_sightings(|block| block <= number);
    }

    fn end_sightings(&mut self, is_over: impl Fn(BlockNumber) -> bool) {
        let is_over = |channel: &&Channel| channel.seen_closed.is_some_and(&is_over);
        let over: Vec<ChannelId> =
            self.channels.values().filter(is_over).map(|channel| channel.id).collect();
        for id in over {
            if let Some(channel) = self.channel_mut(id) {
                channel.seen_closed = None;
            }
            self.reopen(id);
        }
    }

    /// What was told of later blocks does not hold. What of a channel is in doubt stops it until
    /// the chain tells it again; what the owner does himself is still possible.
    pub(crate) fn on_reorganised(&mut self, kept: BlockRecord) {
        self.on_unseen(BlockNumber(kept.number.0.saturating_add(1)));
        // Events are told before their block: what they said may be later than what we know.
        if self.clock.block.is_some_and(|block| block.number > kept.number) {
            self.clock.block = Some(kept);
            self.change(Change::Block(kept));
        }
        let ids: Vec<ChannelId> = self.channels.keys().copied().collect();
        for id in ids {
            let Some(channel) = self.channel_mut(id) else { continue };
            let doubted_before = channel.is_doubted();
            let touched = channel.doubt(kept.number, kept.time);
            if channel.is_doubted() && !doubted_before {
                self.notify(NoticeKind::ChannelDoubted { channel: id });
            }
            if touched {
                self.forget_done(id);
            }
        }
        let ended = self.ended.iter().filter(|(_, ended)| ended.block > kept.number);
        let ended: Vec<ChannelId> = ended.map(|(id, _)| *id).collect();
        for channel in ended {
            self.notify(NoticeKind::ChannelDoubted { channel });
        }
    }

    /// What was through may have to be done again. A closing that is still wanted may be on its
    /// way: forgotten, it would be neither done nor done again.
    fn forget_done(&mut self, id: ChannelId) {
        let closing = self.channels.get(&id).is_some_and(|channel| channel.closing);
        let is_of_dispute = |purpose: &Purpose| match purpose {
            Purpose::Update(channel, _)
            | Purpose::Unlock(channel)
            | Purpose::Punish(channel, _)
            | Purpose::Settle(channel) => *channel == id,
            Purpose::Close(channel) => *channel == id && !closing,
            Purpose::Open(_)
            | Purpose::Deposit(..)
            | Purpose::Register(_)
            | Purpose::Withdraw(_)
            | Purpose::CooperativeSettle(_) => false,
        };
        let done: Vec<Purpose> = self.intents.keys().copied().filter(is_of_dispute).collect();
        done.into_iter().for_each(|purpose| self.done_with(purpose));
    }

    /// The chain told this of a channel of ours.
    pub(crate) fn note_fact(&mut self, id: ChannelId, fact: Fact, block: BlockNumber) {
        let Some(channel) = self.channel_mut(id) else { return };
        if channel.note_fact(fact, block) {
            self.notify(NoticeKind::ChannelTrusted { channel: id });
            self.reopen(id);
        }
    }

    /// Looks for claims of locks that their payee had given back.
    pub(crate) fn recall_disposals(&mut self) {
        let past = self.clock.past();
        let challenge = self.config.parameters.challenge;
        let is_wanted = |channel: &Channel| channel.recalls_after(past, challenge);
        let due: Vec<(ChannelId, Nonce)> = self
            .channels
            .values()
            .filter_map(|channel| Some((channel.id, is_wanted(channel)?)))
            .collect();
        for (channel, after) in due {
            if let Some(channel) = self.channels.get_mut(&channel) {
                channel.recalling = true;
            }
            self.effect(Effect::Recall { channel, after });
        }
    }

    /// A-B: B gives a lock back and then claims it on the chain. Everybody sees both.
    pub(crate) fn on_recalled(&mut self, id: ChannelId, recollection: &Recollection) {
        let challenge = self.config.parameters.challenge;
        let Some(channel) = self.channel_mut(id) else { return };
        let deadline = channel.dispute.map(|dispute| dispute.settle_after(challenge));
        for (purpose, call) in channel.punishments(recollection) {
            self.submit_once(purpose, call, deadline);
        }
    }
}
