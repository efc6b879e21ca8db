use super::{Funding, TokenInfo};
use crate::revert::Revert;
use photon_wire::contract::{Means, Way};
use photon_wire::{Address, Amount};
use std::fmt;
use std::str::FromStr;

/// What would come of a deposit, before anything is sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Examination {
    /// What was examined.
    pub funding: Funding,
    /// Whose tokens.
    pub account: Address,
    /// How the token's amounts are shown.
    pub info: TokenInfo,
    /// What the account has of it.
    pub balance: Amount,
    /// What the contract would credit by the cheapest way; none where this endpoint cannot tell
    /// before it is sent. The contract credits what arrives, whatever was sent.
    pub arrives: Option<Amount>,
    /// What is strange, the gravest first.
    pub oddities: Vec<Oddity>,
    /// How it could be done, the one that brings most first, then the cheapest.
    pub ways: Vec<Offer>,
    /// How a relayer could do it, for a signature, the cheapest first.
    pub gasless: Vec<Gasless>,
}

impl Examination {
    /// The way that the sender takes when none is given. Never [`Way::Native`]: nobody's coins
    /// are wrapped unasked.
    pub fn cheapest(&self) -> Option<Offer> {
        self.ways.iter().copied().find(|offer| offer.way != Way::Native)
    }

    /// This way, where it would work.
    pub fn by(&self, way: Way) -> Option<Offer> {
        self.ways.iter().copied().find(|offer| offer.way == way)
    }

    /// Refuses what can come to nothing.
    ///
    /// # Errors
    /// The gravest oddity that forbids a deposit.
    pub fn check(&self) -> Result<(), Oddity> {
        let fatal = self.oddities.iter().find(|oddity| oddity.is_fatal());
        fatal.map_or(Ok(()), |oddity| Err(oddity.clone()))
    }
}

/// A way that would work now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Offer {
    /// Which.
    pub way: Way,
    /// Of all its transactions, approvals included; measured where the endpoint can, else of a
    /// table.
    pub gas: u64,
    /// How many it takes.
    pub transactions: u8,
    /// What the contract would credit; none where it cannot be known before.
    pub arrives: Option<Amount>,
}

/// How a relayer brings an owner's tokens for a signature.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Gasless {
    /// The contract is allowed to take them already.
    Allowance,
    /// The token's own signed transfer. Source: EIP-3009.
    ReceiveWithAuthorization,
    /// Permit2 is allowed to take them already.
    Permit2,
    /// The token's signed allowance, and a second signature. Source: ERC-2612.
    Permit,
}

impl Gasless {
    /// Every one, the cheapest first.
    pub const ALL: [Self; 4] =
        [Self::Allowance, Self::ReceiveWithAuthorization, Self::Permit2, Self::Permit];

    /// Its name in commands and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowance => "allowance",
            Self::ReceiveWithAuthorization => "receive-with-authorization",
            Self::Permit2 => "permit2",
            Self::Permit => "permit",
        }
    }

    /// How the contract pulls.
    pub const fn means(self) -> Means {
        match self {
            Self::Allowance | Self::Permit => Means::Allowance,
            Self::ReceiveWithAuthorization => Means::ReceiveWithAuthorization,
            Self::Permit2 => Means::Permit2,
        }
    }
}

impl fmt::Display for Gasless {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl FromStr for Gasless {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|known| known.as_str() == name);
        let names = Self::ALL.map(Self::as_str).join(", ");
        known.ok_or_else(|| format!("expected one of {names}"))
    }
}

/// What is strange about a token, or about this deposit of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Oddity {
    /// Nothing is deployed there.
    NoCode(Address),
    /// It has no `balanceOf`.
    NotAToken(Address),
    /// The account has too little.
    BalanceTooSmall {
        /// What it has.
        balance: Amount,
        /// What the deposit needs.
        needed: Amount,
    },
    /// It refuses the transfer: paused, an account on its list, or whatever it says.
    Refuses(Revert),
    /// It says `false` instead of refusing.
    ReturnsFalse,
    /// It takes the tokens, and none arrive.
    NothingArrives,
    /// It keeps a part of each transfer.
    TakesFee {
        /// What the owner gives.
        sent: Amount,
        /// What the contract credits.
        arrives: Amount,
    },
    /// It does not say how its amounts are shown.
    NoDecimals,
}

impl Oddity {
    /// Whether no deposit can come of it.
    pub const fn is_fatal(&self) -> bool {
        match self {
            Self::NoCode(_)
            | Self::NotAToken(_)
            | Self::BalanceTooSmall { .. }
            | Self::Refuses(_)
            | Self::ReturnsFalse
            | Self::NothingArrives => true,
            Self::TakesFee { .. } | Self::NoDecimals => false,
        }
    }

    /// A stable word for it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::NoCode(_) => "no_code",
            Self::NotAToken(_) => "not_a_token",
            Self::BalanceTooSmall { .. } => "balance_too_small",
            Self::Refuses(_) => "refuses",
            Self::ReturnsFalse => "returns_false",
            Self::NothingArrives => "nothing_arrives",
            Self::TakesFee { .. } => "takes_fee",
            Self::NoDecimals => "no_decimals",
        }
    }
}

impl fmt::Display for Oddity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCode(token) => write!(out, "no contract is at {token}"),
            Self::NotAToken(token) => write!(out, "the contract at {token} is no token"),
            Self::BalanceTooSmall { balance, needed } => {
                write!(out, "the token balance is {balance}, needed {needed}")
            }
            Self::Refuses(revert) => write!(out, "the token would refuse: {revert}"),
            Self::ReturnsFalse => {
                out.write_str("the token answers `false` to the transfer and moves nothing")
            }
            Self::NothingArrives => {
                out.write_str("the token takes the transfer, but nothing would arrive")
            }
            Self::TakesFee { sent, arrives } => {
                let fee = sent.0.saturating_sub(arrives.0);
                write!(out, "of {sent} only {arrives} would arrive: the token keeps {fee}")
            }
            Self::NoDecimals => {
                out.write_str("the token does not say its decimals; amounts are base units")
            }
        }
    }
}
