use crate::error::AccountError;
use alloy::primitives::B256;
use alloy::signers::local::PrivateKeySigner;
use photon_wire::{Address, SigningKey};
use std::fmt;

/// An account's private key, for claims and for transactions. Prints as its address.
#[derive(Clone)]
pub struct Account {
    key: SigningKey,
    signer: PrivateKeySigner,
}

impl fmt::Debug for Account {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Account({})", self.address())
    }
}

impl Account {
    /// A new account, drawn by lot.
    pub fn random() -> Self {
        Self::from(PrivateKeySigner::random())
    }

    /// The account with this private key, big-endian.
    ///
    /// # Errors
    /// Where the number is no private key.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, AccountError> {
        PrivateKeySigner::from_bytes(&B256::new(*bytes))
            .map(Self::from)
            .map_err(|_| AccountError::PrivateKey)
    }

    /// Its address.
    pub const fn address(&self) -> Address {
        self.key.address()
    }

    /// Signs claims and messages.
    pub const fn signing_key(&self) -> &SigningKey {
        &self.key
    }

    /// Signs transactions.
    pub const fn signer(&self) -> &PrivateKeySigner {
        &self.signer
    }

    /// The private key: for a keystore, and for nothing else.
    pub(crate) fn to_bytes(&self) -> B256 {
        self.signer.to_bytes()
    }
}

impl From<PrivateKeySigner> for Account {
    fn from(signer: PrivateKeySigner) -> Self {
        let key = SigningKey::from_bytes(&signer.to_bytes())
            .expect("both libraries take the same numbers for keys");
        Self { key, signer }
    }
}
