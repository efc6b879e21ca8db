//! The kinds of token that a development chain can be given.

use alloy::primitives::Bytes;
use std::fmt;
use std::str::FromStr;

#[allow(missing_docs, clippy::all, clippy::too_many_lines)]
mod artefacts {
    alloy::sol!(
        #[derive(Debug, PartialEq, Eq)]
        SilentToken,
        "../../contracts/artefacts/SilentToken.json"
    );
    alloy::sol!(
        #[derive(Debug, PartialEq, Eq)]
        FeeToken,
        "../../contracts/artefacts/FeeToken.json"
    );
    alloy::sol!(
        #[derive(Debug, PartialEq, Eq)]
        Erc223Token,
        "../../contracts/artefacts/Erc223Token.json"
    );
    alloy::sol!(
        #[derive(Debug, PartialEq, Eq)]
        FallbackToken,
        "../../contracts/artefacts/FallbackToken.json"
    );
    alloy::sol!(
        #[derive(Debug, PartialEq, Eq)]
        Erc1363Token,
        "../../contracts/artefacts/Erc1363Token.json"
    );
    alloy::sol!(
        #[derive(Debug, PartialEq, Eq)]
        Erc677Token,
        "../../contracts/artefacts/Erc677Token.json"
    );
    alloy::sol!(
        #[derive(Debug, PartialEq, Eq)]
        ApproveAndCallToken,
        "../../contracts/artefacts/ApproveAndCallToken.json"
    );
    alloy::sol!(
        #[derive(Debug, PartialEq, Eq)]
        PermitToken,
        "../../contracts/artefacts/PermitToken.json"
    );
    alloy::sol!(
        #[derive(Debug, PartialEq, Eq)]
        AuthorizationToken,
        "../../contracts/artefacts/AuthorizationToken.json"
    );
    alloy::sol!(
        #[derive(Debug, PartialEq, Eq)]
        HugeToken,
        "../../contracts/artefacts/HugeToken.json"
    );
}

/// A kind of token that behaves otherwise than the plain one of [`crate::Wallet::deploy_token`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TokenKind {
    /// Its transfers say nothing, as some old tokens do.
    Silent,
    /// It keeps a part of each transfer.
    Fee,
    /// It tells the receiver. Source: ERC-223.
    Erc223,
    /// It tells the receiver by `tokenFallback`, and has allowances as well.
    Fallback,
    /// It tells the receiver. Source: ERC-1363.
    Erc1363,
    /// It tells the receiver. Source: ERC-677.
    Erc677,
    /// It allows and calls in one transaction.
    ApproveAndCall,
    /// It takes a signed allowance. Source: ERC-2612.
    Permit,
    /// It takes a signed transfer. Source: EIP-3009.
    Eip3009,
    /// One token of it is more than a channel can hold of one participant.
    Huge,
}

impl TokenKind {
    /// Every one.
    pub const ALL: [Self; 10] = [
        Self::Silent,
        Self::Fee,
        Self::Erc223,
        Self::Fallback,
        Self::Erc1363,
        Self::Erc677,
        Self::ApproveAndCall,
        Self::Permit,
        Self::Eip3009,
        Self::Huge,
    ];

    /// Its name in commands.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Fee => "fee",
            Self::Erc223 => "erc223",
            Self::Fallback => "fallback",
            Self::Erc1363 => "erc1363",
            Self::Erc677 => "erc677",
            Self::ApproveAndCall => "approve-and-call",
            Self::Permit => "permit",
            Self::Eip3009 => "eip3009",
            Self::Huge => "huge",
        }
    }

    /// The code that deploys it.
    pub(crate) fn code(self) -> Bytes {
        match self {
            Self::Silent => artefacts::SilentToken::BYTECODE.clone(),
            Self::Fee => artefacts::FeeToken::BYTECODE.clone(),
            Self::Erc223 => artefacts::Erc223Token::BYTECODE.clone(),
            Self::Fallback => artefacts::FallbackToken::BYTECODE.clone(),
            Self::Erc1363 => artefacts::Erc1363Token::BYTECODE.clone(),
            Self::Erc677 => artefacts::Erc677Token::BYTECODE.clone(),
            Self::ApproveAndCall => artefacts::ApproveAndCallToken::BYTECODE.clone(),
            Self::Permit => artefacts::PermitToken::BYTECODE.clone(),
            Self::Eip3009 => artefacts::AuthorizationToken::BYTECODE.clone(),
            Self::Huge => artefacts::HugeToken::BYTECODE.clone(),
        }
    }
}

impl fmt::Display for TokenKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl FromStr for TokenKind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|known| known.as_str() == name);
        let names = Self::ALL.map(Self::as_str).join(", ");
        known.ok_or_else(|| format!("expected one of {names}"))
    }
}
