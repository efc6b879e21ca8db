//! Withdrawing and settling: who is paid what.

use alloy::primitives::{Address, I256, U256};
use photon_core::channel::settlement::{self, Side};
use photon_wire::claim::{CooperativeSettle, Withdraw};
use photon_wire::{Amount, Timestamp};

use super::{
    Channel, Flaw, Key, Model, Refusal, check_not_expired, id_of, ordered, refusal, sides, standing,
};
use crate::contract::{IPhotonNetwork, PhotonNetwork};

impl Model {
    pub(super) fn withdraw(
        &mut self,
        sender: Address,
        call: &PhotonNetwork::withdrawCall,
        now: u64,
    ) -> Result<(), Refusal> {
        check_not_expired(call.validUntil, now)?;
        let (participant, partner) = (call.participant, call.partner);
        let key = ordered(call.token, participant, partner)?;
        let epoch = self.channel_in(1, key)?.epoch;
        let claim = Withdraw {
            channel: id_of(key.0, key.1, key.2),
            epoch: self.epoch(epoch),
            participant,
            withdrawn: Amount(call.withdrawn),
            valid_until: Timestamp(call.validUntil),
        };
        self.check_agreed(sender, participant, &claim, &call.participantSignature)?;
        self.check_agreed(sender, partner, &claim, &call.partnerSignature)?;

        let total = self.has(Flaw::WithdrawalPaysTotal);
        let channel = self.channel_in(1, key)?;
        let side = usize::from(participant > partner);
        let (stored, got) = (channel.withdrawn[side], call.withdrawn);
        if got <= stored {
            return Err(refusal(&PhotonNetwork::StaleWithdrawal { stored, got }));
        }
        channel.withdrawn[side] = got;
        let sum = |both: [u128; 2]| U256::from(both[0]) + U256::from(both[1]);
        let (deposits, withdrawals) = (sum(channel.deposit), sum(channel.withdrawn));
        if withdrawals > deposits {
            return Err(refusal(&PhotonNetwork::WithdrawalTooLarge { deposits, withdrawals }));
        }
        self.pay(participant, if total { got } else { got - stored });
        Ok(())
    }

    pub(super) fn cooperative_settle(
        &mut self,
        sender: Address,
        call: &PhotonNetwork::cooperativeSettleCall,
        now: u64,
    ) -> Result<(), Refusal> {
        check_not_expired(call.validUntil, now)?;
        let key = in_order(call.token, call.low, call.high)?;
        let channel = self.channel_in(1, key)?.clone();
        let claim = CooperativeSettle {
            channel: id_of(key.0, key.1, key.2),
            epoch: self.epoch(channel.epoch),
            transferred_low: Amount(call.transferredLow),
            transferred_high: Amount(call.transferredHigh),
            valid_until: Timestamp(call.validUntil),
        };
        self.check_agreed(sender, call.low, &claim, &call.signatureLow)?;
        self.check_agreed(sender, call.high, &claim, &call.signatureHigh)?;

        let [mut low, mut high] = sides(&channel);
        low.transferred = claim.transferred_low;
        high.transferred = claim.transferred_high;
        let Some(paid) = settlement::cooperate(&low, &high) else {
            return Err(out_of_range(&low, &high));
        };
        self.end(key, (paid.0.0, paid.1.0));
        Ok(())
    }

    pub(super) fn settle(
        &mut self,
        call: &PhotonNetwork::settleCall,
        now: u64,
    ) -> Result<(), Refusal> {
        let key = in_order(call.token, call.low, call.high)?;
        let clock = self.channel_in(2, key)?.clock;
        let until = clock.saturating_add(self.terms.challenge);
        if now <= until {
            let (after_, timestamp) = (until, U256::from(now));
            return Err(refusal(&PhotonNetwork::TooEarly { after_, timestamp }));
        }
        let paid = self.conclude(key, [&call.ofLow, &call.ofHigh])?;
        self.end(key, paid);
        Ok(())
    }

    pub(super) fn settle_many(
        &mut self,
        call: &PhotonNetwork::settleManyCall,
        now: u64,
    ) -> Result<(), Refusal> {
        for one in &call.settlements {
            let key = ordered(call.token, call.participant, one.partner)?;
            let channel = self.channel(key.0, key.1, key.2);
            let until = channel.clock.saturating_add(self.terms.challenge);
            if channel.phase != 2 || now <= until {
                continue;
            }
            let balances = if key.1 == call.participant {
                [&one.ofParticipant, &one.ofPartner]
            } else {
                [&one.ofPartner, &one.ofParticipant]
            };
            let paid = self.conclude(key, balances)?;
            self.end(key, paid);
        }
        Ok(())
    }

    /// What both get after a dispute, and nothing stands any more.
    fn conclude(
        &mut self,
        key: Key,
        balances: [&IPhotonNetwork::Balance; 2],
    ) -> Result<(u128, u128), Refusal> {
        let channel = self.channel_in(2, key)?.clone();
        let mut both = sides(&channel);
        for (side, payer) in [(0, key.1), (1, key.2)] {
            let stored = &channel.directions[side];
            standing(stored, payer, balances[side])?;
            // Who closed with a declaration wrote it beside what he is paid.
            let declared = balances[1 - side].declared;
            if stored.nonce == 0 || (self.has(Flaw::DeclarationNotOverridden) && declared != 0) {
                both[side].transferred = Amount(declared);
            } else {
                both[side].transferred = Amount(balances[side].transferred);
                both[side].unlocked = Amount(stored.claimed().sum);
            }
            if !self.has(Flaw::PenaltyIgnored) {
                both[side].penalty = Amount(stored.penalty.saturating_to());
            }
        }
        let paid = settlement::settle(&both[0], &both[1]);
        if self.has(Flaw::ClampMissing) {
            return Ok(unclamped(&both));
        }
        Ok((paid.0.0, paid.1.0))
    }

    /// Pays both and clears all but the epoch.
    fn end(&mut self, key: Key, (low, high): (u128, u128)) {
        let epoch = self.channel(key.0, key.1, key.2).epoch;
        self.books.channels.insert(key, Channel { epoch, ..Channel::default() });
        self.pay(key.1, low);
        self.pay(key.2, high);
    }
}

/// As one would compute it who trusts that nobody pays more than he has.
fn unclamped([low, high]: &[Side; 2]) -> (u128, u128) {
    let plus = low.deposit.0.wrapping_add(high.transferred.0).wrapping_add(high.unlocked.0);
    let minus = low.withdrawn.0.wrapping_add(low.transferred.0).wrapping_add(low.unlocked.0);
    let penalties = low.penalty.0.wrapping_sub(high.penalty.0);
    let paid = plus.wrapping_sub(minus).wrapping_add(penalties);
    (paid, settlement::held(low, high).0.wrapping_sub(paid))
}

fn out_of_range(low: &Side, high: &Side) -> Refusal {
    let signed = |amount: Amount| I256::from_raw(U256::from(amount.0));
    let balance = signed(low.deposit) + signed(high.transferred)
        - signed(low.withdrawn)
        - signed(low.transferred);
    let held = U256::from(settlement::held(low, high).0);
    refusal(&PhotonNetwork::BalanceOutOfRange { balanceLow: balance, held })
}

/// Refuses a pair that is not told low first.
fn in_order(token: Address, low: Address, high: Address) -> Result<Key, Refusal> {
    if low >= high {
        let (participant, partner) = (low, high);
        return Err(refusal(&PhotonNetwork::InvalidParticipants { participant, partner }));
    }
    Ok((token, low, high))
}
