//! The funded accounts, whose keys the chain itself knows.

use alloy::{
    primitives::{Address, B256},
    signers::local::{MnemonicBuilder, PrivateKeySigner},
};

use crate::{config::Config, error::Error};

/// The accounts of the mnemonic, in the order of their index.
pub(crate) struct Accounts(Vec<PrivateKeySigner>);

impl Accounts {
    pub(crate) fn derive(config: &Config) -> Result<Self, Error> {
        (0..config.accounts)
            .map(|index| MnemonicBuilder::try_from_phrase_nth(config.mnemonic.as_str(), index))
            .collect::<Result<_, _>>()
            .map(Self)
            .map_err(Error::Mnemonic)
    }

    pub(crate) fn addresses(&self) -> impl Iterator<Item = Address> + '_ {
        self.0.iter().map(PrivateKeySigner::address)
    }

    /// Each address with its private key.
    pub(crate) fn keys(&self) -> Vec<(Address, B256)> {
        self.0.iter().map(|signer| (signer.address(), signer.to_bytes())).collect()
    }

    pub(crate) fn signer_of(&self, address: Address) -> Option<&PrivateKeySigner> {
        self.0.iter().find(|signer| signer.address() == address)
    }
}
