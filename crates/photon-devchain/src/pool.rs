//! Transactions that wait for a block.
//!
//! Each sender's transactions keep the order of their nonces; those after a gap wait until it is
//! filled. Across senders the order is that of arrival, not of fees: what a test sends first is
//! executed first.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use alloy::{
    consensus::{Transaction as _, TxEnvelope, transaction::Recovered},
    primitives::{Address, B256, U256},
};

use crate::{error::Refusal, state::State};

/// The most transactions that wait at once.
const MAX_TRANSACTIONS: usize = 16_384;

/// The most transactions of one sender that wait at once.
const MAX_OF_SENDER: usize = 4_096;

/// How far ahead of the sender's next nonce a transaction may be.
const MAX_NONCE_GAP: u64 = 4_096;

/// A replacement must pay at least this many hundredths of what it replaces.
const REPLACEMENT_PERCENT: u128 = 110;

/// A transaction in the pool.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) transaction: Arc<Recovered<TxEnvelope>>,
    arrival: u64,
}

/// All waiting transactions, by sender and nonce.
#[derive(Clone, Default)]
pub(crate) struct Pool {
    senders: HashMap<Address, BTreeMap<u64, Waiting>>,
    by_hash: HashMap<B256, (Address, u64)>,
    arrivals: u64,
}

impl Pool {
    /// Takes a transaction, or lets it replace one with the same nonce that pays less.
    pub(crate) fn add(
        &mut self,
        transaction: Recovered<TxEnvelope>,
        next_nonce: u64,
    ) -> Result<(), Refusal> {
        let (hash, sender, nonce) =
            (*transaction.tx_hash(), transaction.signer(), transaction.nonce());
        if self.by_hash.contains_key(&hash) {
            return Err(Refusal::AlreadyKnown);
        }
        if nonce < next_nonce {
            return Err(Refusal::NonceTooLow { got: nonce, expected: next_nonce });
        }
        if nonce - next_nonce > MAX_NONCE_GAP {
            return Err(Refusal::NonceTooHigh { got: nonce, expected: next_nonce });
        }
        let replaced = self.replaced_by(&transaction)?;
        if replaced.is_none() {
            self.check_room(sender)?;
        }
        let arrival = replaced.map_or(self.arrivals, |old| old.arrival);
        self.arrivals += 1;
        self.remove_at(sender, nonce);
        self.by_hash.insert(hash, (sender, nonce));
        let waiting = Waiting { transaction: Arc::new(transaction), arrival };
        self.senders.entry(sender).or_default().insert(nonce, waiting);
        Ok(())
    }

    fn replaced_by(&self, new: &Recovered<TxEnvelope>) -> Result<Option<Waiting>, Refusal> {
        let old = self.senders.get(&new.signer()).and_then(|waiting| waiting.get(&new.nonce()));
        let Some(old) = old else { return Ok(None) };
        let enough = |new: u128, old: u128| new >= old.saturating_mul(REPLACEMENT_PERCENT) / 100;
        let (before, rise) = (&old.transaction, new.max_fee_per_gas());
        if rise > before.max_fee_per_gas()
            && enough(rise, before.max_fee_per_gas())
            && enough(new.priority_fee_or_price(), before.priority_fee_or_price())
        {
            Ok(Some(old.clone()))
        } else {
            Err(Refusal::ReplacementUnderpriced)
        }
    }

    fn check_room(&self, sender: Address) -> Result<(), Refusal> {
        if self.by_hash.len() >= MAX_TRANSACTIONS {
            return Err(Refusal::PoolFull);
        }
        if self.senders.get(&sender).is_some_and(|waiting| waiting.len() >= MAX_OF_SENDER) {
            return Err(Refusal::SenderFull);
        }
        Ok(())
    }

    pub(crate) fn with_hash(&self, hash: B256) -> Option<&Recovered<TxEnvelope>> {
        let (sender, nonce) = self.by_hash.get(&hash)?;
        Some(&self.senders.get(sender)?.get(nonce)?.transaction)
    }

    /// Drops a transaction; false if it was not waiting.
    pub(crate) fn remove(&mut self, hash: B256) -> bool {
        match self.by_hash.get(&hash) {
            Some(&(sender, nonce)) => {
                self.remove_at(sender, nonce);
                true
            }
            None => false,
        }
    }

    fn remove_at(&mut self, sender: Address, nonce: u64) {
        let Some(waiting) = self.senders.get_mut(&sender) else { return };
        if let Some(old) = waiting.remove(&nonce) {
            self.by_hash.remove(old.transaction.tx_hash());
        }
        if waiting.is_empty() {
            self.senders.remove(&sender);
        }
    }

    /// Drops what a block has executed, and what its nonces made impossible.
    pub(crate) fn remove_below(&mut self, sender: Address, nonce: u64) {
        let Some(waiting) = self.senders.get_mut(&sender) else { return };
        while let Some(first) = waiting.first_entry().filter(|first| *first.key() < nonce) {
            self.by_hash.remove(first.remove().transaction.tx_hash());
        }
        if waiting.is_empty() {
            self.senders.remove(&sender);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.senders.clear();
        self.by_hash.clear();
    }

    /// All transactions that wait, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Recovered<TxEnvelope>>> {
        self.senders.values().flat_map(BTreeMap::values).map(|waiting| &waiting.transaction)
    }

    /// All transactions that wait, the first that came first.
    pub(crate) fn in_order(&self) -> Vec<Recovered<TxEnvelope>> {
        let mut waiting: Vec<_> = self.senders.values().flat_map(BTreeMap::values).collect();
        waiting.sort_unstable_by_key(|one| one.arrival);
        waiting.into_iter().map(|one| one.transaction.as_ref().clone()).collect()
    }

    /// How many transactions wait, gaps or not.
    pub(crate) fn len(&self) -> usize {
        self.by_hash.len()
    }

    /// The nonce that the sender's next transaction should have, after those waiting without gap.
    pub(crate) fn next_nonce(&self, sender: Address, state_nonce: u64) -> u64 {
        let Some(waiting) = self.senders.get(&sender) else { return state_nonce };
        (state_nonce..).find(|nonce| !waiting.contains_key(nonce)).unwrap_or(state_nonce)
    }

    /// What the sender's transactions before this nonce can cost at most.
    pub(crate) fn cost_before(&self, sender: Address, nonce: u64) -> U256 {
        let waiting =
            self.senders.get(&sender).into_iter().flat_map(|waiting| waiting.range(..nonce));
        waiting.fold(U256::ZERO, |sum, (_, one)| sum.saturating_add(cost_of(&one.transaction)))
    }

    /// What a block on this state with this base fee could take, in order.
    pub(crate) fn ready(&self, state: &State, base_fee: u64) -> Vec<Arc<Recovered<TxEnvelope>>> {
        let mut heads = BTreeSet::new();
        for (sender, waiting) in &self.senders {
            let nonce = state.nonce_of(*sender);
            if let Some(first) = waiting.get(&nonce).filter(|one| pays(one, base_fee)) {
                heads.insert((first.arrival, *sender, nonce));
            }
        }
        let mut ready = Vec::new();
        while let Some((_, sender, nonce)) = heads.pop_first() {
            let waiting = &self.senders[&sender];
            ready.push(Arc::clone(&waiting[&nonce].transaction));
            let Some(nonce) = nonce.checked_add(1) else { continue };
            if let Some(next) = waiting.get(&nonce).filter(|one| pays(one, base_fee)) {
                heads.insert((next.arrival, sender, nonce));
            }
        }
        ready
    }
}

fn pays(waiting: &Waiting, base_fee: u64) -> bool {
    waiting.transaction.max_fee_per_gas() >= u128::from(base_fee)
}

/// The most that a transaction can take from its sender.
pub(crate) fn cost_of(transaction: &TxEnvelope) -> U256 {
    U256::from(transaction.gas_limit())
        .saturating_mul(U256::from(transaction.max_fee_per_gas()))
        .saturating_add(transaction.value())
}

#[cfg(test)]
mod tests {
    use alloy::{
        consensus::{SignableTransaction as _, TxEip1559},
        primitives::Signature,
    };

    use super::*;

    /// The pool never looks at the signature.
    fn transaction(sender: u64, nonce: u64, fee: u128) -> Recovered<TxEnvelope> {
        let unsigned = TxEip1559 { nonce, max_fee_per_gas: fee, ..TxEip1559::default() };
        let signature = Signature::new(U256::from(sender), U256::from(nonce), false);
        let sender = Address::left_padding_from(&sender.to_be_bytes());
        Recovered::new_unchecked(unsigned.into_signed(signature).into(), sender)
    }

    #[test]
    fn a_full_pool_takes_replacements_only() {
        let mut pool = Pool::default();
        for sender in 0..4 {
            for nonce in 0..MAX_OF_SENDER as u64 {
                pool.add(transaction(sender, nonce, 100), 0).unwrap();
            }
        }
        assert_eq!(pool.len(), MAX_TRANSACTIONS);
        assert_eq!(pool.add(transaction(9, 0, 100), 0), Err(Refusal::PoolFull));
        assert_eq!(pool.add(transaction(3, 5, 110), 0), Ok(()));
        assert!(pool.remove(*transaction(0, 7, 100).tx_hash()));
        assert_eq!(pool.add(transaction(1, 4_096, 100), 0), Err(Refusal::SenderFull));
        assert_eq!(pool.add(transaction(9, 0, 100), 0), Ok(()));
        assert_eq!(pool.len(), MAX_TRANSACTIONS);
        pool.remove_below(Address::left_padding_from(&2_u64.to_be_bytes()), 4_000);
        assert_eq!(pool.len(), MAX_TRANSACTIONS - 4_000);
    }

    #[test]
    fn only_what_follows_without_gap_and_pays_is_ready() {
        let mut pool = Pool::default();
        for (sender, nonce, fee) in [(1, 1, 50), (2, 0, 50), (1, 0, 50), (1, 2, 9), (2, 2, 50)] {
            pool.add(transaction(sender, nonce, fee), 0).unwrap();
        }
        let ready = pool.ready(&State::default(), 10);
        let order: Vec<_> = ready.iter().map(|one| (one.signer().0[19], one.nonce())).collect();
        assert_eq!(order, [(2, 0), (1, 0), (1, 1)]);
        let sender = ready[2].signer();
        assert_eq!(pool.next_nonce(sender, 0), 3);
    }
}
