//! What both sides sign together: withdrawing, and ending the channel.
//!
//! Who asks signs nothing; only it can bring the partner's signature onto the chain. So it may let
//! it be at any time, while who has signed is bound until the signature is past for good.

use super::{Channel, Saying, check_amount};
use crate::record::{SettlingRecord, SettlingStage, Terms, WithdrawalRecord};
use crate::reject::Rejection;
use photon_wire::contract::Call;
use photon_wire::message::{Agreement, ProposeSettle};
use photon_wire::{Amount, Seconds, Signature, Timestamp};

/// The time in which agreements are made and executed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Term {
    pub(crate) now: Timestamp,
    /// How long what we ask for is valid.
    pub(crate) length: Seconds,
}

impl Term {
    fn end(self) -> Timestamp {
        self.now.after(self.length)
    }

    /// What a partner asks for may end later than ours would: its clock and its settings differ.
    fn check(self, valid_until: Timestamp) -> Result<(), Rejection> {
        let most = self.end().after(self.length);
        if valid_until <= self.now || valid_until > most {
            return Err(Rejection::ValidUntilOutOfBounds { most, got: valid_until });
        }
        Ok(())
    }
}

impl Channel {
    /// A-B: A asks for the same hundreds of times in a turn; B signs it once.
    fn say_once(&mut self, saying: Saying) {
        if !self.say.contains(&saying) {
            self.say.push(saying);
        }
    }

    // Withdrawing.

    /// Asks the partner to let us take this out. The tokens are gone from our balance at once.
    pub(crate) fn send_request_withdraw(
        &mut self,
        amount: Amount,
        term: Term,
    ) -> Result<(), Rejection> {
        check_amount(amount)?;
        self.check_open()?;
        if self.agreements.settling.is_some() {
            return Err(Rejection::ChannelSettling { channel: self.id });
        }
        if !self.in_step {
            return Err(Rejection::ChannelBusy { channel: self.id });
        }
        if self.agreements.ours.is_some() {
            return Err(Rejection::AlreadyPending);
        }
        let spendable = self.spendable();
        if amount > spendable {
            return Err(Rejection::InsufficientBalance { spendable, needed: amount });
        }
        let withdrawn = self.ours.head.withdrawn.checked_add(amount);
        let withdrawn = withdrawn.ok_or(Rejection::BadAmount { amount })?;
        let request = WithdrawalRecord { withdrawn, valid_until: term.end(), signature: None };
        self.agreements.ours = Some(request);
        self.dirty.head = true;
        self.say.push(Saying::RequestWithdraw(request));
        Ok(())
    }

    /// Lets the partner take something out: from then on it is gone from its balance.
    pub(crate) fn receive_request_withdraw(
        &mut self,
        request: WithdrawalRecord,
        term: Term,
    ) -> Result<(), Rejection> {
        if self.agreements.theirs == Some(request) {
            self.say_once(Saying::AgreeWithdraw(request));
            return Ok(());
        }
        self.check_request_withdraw(request, term)?;
        self.agreements.theirs = Some(request);
        self.dirty.head = true;
        self.say_once(Saying::AgreeWithdraw(request));
        Ok(())
    }

    fn check_request_withdraw(
        &self,
        request: WithdrawalRecord,
        term: Term,
    ) -> Result<(), Rejection> {
        self.check_open()?;
        if !self.in_step {
            return Err(Rejection::ChannelBusy { channel: self.id });
        }
        // A second signature would let the partner choose; the first one is not past yet.
        if self.agreements.theirs.is_some() {
            return Err(Rejection::AlreadyPending);
        }
        term.check(request.valid_until)?;
        let more = request.withdrawn.saturating_sub(self.theirs.head.withdrawn);
        check_amount(more)?;
        let (has, owes) = self.sums(false);
        let spendable = has.saturating_sub(owes);
        if more > spendable {
            return Err(Rejection::InsufficientBalance { spendable, needed: more });
        }
        Ok(())
    }

    /// The partner consents to our withdrawal: what to tell the contract, if it is the one that we
    /// asked for and still can be executed.
    pub(crate) fn receive_agree_withdraw(
        &mut self,
        agreed: WithdrawalRecord,
        past: Timestamp,
    ) -> Option<Call> {
        let asked = self.agreements.ours?;
        let signature = agreed.signature?;
        let is_same = asked == WithdrawalRecord { signature: None, ..agreed };
        if !is_same || self.dispute.is_some() || past > asked.valid_until {
            return None;
        }
        self.agreements.ours = Some(agreed);
        self.dirty.head = true;
        Some(Call::Withdraw {
            key: self.key(),
            epoch: self.epoch,
            participant: self.us,
            withdrawn: agreed.withdrawn,
            valid_until: agreed.valid_until,
            participant_signature: None,
            partner_signature: Some(signature),
        })
    }

    /// Whether the contract can have paid this out by what we know of both signatures.
    pub(crate) fn expects_withdrawn(&self, ours: bool, total: Amount) -> bool {
        total <= self.taken_out(ours)
    }

    /// The contract paid out. True where it was our withdrawal under way.
    pub(crate) fn note_withdrawn(&mut self, ours: bool, total: Amount) -> bool {
        let (end, pending) = if ours {
            (&mut self.ours, &mut self.agreements.ours)
        } else {
            (&mut self.theirs, &mut self.agreements.theirs)
        };
        // Totals only grow; what is told again may be an older one.
        end.head.withdrawn = end.head.withdrawn.max(total);
        let done = pending.take_if(|pending| pending.withdrawn <= total).is_some();
        self.dirty.head = true;
        done && ours
    }

    /// Ends what can not be executed any more. True where a withdrawal of ours was.
    pub(crate) fn expire_withdrawals(&mut self, past: Timestamp) -> bool {
        let over = |pending: &mut WithdrawalRecord| pending.valid_until < past;
        let theirs = self.agreements.theirs.take_if(over).is_some();
        let ours = self.agreements.ours.take_if(over).is_some();
        self.dirty.head |= ours || theirs;
        ours
    }

    // Ending together.

    /// Refuses where the channel cannot be ended together now.
    pub(crate) fn check_settle(&self, drain: bool) -> Result<(), Rejection> {
        self.check_open()?;
        if self.agreements.settling.is_some() {
            return Err(Rejection::AlreadyPending);
        }
        if !self.in_step {
            return Err(Rejection::ChannelBusy { channel: self.id });
        }
        let locks = self.lock_count();
        if locks > 0 && !drain {
            return Err(Rejection::LocksPending { locks });
        }
        Ok(())
    }

    fn lock_count(&self) -> usize {
        self.ours.lock_count().saturating_add(self.theirs.lock_count())
    }

    /// From now on no new payment of ours leaves; the rest comes by itself.
    pub(crate) fn begin_settle(&mut self, until: Timestamp) {
        self.set_settling(Some(SettlingRecord { stage: SettlingStage::Draining, until }));
        self.proposed_in_vain = false;
    }

    pub(crate) fn set_settling(&mut self, settling: Option<SettlingRecord>) {
        self.agreements.settling = settling;
        self.dirty.head = true;
    }

    /// Proposes the end where one is wanted and nothing is on its way any more.
    pub(crate) fn propose_if_quiet(&mut self, term: Term) {
        let Some(settling) = self.agreements.settling else { return };
        let wants = settling.stage == SettlingStage::Draining && !self.proposed_in_vain;
        if !wants || !self.can_sign() || !self.is_quiet() {
            return;
        }
        let terms = self.terms(term.end());
        self.set_settling(Some(SettlingRecord {
            stage: SettlingStage::Proposed(terms),
            ..settling
        }));
        self.say.push(Saying::ProposeSettle(terms));
    }

    /// No locks, and the partner has everything that we have signed.
    fn is_quiet(&self) -> bool {
        self.lock_count() == 0 && self.batch.is_empty() && self.acknowledged == self.ours.head.nonce
    }

    /// The end as both directions stand.
    fn terms(&self, valid_until: Timestamp) -> Terms {
        let (ours, theirs) = (self.ours.transferred(), self.theirs.transferred());
        let (transferred_low, transferred_high) =
            if self.is_low() { (ours, theirs) } else { (theirs, ours) };
        Terms { transferred_low, transferred_high, valid_until }
    }

    pub(crate) fn is_low(&self) -> bool {
        self.us < self.partner
    }

    /// Consents to the end that the partner proposes: from then on nothing is signed or accepted
    /// until it is executed or past.
    pub(crate) fn receive_propose_settle(
        &mut self,
        proposal: &ProposeSettle,
        term: Term,
    ) -> Result<(), Rejection> {
        let terms = Terms {
            transferred_low: proposal.transferred_low,
            transferred_high: proposal.transferred_high,
            valid_until: proposal.valid_until,
        };
        match self.agreements.settling.map(|settling| settling.stage) {
            Some(SettlingStage::Agreed(agreed)) if agreed == terms => {
                self.say_once(Saying::AgreeSettle(terms));
                return Ok(());
            }
            Some(SettlingStage::Agreed(_) | SettlingStage::Executing(..)) => {
                return Err(Rejection::ChannelSettling { channel: self.id });
            }
            // Both have proposed: the lower address's proposal goes on, and both know it.
            Some(SettlingStage::Proposed(_)) if self.is_low() => return Ok(()),
            Some(SettlingStage::Proposed(_) | SettlingStage::Draining) | None => {}
        }
        self.check_proposal(proposal, &terms, term)?;
        let until = terms.valid_until;
        self.set_settling(Some(SettlingRecord { stage: SettlingStage::Agreed(terms), until }));
        self.say_once(Saying::AgreeSettle(terms));
        Ok(())
    }

    fn check_proposal(
        &self,
        proposal: &ProposeSettle,
        terms: &Terms,
        term: Term,
    ) -> Result<(), Rejection> {
        self.check_open()?;
        if !self.in_step {
            return Err(Rejection::ChannelBusy { channel: self.id });
        }
        term.check(terms.valid_until)?;
        let locks = self.lock_count();
        if locks > 0 {
            return Err(Rejection::LocksPending { locks });
        }
        let nonces = (self.theirs.head.nonce, self.ours.head.nonce);
        let is_same = (proposal.sent, proposal.received) == nonces
            && self.terms(terms.valid_until) == *terms
            && self.batch.is_empty();
        if is_same { Ok(()) } else { Err(Rejection::NotInStep) }
    }

    /// The partner consents to our proposal: what to tell the contract, if it is the one that we
    /// made and the channel is as it was.
    pub(crate) fn receive_agree_settle(
        &mut self,
        agreed: Terms,
        signature: Signature,
        past: Timestamp,
    ) -> Option<Call> {
        let settling = self.agreements.settling?;
        let is_same = settling.stage == SettlingStage::Proposed(agreed)
            && self.terms(agreed.valid_until) == agreed
            && self.lock_count() == 0
            && self.batch.is_empty();
        if !is_same || !self.is_open() || past > agreed.valid_until {
            return None;
        }
        let (stage, until) = (SettlingStage::Executing(agreed, signature), agreed.valid_until);
        self.set_settling(Some(SettlingRecord { stage, until }));
        let partner = Some(signature);
        let (low_signature, high_signature) =
            if self.is_low() { (None, partner) } else { (partner, None) };
        Some(Call::CooperativeSettle {
            key: self.key(),
            epoch: self.epoch,
            transferred_low: agreed.transferred_low,
            transferred_high: agreed.transferred_high,
            valid_until: agreed.valid_until,
            low_signature,
            high_signature,
        })
    }

    /// The partner has signed nothing. For a proposal, whether to try again is the caller's.
    pub(crate) fn receive_decline(&mut self, agreement: Agreement, valid_until: Timestamp) -> bool {
        match agreement {
            Agreement::Withdraw => {
                let is_meant = |asked: &mut WithdrawalRecord| {
                    asked.valid_until == valid_until && asked.signature.is_none()
                };
                let declined = self.agreements.ours.take_if(is_meant).is_some();
                self.dirty.head |= declined;
                declined
            }
            Agreement::Settle => {
                let Some(settling) = self.agreements.settling else { return false };
                let is_meant = matches!(settling.stage, SettlingStage::Proposed(terms)
                    if terms.valid_until == valid_until);
                if is_meant {
                    self.begin_settle(settling.until);
                    self.proposed_in_vain = true;
                }
                is_meant
            }
        }
    }

    /// Gives up what cannot come about any more: a proposal that was not answered, a signature
    /// that is past for good. True where the channel goes on.
    pub(crate) fn thaw(&mut self, now: Timestamp, past: Timestamp) -> bool {
        let Some(settling) = self.agreements.settling else { return false };
        let over = match settling.stage {
            SettlingStage::Draining => now > settling.until,
            SettlingStage::Proposed(terms) => {
                let over = now > settling.until;
                if !over && now > terms.valid_until {
                    self.begin_settle(settling.until);
                }
                over
            }
            // Only the chain can say that it was not executed.
            SettlingStage::Agreed(terms) | SettlingStage::Executing(terms, _) => {
                past > terms.valid_until
            }
        };
        if over {
            self.set_settling(None);
        }
        over
    }

    /// Gives up ending the channel together, where nothing binds us.
    pub(crate) fn cancel_settle(&mut self) -> Result<(), Rejection> {
        match self.agreements.settling.map(|settling| settling.stage) {
            Some(SettlingStage::Draining | SettlingStage::Proposed(_)) => {
                self.set_settling(None);
                Ok(())
            }
            Some(SettlingStage::Agreed(_) | SettlingStage::Executing(..)) | None => {
                Err(Rejection::NotCancellable)
            }
        }
    }

    /// What a new session must hear again of what we asked for.
    pub(crate) fn repeat_agreements(&mut self) {
        if let Some(asked) = self.agreements.ours.filter(|asked| asked.signature.is_none()) {
            self.say.push(Saying::RequestWithdraw(asked));
        }
        if let Some(SettlingRecord { stage: SettlingStage::Proposed(terms), .. }) =
            self.agreements.settling
        {
            self.say.push(Saying::ProposeSettle(terms));
        }
    }
}
