//! How tokens come in and go out.

use alloy::primitives::{Address, U256};
use photon_wire::claim::{DepositAuthorization, OpenAuthorization};
use photon_wire::{Amount, ChannelKey, Epoch, Seconds, Timestamp, Token};

use super::{Flaw, Key, Manner, Model, Refusal, check_not_expired, ordered, refusal};
use crate::contract::PhotonNetwork;

const DEPOSIT_LIMIT: u128 = Amount::MAX_DEPOSIT.0;
const EPOCH_LIMIT: u64 = (1 << 24) - 1;

impl Model {
    pub(super) fn open(
        &mut self,
        sender: Address,
        call: &PhotonNetwork::openCall,
    ) -> Result<(), Refusal> {
        let received =
            if call.amount == 0 { 0 } else { self.pull(call.token, sender, call.amount)? };
        self.open_with(call.token, [sender, call.partner], call.settleTimeout, received)
    }

    pub(super) fn open_authorized(
        &mut self,
        call: &PhotonNetwork::openAuthorizedCall,
        now: u64,
    ) -> Result<(), Refusal> {
        let signed = &call.authorization;
        check_not_expired(signed.validUntil, now)?;
        let claim = OpenAuthorization {
            token: Token(signed.token),
            participant: signed.participant,
            partner: signed.partner,
            settle_timeout: Seconds(signed.settleTimeout),
            amount: Amount(signed.amount),
            nonce: signed.nonce,
            valid_until: Timestamp(signed.validUntil),
        };
        self.check_signed(signed.participant, &claim, &call.signature)?;
        self.spend_nonce(signed.participant, signed.nonce)?;
        let received = match signed.amount {
            0 => 0,
            amount => self.pull(signed.token, signed.participant, amount)?,
        };
        let pair = [signed.participant, signed.partner];
        self.open_with(signed.token, pair, signed.settleTimeout, received)
    }

    pub(super) fn deposit(
        &mut self,
        sender: Address,
        call: &PhotonNetwork::depositCall,
    ) -> Result<(), Refusal> {
        let received = self.pull(call.token, sender, call.amount)?;
        let key = ordered(call.token, call.participant, call.partner)?;
        self.credit_with(key, call.participant, call.epoch, received)
    }

    pub(super) fn deposit_authorized(
        &mut self,
        call: &PhotonNetwork::depositAuthorizedCall,
        now: u64,
    ) -> Result<(), Refusal> {
        let signed = &call.authorization;
        let key = ordered(signed.token, signed.participant, signed.partner)?;
        check_not_expired(signed.validUntil, now)?;
        let pair = ChannelKey::new(Token(key.0), key.1, key.2);
        let claim = DepositAuthorization {
            key: pair.expect("an ordered pair has two members"),
            epoch: Epoch(u32::try_from(signed.epoch).unwrap_or(u32::MAX)),
            participant: signed.participant,
            amount: Amount(signed.amount),
            nonce: signed.nonce,
            valid_until: Timestamp(signed.validUntil),
        };
        self.check_signed(signed.participant, &claim, &call.signature)?;
        self.spend_nonce(signed.participant, signed.nonce)?;
        let received = match signed.amount {
            0 => 0,
            amount => self.pull(signed.token, signed.participant, amount)?,
        };
        if received == 0 {
            let (token, amount) = (signed.token, U256::ZERO);
            return Err(refusal(&PhotonNetwork::NothingReceived { token, amount }));
        }
        self.credit_with(key, signed.participant, signed.epoch, received)
    }

    pub(super) fn spend_nonce(&mut self, participant: Address, nonce: U256) -> Result<(), Refusal> {
        if self.books.spent.insert((participant, nonce)) {
            return Ok(());
        }
        Err(refusal(&PhotonNetwork::AuthorizationUsed { participant, nonce }))
    }

    fn open_with(
        &mut self,
        token: Address,
        [participant, partner]: [Address; 2],
        timeout: u64,
        received: u128,
    ) -> Result<(), Refusal> {
        if partner == Address::ZERO {
            return Err(refusal(&PhotonNetwork::InvalidParticipants { participant, partner }));
        }
        let key = ordered(token, participant, partner)?;
        let (least, greatest, got) = (self.terms.least, self.terms.greatest, timeout);
        if !(least..=greatest).contains(&got) {
            let error = PhotonNetwork::SettleTimeoutOutOfBounds { least, greatest, got };
            return Err(refusal(&error));
        }
        if token != self.token {
            return Err(refusal(&PhotonNetwork::NotAToken { token }));
        }
        let channel = self.channel_in(0, key)?;
        if channel.epoch == EPOCH_LIMIT {
            return Err(refusal(&PhotonNetwork::EpochsExhausted { epoch: EPOCH_LIMIT }));
        }
        channel.phase = 1;
        channel.epoch += 1;
        channel.clock = timeout;
        raise(&mut channel.deposit[usize::from(participant > partner)], received)
    }

    fn credit_with(
        &mut self,
        key: Key,
        participant: Address,
        epoch: u64,
        received: u128,
    ) -> Result<(), Refusal> {
        let channel = self.channel_in(1, key)?;
        if epoch != channel.epoch {
            let (current, got) = (channel.epoch, epoch);
            return Err(refusal(&PhotonNetwork::WrongEpoch { current, got }));
        }
        raise(&mut channel.deposit[usize::from(participant == key.2)], received)
    }

    /// What arrives of what is pulled.
    fn pull(&mut self, token: Address, from: Address, amount: u128) -> Result<u128, Refusal> {
        if token != self.token {
            return Err(refusal(&PhotonNetwork::NotAToken { token }));
        }
        let wide = U256::from(amount);
        if self.purse(from) < wide {
            let (to, amount) = (self.network, wide);
            return Err(refusal(&PhotonNetwork::TransferFailed { token, from, to, amount }));
        }
        let kept = if self.manner == Manner::Fee { amount / 10 } else { 0 };
        self.move_tokens(from, self.network, U256::from(amount - kept));
        self.move_tokens(from, token, U256::from(kept));
        if amount == 0 {
            return Err(refusal(&PhotonNetwork::NothingReceived { token, amount: U256::ZERO }));
        }
        Ok(if self.has(Flaw::FeeCredited) { amount } else { amount - kept })
    }

    pub(super) fn claim_credit(
        &mut self,
        sender: Address,
        call: &PhotonNetwork::claimCreditCall,
    ) -> Result<(), Refusal> {
        let token = call.token;
        let amount = if token == self.token { self.credit(sender) } else { U256::ZERO };
        if amount.is_zero() {
            return Err(refusal(&PhotonNetwork::NoCredit { token, owner: sender }));
        }
        let (from, to) = (self.network, call.recipient);
        if self.books.blocked.contains(&to) {
            return Err(refusal(&PhotonNetwork::TransferFailed { token, from, to, amount }));
        }
        self.books.credits.remove(&sender);
        self.move_tokens(from, to, amount);
        Ok(())
    }

    /// Pays, or credits whom the token refuses.
    pub(super) fn pay(&mut self, owner: Address, amount: u128) {
        let amount = U256::from(amount);
        if amount.is_zero() {
            return;
        }
        if self.books.blocked.contains(&owner) {
            *self.books.credits.entry(owner).or_default() += amount;
        } else {
            self.move_tokens(self.network, owner, amount);
        }
    }

    fn move_tokens(&mut self, from: Address, to: Address, amount: U256) {
        let left = self.purse(from).saturating_sub(amount);
        self.books.purses.insert(from, left);
        let right = self.purse(to) + amount;
        self.books.purses.insert(to, right);
    }
}

fn raise(deposit: &mut u128, received: u128) -> Result<(), Refusal> {
    let room = DEPOSIT_LIMIT - *deposit;
    if received > room {
        let (limit, got) = (U256::from(room), U256::from(received));
        return Err(refusal(&PhotonNetwork::AmountTooLarge { limit, got }));
    }
    *deposit += received;
    Ok(())
}
