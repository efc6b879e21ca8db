//! Values that JSON has no kind of its own for, written as texts.

use photon_wire::{Address, Amount, B256, PaymentId};
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{Object, RefOr};
use utoipa::{PartialSchema, ToSchema};

/// The most characters of a wrong text that are shown again.
const SHOWN: usize = 80;

/// A text that is not what it should be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Malformed {
    /// The stable name that programs see.
    pub code: &'static str,
    /// What it was and what it should be.
    pub detail: String,
}

impl Malformed {
    fn new(code: &'static str, got: &str, expected: &str) -> Self {
        let shown: String = got.chars().take(SHOWN).collect();
        Self { code, detail: format!("`{shown}` is not {expected}") }
    }

    /// Takes the code off the front of a message of serde, which carries nothing but text.
    pub(crate) fn code_in(message: &str) -> Option<(&'static str, &str)> {
        CODES.iter().find_map(|code| Some((*code, message.strip_prefix(code)?.strip_prefix(": ")?)))
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.code, self.detail)
    }
}

impl std::error::Error for Malformed {}

const CODES: [&str; 4] = ["bad_amount", "bad_address", "bad_hash", "bad_payment_id"];

/// Defines a value that is a text in JSON.
macro_rules! scalar {
    (
        $(#[$doc:meta])*
        $name:ident($inner:ty), $schema:literal, $code:literal, $pattern:literal, $example:literal,
        $expected:expr, $read:expr
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);

        impl $name {
            const EXPECTED: &str = $expected;
        }

        impl FromStr for $name {
            type Err = Malformed;

            fn from_str(text: &str) -> Result<Self, Malformed> {
                let read: fn(&str) -> Option<$inner> = $read;
                read(text).map(Self).ok_or_else(|| Malformed::new($code, text, Self::EXPECTED))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, out)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, out)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;
                impl Visitor<'_> for Text {
                    type Value = $name;

                    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                        write!(out, "{} as a text", $name::EXPECTED)
                    }

                    fn visit_str<E: Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map_err(E::custom)
                    }

                    fn visit_bool<E: Error>(self, got: bool) -> Result<$name, E> {
                        Err(wrong_kind($code, Unexpected::Bool(got), &self))
                    }

                    fn visit_i64<E: Error>(self, got: i64) -> Result<$name, E> {
                        Err(wrong_kind($code, Unexpected::Signed(got), &self))
                    }

                    fn visit_u64<E: Error>(self, got: u64) -> Result<$name, E> {
                        Err(wrong_kind($code, Unexpected::Unsigned(got), &self))
                    }

                    fn visit_f64<E: Error>(self, got: f64) -> Result<$name, E> {
                        Err(wrong_kind($code, Unexpected::Float(got), &self))
                    }
                }
                deserializer.deserialize_any(Text)
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let object: Object = ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some($expected))
                    .pattern(Some($pattern))
                    .examples([$example])
                    .build();
                RefOr::T(Schema::Object(object))
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed($schema)
            }
        }
    };
}

/// The error of a number, say, where a text is expected.
fn wrong_kind<E: Error>(
    code: &'static str,
    got: Unexpected<'_>,
    expected: &dyn serde::de::Expected,
) -> E {
    E::custom(format_args!("{code}: {got} is not {expected}"))
}

scalar! {
    /// An amount of a token: base units, decimal digits only.
    Decimal(Amount), "Amount", "bad_amount", "^[0-9]{1,39}$", "20",
    "an amount in base units of the token: decimal digits only", read_amount
}

scalar! {
    /// An account, a token or another contract.
    HexAddress(Address), "Address", "bad_address", "^0x[0-9a-fA-F]{40}$",
    "0x5B38Da6a701c568545dCfcB03FcB875f56beddC4",
    "an address: 0x and 40 hexadecimal digits, in one case or with the right checksum (EIP-55)",
    read_address
}

scalar! {
    /// A channel's name, a secret hash, a transaction.
    HexHash(B256), "Hash", "bad_hash", "^0x[0-9a-fA-F]{64}$",
    "0x8d5e957f297893487bd98fa830fa64138d5e957f297893487bd98fa830fa6413",
    "32 bytes: 0x and 64 hexadecimal digits", read_hash
}

scalar! {
    /// A payment's name.
    HexId(PaymentId), "PaymentId", "bad_payment_id", "^[0-9a-f]{32}$",
    "00112233445566778899aabbccddeeff",
    "a payment's name: 32 hexadecimal digits", read_id
}

fn read_amount(text: &str) -> Option<Amount> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok().map(Amount)).flatten()
}

fn read_address(text: &str) -> Option<Address> {
    let digits = hexadecimal(text.strip_prefix("0x")?, 40)?;
    let one_case = !digits.bytes().any(|byte| byte.is_ascii_lowercase())
        || !digits.bytes().any(|byte| byte.is_ascii_uppercase());
    if one_case { text.parse().ok() } else { Address::parse_checksummed(text, None).ok() }
}

fn read_hash(text: &str) -> Option<B256> {
    hexadecimal(text.strip_prefix("0x")?, 64)?.parse().ok()
}

fn read_id(text: &str) -> Option<PaymentId> {
    let word = u128::from_str_radix(hexadecimal(text, 32)?, 16).ok()?;
    Some(PaymentId(word.to_be_bytes()))
}

fn hexadecimal(text: &str, length: usize) -> Option<&str> {
    let right = text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    right.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(json: &str) -> String {
        let error = serde_json::from_str::<Decimal>(json).expect_err("it is no amount");
        let message = error.to_string();
        Malformed::code_in(&message).map(|(code, _)| code.to_owned()).unwrap_or(message)
    }

    #[test]
    fn an_amount_is_digits_in_a_text_and_nothing_else() {
        let read = |text: &str| text.parse::<Decimal>().map(|amount| amount.0.0);
        assert_eq!(read("20"), Ok(20));
        assert_eq!(read(&u128::MAX.to_string()), Ok(u128::MAX));
        for wrong in ["", "-5", "+5", "1.5", "1e3", "0x14", " 20", "twenty"] {
            assert_eq!(read(wrong).unwrap_err().code, "bad_amount", "{wrong}");
        }
        for wrong in
            ["20", "-5", "1.5", "true", "\"1.5\"", "\"340282366920938463463374607431768211456\""]
        {
            assert_eq!(code(wrong), "bad_amount", "{wrong}");
        }
    }

    #[test]
    fn an_address_with_a_wrong_checksum_is_refused() {
        let right = "0x5B38Da6a701c568545dCfcB03FcB875f56beddC4";
        assert_eq!(right.parse::<HexAddress>().unwrap().to_string(), right);
        assert!(right.to_lowercase().parse::<HexAddress>().is_ok());
        for wrong in [
            "0x5B38Da6a701c568545dCfcB03FcB875f56beddc4",
            "5B38Da6a701c568545dCfcB03FcB875f56beddC4",
            "0x5B38",
            "",
        ] {
            assert_eq!(wrong.parse::<HexAddress>().unwrap_err().code, "bad_address", "{wrong}");
        }
    }

    #[test]
    fn names_survive_their_texts() {
        let id = "00112233445566778899aabbccddeeff";
        assert_eq!(id.parse::<HexId>().unwrap().to_string(), id);
        assert!("0x112233445566778899aabbccddeeff".parse::<HexId>().is_err());
        let hash = format!("0x{}", "ab".repeat(32));
        assert_eq!(hash.parse::<HexHash>().unwrap().to_string(), hash);
        assert!("ab".repeat(32).parse::<HexHash>().is_err());
    }
}
