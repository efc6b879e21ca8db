use crate::account::Account;
use crate::error::AccountError;
use alloy::signers::local::MnemonicBuilder;
use alloy::signers::local::coins_bip39::{English, Entropy, Mnemonic as Words};
use rand::RngCore;
use std::fmt;
use zeroize::Zeroizing;

/// The words that accounts are derived from. Source: BIP-39, English. Prints as nothing.
#[derive(Clone)]
pub struct Mnemonic(Zeroizing<String>);

impl fmt::Debug for Mnemonic {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Mnemonic(..)")
    }
}

impl Mnemonic {
    /// Twelve new words, drawn by lot.
    pub fn random() -> Self {
        let mut entropy = Zeroizing::new([0; 16]);
        rand::rng().fill_bytes(entropy.as_mut_slice());
        let entropy = Entropy::from_slice(entropy.as_slice()).expect("16 bytes are twelve words");
        Self(Zeroizing::new(Words::<English>::new_from_entropy(entropy).to_phrase()))
    }

    /// Reads words, with any space between them.
    ///
    /// # Errors
    /// Where a word is none of BIP-39's, one is missing, or the checksum is wrong.
    pub fn from_phrase(phrase: &str) -> Result<Self, AccountError> {
        let words: Vec<String> = phrase.split_whitespace().map(str::to_lowercase).collect();
        let phrase = Zeroizing::new(words.join(" "));
        Words::<English>::new_from_phrase(&phrase)
            .map_err(|error| AccountError::Mnemonic(error.to_string()))?;
        Ok(Self(phrase))
    }

    /// The words, with one space between them.
    pub fn phrase(&self) -> &str {
        &self.0
    }

    /// The account at m/44'/60'/0'/0/`index`, as every wallet derives it.
    ///
    /// # Errors
    /// Where the index is 2^31 or above.
    pub fn account(&self, index: u32) -> Result<Account, AccountError> {
        MnemonicBuilder::try_from_phrase_nth(self.0.as_str(), index)
            .map(Account::from)
            .map_err(|error| AccountError::Mnemonic(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::address;

    #[test]
    fn the_well_known_words_give_the_well_known_accounts() {
        let phrase = "test test test test test test test test test test test junk";
        let mnemonic = Mnemonic::from_phrase(&format!("  {phrase}\n")).unwrap();
        let known = [
            address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266"),
            address!("70997970C51812dc3A010C7d01b50e0d17dc79C8"),
        ];
        for (index, address) in (0..).zip(known) {
            assert_eq!(mnemonic.account(index).unwrap().address(), address);
        }
        assert_eq!(format!("{mnemonic:?}"), "Mnemonic(..)");
    }

    #[test]
    fn drawn_words_are_read_again_and_never_twice_the_same() {
        let mnemonic = Mnemonic::random();
        assert_eq!(mnemonic.phrase().split(' ').count(), 12);
        assert!(Mnemonic::from_phrase(mnemonic.phrase()).is_ok());
        assert_ne!(Mnemonic::random().phrase(), mnemonic.phrase());
    }

    #[test]
    fn wrong_words_are_refused() {
        for phrase in ["", "test", "test test test test test test test test test test test test"] {
            assert!(matches!(Mnemonic::from_phrase(phrase), Err(AccountError::Mnemonic(_))));
        }
    }
}
