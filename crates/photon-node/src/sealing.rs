//! Secrets and sealed parts for payments that we make.

use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use lru::LruCache;
use photon_core::Attempt;
use photon_wire::codec::Encode;
use photon_wire::onward::ForTarget;
use photon_wire::seal::{EncryptionKey, SealError, SharedKey};
use photon_wire::{Address, Amount, PaymentId, Secret, SecretHash};
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

/// Targets whose shared key is remembered.
const TARGETS: NonZeroUsize = NonZeroUsize::new(4_096).expect("4096 is not zero");
/// Seals under one key. A mediator sees which payments share a key, and so an initiator.
const SEALS: u64 = 1_024;

/// Random bytes of the operating system.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// Seals to targets; agrees on a key with each once in a while, since that is what costs.
pub(crate) struct Sealer {
    shared: Mutex<LruCache<EncryptionKey, (SharedKey, u64)>>,
    /// The keys of accounts; they follow from the account's own and do not change.
    targets: Mutex<LruCache<Address, EncryptionKey>>,
}

impl Default for Sealer {
    fn default() -> Self {
        Self {
            shared: Mutex::new(LruCache::new(TARGETS)),
            targets: Mutex::new(LruCache::new(TARGETS)),
        }
    }
}

impl Sealer {
    /// The key of an account that was paid before.
    pub(crate) fn key_of(&self, account: &Address) -> Option<EncryptionKey> {
        self.targets.lock().unwrap_or_else(PoisonError::into_inner).get(account).copied()
    }

    /// Remembers an account's key.
    pub(crate) fn note_key(&self, account: Address, key: EncryptionKey) {
        self.targets.lock().unwrap_or_else(PoisonError::into_inner).put(account, key);
    }

    /// An attempt at a payment of our own accord, with a secret of its own.
    pub(crate) fn attempt(
        &self,
        to: EncryptionKey,
        payment: PaymentId,
        amount: Amount,
        note: &[u8],
    ) -> Result<Attempt, SealError> {
        let secret = Secret(random());
        let secret_hash = secret.hash();
        let contents =
            ForTarget { payment, amount, secret: Some(secret.clone()), note: note.to_vec() };
        let sealed = self.seal(to, secret_hash, &contents)?;
        Ok(Attempt { secret: Some(secret), secret_hash, sealed })
    }

    /// The one attempt at paying an invoice: only the target knows the secret.
    pub(crate) fn invoiced(
        &self,
        to: EncryptionKey,
        payment: PaymentId,
        amount: Amount,
        note: &[u8],
        secret_hash: SecretHash,
    ) -> Result<Attempt, SealError> {
        let contents = ForTarget { payment, amount, secret: None, note: note.to_vec() };
        let sealed = self.seal(to, secret_hash, &contents)?;
        Ok(Attempt { secret: None, secret_hash, sealed })
    }

    fn seal(
        &self,
        to: EncryptionKey,
        bound: SecretHash,
        contents: &ForTarget,
    ) -> Result<Vec<u8>, SealError> {
        let (key, number) = self.next(to)?;
        key.seal(number, &contents.to_bytes(), bound.0.as_slice())
    }

    /// The shared key with this target and a number that was never used with it.
    fn next(&self, to: EncryptionKey) -> Result<(SharedKey, u64), SealError> {
        let mut keys = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((key, used)) = keys.get_mut(&to)
            && *used < SEALS
        {
            let number = *used;
            *used = number.saturating_add(1);
            return Ok((key.clone(), number));
        }
        let key = SharedKey::agree(&to, &mut UnwrapErr(SysRng))?;
        keys.put(to, (key.clone(), 1));
        Ok((key, 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use photon_wire::codec::Decode;
    use photon_wire::seal::{OpeningKey, Sealed};
    use std::collections::HashSet;

    #[test]
    fn each_seal_opens_for_its_target_and_its_lock_only() {
        let opening = OpeningKey::derive(&[7; 32]);
        let sealer = Sealer::default();
        let mut encapsulated = HashSet::new();
        for index in 0..SEALS + 2 {
            let attempt =
                sealer.attempt(opening.public(), PaymentId([1; 16]), Amount(9), b"hi").unwrap();
            let sealed = Sealed::parse(&attempt.sealed).unwrap();
            encapsulated.insert(sealed.encapsulated);
            if index % 500 == 0 {
                let key = opening.accept(&sealed.encapsulated).unwrap();
                let plain = sealed.open(&key, attempt.secret_hash.0.as_slice()).unwrap();
                let contents = ForTarget::from_bytes(&plain).unwrap();
                assert_eq!(contents.secret.map(|secret| secret.hash()), Some(attempt.secret_hash));
                assert!(sealed.open(&key, &[0; 32]).is_err());
            }
        }
        assert_eq!(encapsulated.len(), 2, "the key is changed after {SEALS} seals");
    }
}
