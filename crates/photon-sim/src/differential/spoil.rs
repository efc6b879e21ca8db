//! Making a call wrong, in one of the ways in which somebody would try it, or err.

use alloy::primitives::{Address, B256, Bytes, U256};

use super::author::Author;
use crate::call::Call;
use crate::contract::IPhotonNetwork;

/// Half the order of secp256k1, rounded down, times two and one: the order.
const ORDER: U256 = U256::from_be_bytes(alloy::primitives::hex!(
    "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
));

impl Author {
    /// Changes something in the call; it may still be right.
    pub(super) fn spoil(&mut self, call: &mut Call) {
        match call {
            Call::Open(call) => match self.dice.below(4) {
                0 => call.partner = self.strange(),
                1 => call.settleTimeout = self.number(call.settleTimeout),
                2 => call.token = self.strange(),
                _ => call.amount = self.wide(call.amount),
            },
            Call::OpenAuthorized(call) => {
                let signed = &mut call.authorization;
                match self.dice.below(6) {
                    0 => signed.partner = self.strange(),
                    1 => signed.amount = self.wide(signed.amount),
                    2 => signed.validUntil = self.number(signed.validUntil),
                    3 => signed.nonce = U256::from(self.dice.below(9)),
                    4 => signed.participant = self.strange(),
                    _ => self.signature(&mut call.signature),
                }
            }
            Call::Deposit(call) => match self.dice.below(5) {
                0 => call.epoch = self.number(call.epoch),
                1 => call.participant = self.strange(),
                2 => call.token = self.strange(),
                3 => call.amount = 0,
                _ => call.amount = self.wide(call.amount),
            },
            Call::DepositAuthorized(call) => {
                let signed = &mut call.authorization;
                match self.dice.below(5) {
                    0 => signed.epoch = self.number(signed.epoch),
                    1 => signed.amount = self.wide(signed.amount),
                    2 => signed.validUntil = self.number(signed.validUntil),
                    3 => signed.participant = self.strange(),
                    _ => self.signature(&mut call.signature),
                }
            }
            Call::Withdraw(_) | Call::CooperativeSettle(_) | Call::Close(_) | Call::Update(_) => {
                self.spoil_signed(call);
            }
            Call::RegisterSecrets(call) => match self.dice.below(3) {
                0 => call.secrets.clear(),
                1 => call.secrets.resize(257, B256::ZERO),
                _ => call.secrets.reverse(),
            },
            Call::Unlock(call) => self.spoil_unlock(call),
            Call::Punish(call) => self.spoil_punish(call),
            Call::Settle(call) => match self.dice.below(3) {
                0 => std::mem::swap(&mut call.low, &mut call.high),
                1 => self.spoil_balance(&mut call.ofLow),
                _ => self.spoil_balance(&mut call.ofHigh),
            },
            Call::SettleMany(call) => match self.dice.below(3) {
                0 => call.participant = self.strange(),
                1 => call.settlements.iter_mut().for_each(|one| {
                    std::mem::swap(&mut one.ofParticipant, &mut one.ofPartner);
                }),
                _ => call.settlements.truncate(1),
            },
            Call::CancelAuthorization(call) => call.nonce = U256::from(self.dice.below(100)),
            Call::ClaimCredit(call) => call.token = self.strange(),
            Call::Multicall(calls) => {
                if let Some(last) = calls.last_mut() {
                    self.spoil(last);
                }
            }
        }
    }

    fn spoil_signed(&mut self, call: &mut Call) {
        if let Call::Withdraw(call) = call {
            match self.dice.below(5) {
                0 => call.withdrawn = self.wide(call.withdrawn),
                1 => call.validUntil = self.number(call.validUntil),
                2 => self.signature(&mut call.participantSignature),
                3 => self.signature(&mut call.partnerSignature),
                _ => std::mem::swap(&mut call.participant, &mut call.partner),
            }
        } else if let Call::CooperativeSettle(call) = call {
            match self.dice.below(6) {
                0 => call.transferredLow = self.wide(call.transferredLow),
                1 => call.transferredHigh = self.wide(call.transferredHigh),
                2 => call.validUntil = self.number(call.validUntil),
                3 => self.signature(&mut call.signatureLow),
                4 => self.signature(&mut call.signatureHigh),
                _ => std::mem::swap(&mut call.low, &mut call.high),
            }
        } else if let Call::Close(call) = call {
            match self.dice.below(3) {
                0 => call.partner = self.strange(),
                1 => call.declared = self.wide(call.declared),
                _ => self.spoil_proof(&mut call.proof),
            }
        } else if let Call::Update(call) = call {
            match self.dice.below(5) {
                0 => std::mem::swap(&mut call.payer, &mut call.payee),
                1 => call.payee = self.strange(),
                2 => self.signature(&mut call.delegation),
                _ => self.spoil_proof(&mut call.proof),
            }
        }
    }

    fn spoil_proof(&mut self, proof: &mut IPhotonNetwork::BalanceProof) {
        match self.dice.below(4) {
            0 => proof.nonce = self.number(proof.nonce),
            1 => proof.transferred = self.wide(proof.transferred),
            2 => proof.locksroot = B256::new(self.dice.bytes()),
            _ => self.signature(&mut proof.signature),
        }
    }

    fn spoil_balance(&mut self, balance: &mut IPhotonNetwork::Balance) {
        match self.dice.below(3) {
            0 => balance.transferred = self.wide(balance.transferred),
            1 => balance.locksroot = B256::new(self.dice.bytes()),
            _ => balance.declared = self.wide(balance.declared),
        }
    }

    fn spoil_unlock(&mut self, call: &mut crate::contract::PhotonNetwork::unlockCall) {
        match self.dice.below(9) {
            0 => self.spoil_balance(&mut call.balance),
            1 => self.spoil_siblings(&mut call.siblings),
            2 => call.locks.reverse(),
            3 => drop(call.locks.pop()),
            4 => self.signature(&mut call.delegation),
            5 => std::mem::swap(&mut call.payer, &mut call.payee),
            6 => {
                let index = self.dice.index(call.locks.len());
                if let Some(lock) = call.locks.get_mut(index) {
                    self.spoil_lock(lock);
                }
            }
            _ => {
                let index = self.dice.index(call.registrations.len());
                if self.dice.once_in(4) {
                    call.registrations.pop();
                } else if let Some(shown) = call.registrations.get_mut(index) {
                    self.spoil_registration(shown);
                }
            }
        }
    }

    fn spoil_registration(&mut self, shown: &mut IPhotonNetwork::Registration) {
        match self.dice.below(5) {
            0 => shown.depth = shown.depth.wrapping_add(1),
            1 => shown.depth = shown.depth.wrapping_sub(1),
            2 => self.spoil_siblings(&mut shown.siblings),
            3 => shown.members = shown.members.slice(..shown.members.len().saturating_sub(1)),
            _ => {
                let mut members = shown.members.to_vec();
                let index = self.dice.index(members.len());
                if let Some(byte) = members.get_mut(index) {
                    *byte = byte.wrapping_add(1);
                }
                shown.members = members.into();
            }
        }
    }

    fn spoil_punish(&mut self, call: &mut crate::contract::PhotonNetwork::punishCall) {
        match self.dice.below(6) {
            0 => self.spoil_balance(&mut call.balance),
            1 => self.spoil_siblings(&mut call.siblings),
            2 => self.spoil_lock(&mut call.lock),
            3 => call.disposal.index += U256::ONE,
            4 => self.signature(&mut call.disposal.signature),
            _ => call.disposal.locks.push(B256::new(self.dice.bytes())),
        }
    }

    fn spoil_lock(&mut self, lock: &mut IPhotonNetwork::Lock) {
        match self.dice.below(5) {
            0 => lock.slot = if self.dice.once_in(2) { 4096 } else { lock.slot ^ 1 },
            1 => lock.amount = self.wide(lock.amount),
            2 => lock.expiration = self.number(lock.expiration),
            3 => lock.number = self.number(lock.number),
            _ => lock.secretHash = B256::new(self.dice.bytes()),
        }
    }

    fn spoil_siblings(&mut self, siblings: &mut Vec<B256>) {
        let index = self.dice.index(siblings.len());
        match self.dice.below(3) {
            0 => drop(siblings.pop()),
            1 => siblings.push(B256::ZERO),
            _ => {
                if let Some(sibling) = siblings.get_mut(index) {
                    sibling.0[0] ^= 1;
                }
            }
        }
    }

    /// Flips a bit, cuts it, leaves it out, or tells its mirror with the high `s`.
    fn signature(&mut self, signature: &mut Bytes) {
        let mut bytes = signature.to_vec();
        let index = self.dice.index(bytes.len());
        match self.dice.below(4) {
            0 => bytes.clear(),
            1 => drop(bytes.pop()),
            2 if bytes.len() == 65 => {
                let s = U256::from_be_slice(&bytes[32..64]);
                bytes[32..64].copy_from_slice(&ORDER.wrapping_sub(s).to_be_bytes::<32>());
                bytes[64] = 55_u8.wrapping_sub(bytes[64]);
            }
            _ => {
                if let Some(byte) = bytes.get_mut(index) {
                    *byte ^= 1;
                }
            }
        }
        *signature = bytes.into();
    }

    /// Somebody else: one of the three, nobody, or a contract that does not exist.
    fn strange(&mut self) -> Address {
        match self.dice.below(5) {
            0 => Address::ZERO,
            1 => Address::repeat_byte(0x99),
            _ => self.anybody(),
        }
    }

    fn number(&mut self, number: u64) -> u64 {
        match self.dice.below(5) {
            0 => 0,
            1 => 1 << 48,
            2 => number.saturating_sub(1 + self.dice.below(200)),
            _ => number.saturating_add(1),
        }
    }

    fn wide(&mut self, amount: u128) -> u128 {
        match self.dice.below(6) {
            0 => u128::MAX,
            1 => 1 << 96,
            2 => amount.saturating_sub(1),
            3 => self.dice.up_to(self.scale),
            _ => amount.saturating_add(1),
        }
    }
}
