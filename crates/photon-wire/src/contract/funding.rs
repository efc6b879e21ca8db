use crate::codec::{Decode, DecodeError, Encode, Reader};
use crate::{Signature, Timestamp, fields_codec};
use alloc::vec::Vec;
use alloy_primitives::U256;
use core::fmt;
use core::str::FromStr;

/// How a relayed deposit is pulled from its participant: whose signature does it, and over what.
///
/// Source: `contracts/src/interfaces/IPhotonNetwork.sol`, `Means`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Means {
    /// Over our claim; the tokens by the participant's allowance to the contract.
    Allowance,
    /// Over the token's own `ReceiveWithAuthorization`, whose nonce is our claim's digest.
    /// Source: EIP-3009.
    ReceiveWithAuthorization,
    /// Over Permit2's `PermitWitnessTransferFrom`, whose witness is our claim.
    Permit2,
}

impl Means {
    /// As the contract numbers them.
    pub const ALL: [Self; 3] = [Self::Allowance, Self::ReceiveWithAuthorization, Self::Permit2];

    /// Its name in commands and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowance => "allowance",
            Self::ReceiveWithAuthorization => "receive-with-authorization",
            Self::Permit2 => "permit2",
        }
    }

    /// Its number in the contract.
    pub const fn number(self) -> u8 {
        match self {
            Self::Allowance => 0,
            Self::ReceiveWithAuthorization => 1,
            Self::Permit2 => 2,
        }
    }
}

/// How the sender of a transaction gets tokens of his own into a channel.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Way {
    /// `approve`, where the allowance is too small, then the contract pulls. Source: ERC-20.
    Allowance,
    /// `transferAndCall`, which reverts where the receiver does not take it. Source: ERC-1363.
    Erc1363,
    /// `transferAndCall` of the older kind. Source: ERC-677.
    Erc677,
    /// `transfer` with data. Source: ERC-223.
    Erc223,
    /// `approveAndCall`, with which the receiver pulls.
    ApproveAndCall,
    /// The allowance by a signature in the same transaction. Source: ERC-2612.
    Permit,
    /// `receiveWithAuthorization` by a signature. Source: EIP-3009.
    ReceiveWithAuthorization,
    /// By a signature and a standing allowance to Permit2.
    Permit2,
    /// Coins of the chain, wrapped on the way; the token is the wrapping one.
    Native,
}

impl Way {
    /// Every one.
    pub const ALL: [Self; 9] = [
        Self::Allowance,
        Self::Erc1363,
        Self::Erc677,
        Self::Erc223,
        Self::ApproveAndCall,
        Self::Permit,
        Self::ReceiveWithAuthorization,
        Self::Permit2,
        Self::Native,
    ];

    /// Its name in commands and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowance => "allowance",
            Self::Erc1363 => "erc1363",
            Self::Erc677 => "erc677",
            Self::Erc223 => "erc223",
            Self::ApproveAndCall => "approve-and-call",
            Self::Permit => "permit",
            Self::ReceiveWithAuthorization => "receive-with-authorization",
            Self::Permit2 => "permit2",
            Self::Native => "native",
        }
    }

    /// Its number in our own rows; stays for ever.
    const fn number(self) -> u8 {
        match self {
            Self::Allowance => 0,
            Self::Erc1363 => 1,
            Self::Erc677 => 2,
            Self::Erc223 => 3,
            Self::ApproveAndCall => 4,
            Self::Permit => 5,
            Self::ReceiveWithAuthorization => 6,
            Self::Permit2 => 7,
            Self::Native => 8,
        }
    }
}

/// A name that is none of those that are known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownName(&'static str);

impl fmt::Display for UnknownName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "expected {}", self.0)
    }
}

impl core::error::Error for UnknownName {}

macro_rules! numbered {
    ($($name:ident, $what:literal, $names:literal;)*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownName;

            fn from_str(name: &str) -> Result<Self, UnknownName> {
                let known = Self::ALL.into_iter().find(|known| known.as_str() == name);
                known.ok_or(UnknownName($names))
            }
        }

        impl Encode for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                out.push(self.number());
            }
        }

        impl Decode for $name {
            fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
                let got = u8::decode(input)?;
                let known = Self::ALL.into_iter().find(|known| known.number() == got);
                known.ok_or(DecodeError::Tag { what: $what, got })
            }
        }
    )*};
}
numbered!(
    Means, "means", "allowance, receive-with-authorization or permit2";
    Way, "way", "allowance, erc1363, erc677, erc223, approve-and-call, permit, \
        receive-with-authorization, permit2 or native";
);

/// The participant's signed allowance to the contract, by the token's own typed data.
///
/// Token and owner are those of the authorization beside it. Source: ERC-2612.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Permit {
    /// The allowance from then on.
    pub value: U256,
    /// The last second at which the token accepts it.
    pub deadline: Timestamp,
    /// The owner's, over the token's `Permit`.
    pub signature: Signature,
}

fields_codec!(Permit { value, deadline, signature });
