//! From closing to settling.

use alloy::primitives::{Address, B256, U256};
use photon_wire::claim::{BalanceProof, Delegation, Disposal};
use photon_wire::lock::Lock;
use photon_wire::{
    Amount, ChannelId, LockHash, LockNumber, Locksroot, Nonce, SecretHash, Timestamp,
};

use super::registry::root_by;
use super::{Claimed, Direction, Flaw, Key, Model, Refusal, id_of, ordered, refusal, standing};
use crate::contract::{IPhotonNetwork, PhotonNetwork};

const NONCE_LIMIT: u64 = (1 << 48) - 1;
const SLOTS: u16 = 4096;
const DEPTH: u8 = 12;

impl Model {
    pub(super) fn close(
        &mut self,
        sender: Address,
        call: &PhotonNetwork::closeCall,
        now: u64,
    ) -> Result<(), Refusal> {
        let key = ordered(call.token, sender, call.partner)?;
        let channel = self.channel_in(1, key)?;
        channel.phase = 2;
        channel.clock = channel.clock.saturating_add(now);
        let epoch = channel.epoch;
        let mut direction = Direction::default();
        if call.proof.nonce != 0 {
            self.check_proof(key, epoch, call.partner, &call.proof)?;
            direction = Direction {
                nonce: fitting(call.proof.nonce)?,
                balance: (call.proof.transferred, call.proof.locksroot, call.declared),
                ..direction
            };
        } else if call.declared != 0 {
            direction.balance = (0, B256::ZERO, call.declared);
        }
        direction.is_sealed = call.declared != 0;
        self.channel_in(2, key)?.directions[side_of(key, call.partner)] = direction;
        Ok(())
    }

    pub(super) fn update(
        &mut self,
        sender: Address,
        call: &PhotonNetwork::updateCall,
        now: u64,
    ) -> Result<(), Refusal> {
        let (payer, payee, proof) = (call.payer, call.payee, &call.proof);
        let key = ordered(call.token, payer, payee)?;
        let epoch = self.disputed(key, now)?;
        let side = side_of(key, payer);
        let stored = self.channel(key.0, key.1, key.2).directions[side].clone();
        if proof.nonce <= stored.nonce {
            let (stored, got) = (stored.nonce, proof.nonce);
            return Err(refusal(&PhotonNetwork::StaleNonce { stored, got }));
        }
        if stored.is_sealed && !self.has(Flaw::SealIgnored) {
            return Err(refusal(&PhotonNetwork::SealedByDeclaration { payer }));
        }
        self.check_proof(key, epoch, payer, proof)?;
        if sender != payee {
            let balance = (proof.nonce, proof.transferred, proof.locksroot);
            self.check_delegated(key, epoch, [payer, payee], balance, sender, &call.delegation)?;
        }
        let kept = self.has(Flaw::UnlockedKeptOnUpdate);
        let direction = &mut self.channel_in(2, key)?.directions[side];
        direction.nonce = fitting(proof.nonce)?;
        direction.is_sealed = false;
        direction.balance = (proof.transferred, proof.locksroot, 0);
        if kept {
            direction.claimed.insert(proof.nonce, stored.claimed());
        }
        Ok(())
    }

    pub(super) fn unlock(
        &mut self,
        sender: Address,
        call: &PhotonNetwork::unlockCall,
        now: u64,
    ) -> Result<(), Refusal> {
        let (payer, payee, balance) = (call.payer, call.payee, &call.balance);
        let key = ordered(call.token, payer, payee)?;
        let epoch = self.disputed(key, now)?;
        let side = side_of(key, payer);
        let stored = self.channel(key.0, key.1, key.2).directions[side].clone();
        standing(&stored, payer, balance)?;
        if sender != payee {
            let proof = (stored.nonce, balance.transferred, balance.locksroot);
            self.check_delegated(key, epoch, [payer, payee], proof, sender, &call.delegation)?;
        }
        check_locks(&call.locks, &call.siblings, balance.locksroot)?;
        self.check_registered(&call.locks, &call.registrations)?;

        let twice = self.has(Flaw::ClaimedTwice);
        let again = self.has(Flaw::PunishedClaimedAgain);
        let direction = &mut self.channel_in(2, key)?.directions[side];
        let mut claimed = direction.claimed();
        let mut total = U256::ZERO;
        for lock in &call.locks {
            let banned = direction.punished.contains(&hash_of(lock)) && !again;
            if !banned && (claimed.slots.insert(lock.slot) || twice) {
                total += U256::from(lock.amount);
            }
        }
        let room = U256::from(u128::MAX - claimed.sum);
        if total > room {
            let (limit, got) = (room, total);
            return Err(refusal(&PhotonNetwork::AmountTooLarge { limit, got }));
        }
        claimed.sum += total.saturating_to::<u128>();
        if claimed != Claimed::default() {
            direction.claimed.insert(direction.nonce, claimed);
        }
        Ok(())
    }

    pub(super) fn punish(
        &mut self,
        call: &PhotonNetwork::punishCall,
        now: u64,
    ) -> Result<(), Refusal> {
        let (payer, payee, lock) = (call.payer, call.payee, &call.lock);
        let key = ordered(call.token, payer, payee)?;
        let channel = self.channel_in(2, key)?.clone();
        let until = channel.clock.saturating_add(self.terms.challenge);
        check_time(until, now)?;
        let side = side_of(key, payer);
        standing(&channel.directions[side], payer, &call.balance)?;
        check_slot(lock.slot)?;
        let hash = hash_of(lock);
        let root = root_by(&[(lock.slot.into(), hash)], &call.siblings, DEPTH, None)?;
        check_root(root, call.balance.locksroot)?;
        let place = usize::try_from(call.disposal.index).ok();
        if place.and_then(|place| call.disposal.locks.get(place)) != Some(&hash) {
            return Err(refusal(&PhotonNetwork::NotDisposed { lock: hash }));
        }
        let claim = Disposal {
            channel: id_of(key.0, key.1, key.2),
            epoch: self.epoch(channel.epoch),
            payer,
            locks: call.disposal.locks.iter().map(|lock| LockHash(*lock)).collect(),
        };
        self.check_signed(payee, &claim, &call.disposal.signature)?;

        let direction = &mut self.channel_in(2, key)?.directions[side];
        let mut claimed = direction.claimed();
        if !claimed.slots.remove(&lock.slot) {
            return Err(refusal(&PhotonNetwork::NotClaimed { slot: lock.slot }));
        }
        claimed.sum = claimed.sum.saturating_sub(lock.amount);
        direction.claimed.insert(direction.nonce, claimed);
        direction.punished.insert(hash);
        direction.penalty += U256::from(lock.amount);
        Ok(())
    }

    /// The epoch of a closed channel, while updates and unlocks count.
    fn disputed(&mut self, key: Key, now: u64) -> Result<u64, Refusal> {
        let grace = u64::from(self.has(Flaw::UpdatesOneSecondLonger));
        let channel = self.channel_in(2, key)?;
        check_time(channel.clock + grace, now)?;
        Ok(channel.epoch)
    }

    fn proof(
        &self,
        key: Key,
        epoch: u64,
        payer: Address,
        (nonce, transferred, locksroot): (u64, u128, B256),
    ) -> BalanceProof {
        let channel: ChannelId = id_of(key.0, key.1, key.2);
        let (nonce, transferred) = (Nonce(nonce), Amount(transferred));
        let (epoch, locksroot) = (self.epoch(epoch), Locksroot(locksroot));
        BalanceProof { channel, epoch, payer, nonce, transferred, locksroot }
    }

    fn check_proof(
        &self,
        key: Key,
        epoch: u64,
        payer: Address,
        signed: &IPhotonNetwork::BalanceProof,
    ) -> Result<(), Refusal> {
        let balance = (signed.nonce, signed.transferred, signed.locksroot);
        self.check_signed(payer, &self.proof(key, epoch, payer, balance), &signed.signature)
    }

    fn check_delegated(
        &self,
        key: Key,
        epoch: u64,
        [payer, payee]: [Address; 2],
        balance: (u64, u128, B256),
        delegate: Address,
        signature: &[u8],
    ) -> Result<(), Refusal> {
        let proof = self.proof(key, epoch, payer, balance);
        self.check_signed(payee, &Delegation { proof, delegate }, signature)
    }
}

/// 0 where low is the payer.
fn side_of(key: Key, payer: Address) -> usize {
    usize::from(payer == key.2)
}

fn fitting(nonce: u64) -> Result<u64, Refusal> {
    if nonce > NONCE_LIMIT {
        let (limit, got) = (NONCE_LIMIT, nonce);
        return Err(refusal(&PhotonNetwork::NonceTooLarge { limit, got }));
    }
    Ok(nonce)
}

fn check_time(until: u64, now: u64) -> Result<(), Refusal> {
    if now > until {
        let timestamp = U256::from(now);
        return Err(refusal(&PhotonNetwork::TooLate { until, timestamp }));
    }
    Ok(())
}

fn check_slot(slot: u16) -> Result<(), Refusal> {
    if slot >= SLOTS {
        let (limit, got) = (SLOTS, slot);
        return Err(refusal(&PhotonNetwork::SlotOutOfRange { limit, got }));
    }
    Ok(())
}

fn check_root(got: B256, expected: B256) -> Result<(), Refusal> {
    if got != expected {
        return Err(refusal(&PhotonNetwork::WrongRoot { expected, got }));
    }
    Ok(())
}

fn check_locks(
    locks: &[IPhotonNetwork::Lock],
    siblings: &[B256],
    expected: B256,
) -> Result<(), Refusal> {
    if locks.is_empty() {
        return Err(refusal(&PhotonNetwork::NoLocks {}));
    }
    let mut leaves: Vec<(u64, B256)> = Vec::with_capacity(locks.len());
    for lock in locks {
        check_slot(lock.slot)?;
        let slot = u64::from(lock.slot);
        if let Some((previous, _)) = leaves.last()
            && slot <= *previous
        {
            let (previous, got) = (U256::from(*previous), U256::from(slot));
            return Err(refusal(&PhotonNetwork::NotAscending { previous, got }));
        }
        leaves.push((slot, hash_of(lock)));
    }
    check_root(root_by(&leaves, siblings, DEPTH, None)?, expected)
}

fn hash_of(lock: &IPhotonNetwork::Lock) -> B256 {
    let lock = Lock {
        number: LockNumber(lock.number),
        amount: Amount(lock.amount),
        expiration: Timestamp(lock.expiration),
        secret_hash: SecretHash(lock.secretHash),
    };
    lock.hash().0
}
