//! What tokens say of themselves and of accounts.

mod authorize;
mod domain;
mod examination;
mod examine;
mod funding;
mod prepare;
mod simulation;

pub use authorize::{Authorization, AuthorizeError, authorize};
pub use examination::{Examination, Gasless, Oddity, Offer};
pub use examine::examine;
pub use funding::Funding;
pub(crate) use prepare::{Prepared, prepare};
pub(crate) use simulation::Step;

use crate::bindings::TestToken;
use crate::endpoint::Endpoint;
use crate::error::ChainError;
use alloy::primitives::Bytes;
use alloy::sol_types::SolCall;
use photon_wire::{Address, Amount, Token};

/// Where Permit2 is on every chain that has it. Source: Uniswap's Permit2, deployed by CREATE2.
pub const PERMIT2: Address =
    alloy::primitives::address!("000000000022D473030F116dDEE9F6B43aC78BA3");

/// How a token's amounts are shown.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TokenInfo {
    /// Short; empty where the token has none.
    pub symbol: String,
    /// How many digits of the base unit are behind the point; 0 where the token does not say.
    pub decimals: u8,
}

/// Symbol and decimals.
///
/// # Errors
/// Where the chain cannot be asked, or no contract is there.
pub async fn info(endpoint: &Endpoint, token: Token) -> Result<TokenInfo, ChainError> {
    if !endpoint.has_code(token.0).await? {
        return Err(ChainError::NotAToken(token.0));
    }
    let symbol =
        optional(endpoint.call(token.0, TestToken::symbolCall {}.abi_encode().into()).await)?;
    let decimals =
        optional(endpoint.call(token.0, TestToken::decimalsCall {}.abi_encode().into()).await)?;
    Ok(TokenInfo {
        symbol: symbol.map(|data| text(&data)).unwrap_or_default(),
        decimals: decimals
            .and_then(|data| TestToken::decimalsCall::abi_decode_returns(&data).ok())
            .unwrap_or_default(),
    })
}

/// What an account has; at most 2^128 − 1.
///
/// # Errors
/// Where the chain cannot be asked, or no token is there.
pub async fn balance(
    endpoint: &Endpoint,
    token: Token,
    owner: Address,
) -> Result<Amount, ChainError> {
    let call = TestToken::balanceOfCall { owner };
    let data = told(endpoint, token, call.abi_encode()).await?;
    let balance = TestToken::balanceOfCall::abi_decode_returns(&data)
        .map_err(|_| ChainError::NotAToken(token.0))?;
    Ok(Amount(balance.saturating_to()))
}

/// What `spender` may take from `owner`; at most 2^128 − 1.
///
/// # Errors
/// Where the chain cannot be asked, or no token is there.
pub async fn allowance(
    endpoint: &Endpoint,
    token: Token,
    owner: Address,
    spender: Address,
) -> Result<Amount, ChainError> {
    let call = TestToken::allowanceCall { owner, spender };
    let data = told(endpoint, token, call.abi_encode()).await?;
    let allowance = TestToken::allowanceCall::abi_decode_returns(&data)
        .map_err(|_| ChainError::NotAToken(token.0))?;
    Ok(Amount(allowance.saturating_to()))
}

/// What every token answers; a contract that refuses to is none.
async fn told(endpoint: &Endpoint, token: Token, call: Vec<u8>) -> Result<Bytes, ChainError> {
    match endpoint.call(token.0, call.into()).await {
        Err(ChainError::Reverted(_)) => Err(ChainError::NotAToken(token.0)),
        answer => answer,
    }
}

/// What a token may lack.
fn optional(answer: Result<Bytes, ChainError>) -> Result<Option<Bytes>, ChainError> {
    match answer {
        Ok(data) => Ok(Some(data)),
        Err(ChainError::Reverted(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A symbol, also of the old tokens that tell it as 32 bytes.
fn text(data: &[u8]) -> String {
    TestToken::symbolCall::abi_decode_returns(data).unwrap_or_else(|_| {
        let end = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
        String::from_utf8_lossy(data.get(..end).unwrap_or_default()).into_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_read_as_strings_and_as_words() {
        let word = [b"MKR".as_slice(), &[0; 29]].concat();
        assert_eq!(text(&word), "MKR");
        let string = TestToken::symbolCall::abi_encode_returns(&"TEST".to_owned());
        assert_eq!(text(&string), "TEST");
        assert_eq!(text(&[]), "");
    }
}
