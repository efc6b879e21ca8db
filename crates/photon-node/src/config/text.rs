//! Values as people write them.

use photon_chain::Depth;
use photon_wire::{Address, Amount};
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// An amount in base units, written as a number or as a text of digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AmountText(pub Amount);

impl Serialize for AmountText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for AmountText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = AmountText;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an amount in base units, digits only")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<AmountText, E> {
                let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
                digits
                    .then(|| text.parse().ok())
                    .flatten()
                    .map(|units| AmountText(Amount(units)))
                    .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
            }

            fn visit_u64<E: Error>(self, units: u64) -> Result<AmountText, E> {
                Ok(AmountText(Amount(units.into())))
            }

            fn visit_u128<E: Error>(self, units: u128) -> Result<AmountText, E> {
                Ok(AmountText(Amount(units)))
            }

            fn visit_i64<E: Error>(self, units: i64) -> Result<AmountText, E> {
                u64::try_from(units)
                    .map(|units| AmountText(Amount(units.into())))
                    .map_err(|_| E::invalid_value(serde::de::Unexpected::Signed(units), &self))
            }
        }
        deserializer.deserialize_any(Text)
    }
}

/// How deep a block must be, written as a number or as one of the chain's words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Confirmations(pub Depth);

impl Serialize for Confirmations {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Depth::Blocks(blocks) => serializer.serialize_u64(blocks),
            Depth::Safe | Depth::Finalized => serializer.collect_str(&self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Confirmations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Confirmations;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a number of blocks, `safe` or `finalized`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Confirmations, E> {
                let depth = text.parse().map(Confirmations);
                depth.map_err(|_| E::invalid_value(serde::de::Unexpected::Str(text), &self))
            }

            fn visit_u64<E: Error>(self, blocks: u64) -> Result<Confirmations, E> {
                Ok(Confirmations(Depth::Blocks(blocks)))
            }

            fn visit_i64<E: Error>(self, blocks: i64) -> Result<Confirmations, E> {
                u64::try_from(blocks)
                    .map(|blocks| Confirmations(Depth::Blocks(blocks)))
                    .map_err(|_| E::invalid_value(serde::de::Unexpected::Signed(blocks), &self))
            }
        }
        deserializer.deserialize_any(Text)
    }
}

/// A list of texts, or one text with commas in it, as the environment has it.
pub(super) fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct Texts;
    impl<'de> Visitor<'de> for Texts {
        type Value = Vec<String>;

        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str("a list of texts, or texts with commas between them")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Vec<String>, E> {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            Ok(parts.map(str::to_owned).collect())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<String>, A::Error> {
            let mut texts = Vec::new();
            while let Some(text) = list.next_element()? {
                texts.push(text);
            }
            Ok(texts)
        }
    }
    deserializer.deserialize_any(Texts)
}

/// A peer as people write it: `0xaccount@/ip4/192.0.2.1/tcp/9735`, or the account alone where its
/// address is found in another way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PeerAddress {
    /// Who.
    pub account: Address,
    /// Where.
    pub address: Option<photon_net::Multiaddr>,
}

/// A text is no [`PeerAddress`].
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{text}` is no peer: {reason}; expected 0xaccount@/ip4/…/tcp/…")]
pub struct PeerAddressError {
    /// As given.
    pub text: String,
    /// What is wrong.
    pub reason: String,
}

impl FromStr for PeerAddress {
    type Err = PeerAddressError;

    fn from_str(text: &str) -> Result<Self, PeerAddressError> {
        let refuse = |reason: String| PeerAddressError { text: text.to_owned(), reason };
        let (account, address) =
            text.split_once('@').map_or((text, None), |(account, rest)| (account, Some(rest)));
        Ok(Self {
            account: account.parse().map_err(|_| refuse(format!("`{account}` is no account")))?,
            address: match address {
                None => None,
                Some(address) => Some(address.parse().map_err(|error| {
                    refuse(format!("`{address}` is no multiaddress ({error})"))
                })?),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confirmations_are_a_number_or_a_word_of_the_chain() {
        for (text, depth) in [
            ("7", Depth::Blocks(7)),
            ("\"7\"", Depth::Blocks(7)),
            ("\"safe\"", Depth::Safe),
            ("\"finalized\"", Depth::Finalized),
        ] {
            let read: Confirmations = serde_json::from_str(text).unwrap();
            assert_eq!(read.0, depth);
            let written = serde_json::to_string(&read).unwrap();
            assert_eq!(serde_json::from_str::<Confirmations>(&written).unwrap(), read);
        }
        for text in ["-1", "\"latest\"", "1.5", "[]"] {
            let refused = serde_json::from_str::<Confirmations>(text).unwrap_err().to_string();
            assert!(refused.contains("`safe` or `finalized`"), "{refused}");
        }
    }

    #[test]
    fn a_peer_is_an_account_and_perhaps_an_address() {
        let account = Address::repeat_byte(7);
        let whole: PeerAddress = format!("{account}@/ip4/127.0.0.1/tcp/9735").parse().unwrap();
        assert_eq!(whole.account, account);
        assert_eq!(whole.address.unwrap().to_string(), "/ip4/127.0.0.1/tcp/9735");
        let alone: PeerAddress = account.to_string().parse().unwrap();
        assert_eq!(alone.address, None);
        for wrong in ["", "0x12@/ip4/127.0.0.1/tcp/1", &format!("{account}@127.0.0.1:9735")] {
            assert!(wrong.parse::<PeerAddress>().is_err(), "{wrong}");
        }
    }
}
