//! What both sides of a channel sign together: asking, answering, and what comes of it.

use crate::channel::{Saying, Term};
use crate::effect::Effect;
use crate::machine::{Answer, Machine};
use crate::record::{Purpose, Terms, WithdrawalRecord};
use crate::reject::Rejection;
use crate::view::NoticeKind;
use alloc::vec::Vec;
use photon_wire::message::{
    AgreeSettle, AgreeWithdraw, Agreement, Decline, Message, ProposeSettle, RequestWithdraw,
};
use photon_wire::{Address, Amount, ChannelId, Epoch, Signature};

impl Machine {
    pub(crate) fn term(&self) -> Term {
        Term { now: self.clock.now(), length: self.config.timing.lock_duration }
    }

    pub(crate) fn withdraw(&mut self, id: ChannelId, amount: Amount) -> Result<Answer, Rejection> {
        self.check_partner_is_there(id)?;
        let term = self.term();
        let channel = self.channel_mut(id).ok_or(Rejection::UnknownChannel { channel: id })?;
        channel.send_request_withdraw(amount, term)?;
        Ok(Answer::Done)
    }

    pub(crate) fn settle_together(
        &mut self,
        id: ChannelId,
        drain: bool,
    ) -> Result<Answer, Rejection> {
        self.check_partner_is_there(id)?;
        self.with(id)?.check_settle(drain)?;
        let term = self.term();
        // A lock ends with its duration; then it has to be past for good, and to be taken back.
        let until = term.now.after(term.length).after(term.length);
        if let Some(channel) = self.channel_mut(id) {
            channel.begin_settle(until);
        }
        Ok(Answer::Done)
    }

    pub(crate) fn cancel_settle(&mut self, id: ChannelId) -> Result<Answer, Rejection> {
        let channel = self.channel_mut(id).ok_or(Rejection::UnknownChannel { channel: id })?;
        channel.cancel_settle()?;
        Ok(Answer::Done)
    }

    /// Both must be there, and the chain, or nothing would come of it.
    fn check_partner_is_there(&self, id: ChannelId) -> Result<(), Rejection> {
        let channel = self.with(id)?;
        channel.check_open()?;
        if !self.chain_reachable {
            return Err(Rejection::ChainUnavailable);
        }
        let partner = channel.partner;
        if self.online.contains(&partner) {
            Ok(())
        } else {
            Err(Rejection::PartnerOffline { partner })
        }
    }

    fn check_life(&self, from: Address, id: ChannelId, got: Epoch) -> Result<(), Rejection> {
        self.check_partner(from, id)?;
        let expected = self.with(id)?.epoch;
        if got == expected { Ok(()) } else { Err(Rejection::WrongEpoch { expected, got }) }
    }

    pub(crate) fn on_request_withdraw(
        &mut self,
        from: Address,
        said: &RequestWithdraw,
    ) -> Result<(), Rejection> {
        self.check_life(from, said.channel, said.epoch)?;
        let term = self.term();
        let Some(channel) = self.channel_mut(said.channel) else { return Ok(()) };
        let (withdrawn, valid_until) = (said.withdrawn, said.valid_until);
        let request = WithdrawalRecord { withdrawn, valid_until, signature: None };
        if let Err(rejection) = channel.receive_request_withdraw(request, term) {
            let rule = rejection.number();
            channel.say.push(Saying::Decline(Agreement::Withdraw, valid_until, rule));
        }
        Ok(())
    }

    pub(crate) fn on_agree_withdraw(
        &mut self,
        from: Address,
        said: &AgreeWithdraw,
        signer: Address,
    ) -> Result<(), Rejection> {
        self.check_life(from, said.channel, said.epoch)?;
        check_signer(from, signer)?;
        let past = self.clock.past();
        let Some(channel) = self.channel_mut(said.channel) else { return Ok(()) };
        let (withdrawn, valid_until) = (said.withdrawn, said.valid_until);
        let agreed = WithdrawalRecord { withdrawn, valid_until, signature: Some(said.signature) };
        if let Some(call) = channel.receive_agree_withdraw(agreed, past) {
            self.submit_once(Purpose::Withdraw(said.channel), call, Some(valid_until));
        }
        Ok(())
    }

    pub(crate) fn on_propose_settle(
        &mut self,
        from: Address,
        said: &ProposeSettle,
    ) -> Result<(), Rejection> {
        self.check_life(from, said.channel, said.epoch)?;
        let term = self.term();
        let Some(channel) = self.channel_mut(said.channel) else { return Ok(()) };
        if let Err(rejection) = channel.receive_propose_settle(said, term) {
            let rule = rejection.number();
            channel.say.push(Saying::Decline(Agreement::Settle, said.valid_until, rule));
        } else if channel.is_frozen() {
            // B-A: B has A's payment and never says so, and proposes the end with it. A's owner,
            // told at the end that the payment failed, would make it twice.
            let nonce = channel.ours.head.nonce;
            self.acknowledged(said.channel, nonce);
        }
        Ok(())
    }

    pub(crate) fn on_agree_settle(
        &mut self,
        from: Address,
        said: &AgreeSettle,
        signer: Address,
    ) -> Result<(), Rejection> {
        self.check_life(from, said.channel, said.epoch)?;
        check_signer(from, signer)?;
        let past = self.clock.past();
        let Some(channel) = self.channel_mut(said.channel) else { return Ok(()) };
        let terms = Terms {
            transferred_low: said.transferred_low,
            transferred_high: said.transferred_high,
            valid_until: said.valid_until,
        };
        if let Some(call) = channel.receive_agree_settle(terms, said.signature, past) {
            let purpose = Purpose::CooperativeSettle(said.channel);
            self.submit_once(purpose, call, Some(said.valid_until));
        }
        Ok(())
    }

    pub(crate) fn on_decline(&mut self, from: Address, said: &Decline) -> Result<(), Rejection> {
        self.check_life(from, said.channel, said.epoch)?;
        let Some(channel) = self.channel_mut(said.channel) else { return Ok(()) };
        if !channel.receive_decline(said.agreement, said.valid_until) {
            return Ok(());
        }
        let (id, rule) = (said.channel, said.rule);
        match said.agreement {
            Agreement::Withdraw => self.notify(NoticeKind::WithdrawFailed { channel: id, rule }),
            Agreement::Settle => {
                // What was on its way arrives, and what runs out is gone, with time; nothing else
                // would be different the next time.
                let passes = [
                    Rejection::NotInStep.number(),
                    Rejection::LocksPending { locks: 0 }.number(),
                    Rejection::ChannelBusy { channel: id }.number(),
                ];
                if !passes.contains(&rule) {
                    channel.set_settling(None);
                    self.notify(NoticeKind::CooperativeSettleFailed { channel: id, rule });
                    self.reopen(id);
                }
            }
        }
        Ok(())
    }

    /// Ends what time has ended.
    pub(crate) fn end_agreements(&mut self) {
        let (now, past) = (self.clock.now(), self.clock.past());
        let is_bound = |agreements: &crate::record::AgreementsRecord| {
            agreements.ours.is_some()
                || agreements.theirs.is_some()
                || agreements.settling.is_some()
        };
        let bound: Vec<ChannelId> = self
            .channels
            .values()
            .filter(|channel| is_bound(&channel.agreements))
            .map(|channel| channel.id)
            .collect();
        for id in bound {
            let Some(channel) = self.channel_mut(id) else { continue };
            channel.proposed_in_vain = false;
            let withdrawal = channel.agreements.ours;
            let settling = channel.agreements.settling;
            let withdrawn = channel.expire_withdrawals(past);
            let thawed = channel.thaw(now, past);
            if let Some(expired) = withdrawal.filter(|_| withdrawn) {
                self.done_with(Purpose::Withdraw(id));
                let rule = Rejection::AgreementExpired { expired: expired.valid_until }.number();
                self.notify(NoticeKind::WithdrawFailed { channel: id, rule });
            }
            if let Some(expired) = settling.filter(|_| thawed) {
                self.done_with(Purpose::CooperativeSettle(id));
                let rule = Rejection::AgreementExpired { expired: expired.until }.number();
                self.notify(NoticeKind::CooperativeSettleFailed { channel: id, rule });
                self.reopen(id);
            }
        }
    }

    /// The channel is closed: the contract executes no agreement any more.
    pub(crate) fn void_agreements(&mut self, id: ChannelId) {
        let Some(channel) = self.channel_mut(id) else { return };
        let withdrawal = channel.agreements.ours.take();
        channel.agreements.theirs = None;
        let settling = channel.agreements.settling.take();
        channel.dirty.head = true;
        self.done_with(Purpose::Withdraw(id));
        self.done_with(Purpose::CooperativeSettle(id));
        let rule = Rejection::ClosedMeanwhile.number();
        if withdrawal.is_some() {
            self.notify(NoticeKind::WithdrawFailed { channel: id, rule });
        }
        if settling.is_some() {
            self.notify(NoticeKind::CooperativeSettleFailed { channel: id, rule });
        }
    }
}

fn check_signer(expected: Address, signer: Address) -> Result<(), Rejection> {
    if signer == expected { Ok(()) } else { Err(Rejection::WrongSigner { expected }) }
}

/// What is said, as what is to be done; signatures are blank.
pub(crate) fn effect_of(
    saying: Saying,
    to: Address,
    channel: ChannelId,
    epoch: Epoch,
    sent_and_received: (photon_wire::Nonce, photon_wire::Nonce),
) -> Effect {
    let blank = Signature([0; 65]);
    match saying {
        Saying::RequestWithdraw(WithdrawalRecord { withdrawn, valid_until, .. }) => {
            let request = RequestWithdraw { channel, epoch, withdrawn, valid_until };
            Effect::Send { to, message: Message::RequestWithdraw(request) }
        }
        Saying::AgreeWithdraw(WithdrawalRecord { withdrawn, valid_until, .. }) => {
            let agree = AgreeWithdraw { channel, epoch, withdrawn, valid_until, signature: blank };
            Effect::SendAgreeWithdraw { to, agree }
        }
        Saying::ProposeSettle(Terms { transferred_low, transferred_high, valid_until }) => {
            let (sent, received) = sent_and_received;
            let propose = ProposeSettle {
                channel,
                epoch,
                sent,
                received,
                transferred_low,
                transferred_high,
                valid_until,
            };
            Effect::Send { to, message: Message::ProposeSettle(propose) }
        }
        Saying::AgreeSettle(Terms { transferred_low, transferred_high, valid_until }) => {
            let agree = AgreeSettle {
                channel,
                epoch,
                transferred_low,
                transferred_high,
                valid_until,
                signature: blank,
            };
            Effect::SendAgreeSettle { to, agree }
        }
        Saying::Decline(agreement, valid_until, rule) => {
            let decline = Decline { channel, epoch, agreement, valid_until, rule };
            Effect::Send { to, message: Message::Decline(decline) }
        }
    }
}
