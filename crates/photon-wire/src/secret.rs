use alloy_primitives::B256;
use core::fmt;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroize;

/// The preimage that opens a lock. Prints as nothing and is wiped when dropped.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Zeroize)]
#[zeroize(drop)]
pub struct Secret(pub [u8; 32]);

impl Secret {
    /// SHA-256, as the contract computes it.
    pub fn hash(&self) -> SecretHash {
        SecretHash(B256::new(Sha256::digest(self.0).into()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret(..)")
    }
}

/// The SHA-256 of a [`Secret`]: what a lock waits for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct SecretHash(pub B256);

impl fmt::Display for SecretHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}
