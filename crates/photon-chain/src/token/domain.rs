//! Where a token's own typed data hold: whether what the token says of its domain is about itself.

use super::optional;
use crate::endpoint::Endpoint;
use crate::error::ChainError;
use alloy::primitives::{B256, U256};
use alloy::sol_types::{Eip712Domain, SolCall};
use photon_wire::{Address, Token};

mod typed {
    #![allow(missing_docs, clippy::all)]
    alloy::sol! {
        interface Typed {
            function DOMAIN_SEPARATOR() external view returns (bytes32);
            function eip712Domain() external view returns (
                bytes1 fields, string name, string version, uint256 chainId,
                address verifyingContract, bytes32 salt, uint256[] extensions
            );
            function name() external view returns (string);
            function version() external view returns (string);
            function nonces(address owner) external view returns (uint256);
            function authorizationState(address authorizer, bytes32 nonce)
                external view returns (bool);
        }
    }
}
pub(super) use typed::Typed;

/// What a token says of its domain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum TokenDomain {
    /// It takes no typed data.
    None,
    /// This one, which binds the token and the chain.
    Own(B256),
    /// One that we cannot make of its name, its version, the chain and itself.
    Foreign(B256),
}

/// Asks the token, and computes what it should have said.
///
/// A hostile token answers with the separator of another, valuable one: what the owner signs for
/// the first would move the second. So only a separator that we have computed is ever signed with.
pub(super) async fn of(endpoint: &Endpoint, token: Token) -> Result<TokenDomain, ChainError> {
    let said = word(ask(endpoint, token.0, Typed::DOMAIN_SEPARATORCall {}).await?);
    let chain_id = U256::from(endpoint.chain_id().await?);
    let candidates = candidates(endpoint, token.0, chain_id).await?;
    let own = candidates.iter().map(Eip712Domain::separator);
    Ok(match said {
        Some(said) => own
            .into_iter()
            .find(|own| *own == said)
            .map_or(TokenDomain::Foreign(said), TokenDomain::Own),
        // Source: ERC-5267, for tokens that do not tell the separator itself.
        None if told(endpoint, token.0).await?.is_some() => {
            own.into_iter().next().map_or(TokenDomain::None, TokenDomain::Own)
        }
        None => TokenDomain::None,
    })
}

/// The domains that a token here can have: as it tells it itself (ERC-5267), or of its name and
/// the versions that are usual.
async fn candidates(
    endpoint: &Endpoint,
    token: Address,
    chain_id: U256,
) -> Result<Vec<Eip712Domain>, ChainError> {
    let own = |name: String, version: Option<String>| {
        let version = version.map(Into::into);
        Eip712Domain::new(Some(name.into()), version, Some(chain_id), Some(token), None)
    };
    if let Some(said) = told(endpoint, token).await? {
        return Ok(vec![own(said.name, (!said.version.is_empty()).then_some(said.version))]);
    }
    let name = ask(endpoint, token, Typed::nameCall {}).await?;
    let Some(name) = name.and_then(|data| Typed::nameCall::abi_decode_returns(&data).ok()) else {
        return Ok(Vec::new());
    };
    let version = ask(endpoint, token, Typed::versionCall {}).await?;
    let version = version.and_then(|data| Typed::versionCall::abi_decode_returns(&data).ok());
    let usual = ["1", "2"].map(str::to_owned);
    let versions = version.into_iter().chain(usual).map(Some).chain([None]);
    Ok(versions.map(|version| own(name.clone(), version)).collect())
}

/// Source: ERC-5267.
async fn told(
    endpoint: &Endpoint,
    token: Address,
) -> Result<Option<Typed::eip712DomainReturn>, ChainError> {
    let answer = ask(endpoint, token, Typed::eip712DomainCall {}).await?;
    Ok(answer.and_then(|data| Typed::eip712DomainCall::abi_decode_returns(&data).ok()))
}

/// What a contract answers that may not know the question.
pub(super) async fn ask(
    endpoint: &Endpoint,
    to: Address,
    call: impl SolCall,
) -> Result<Option<Vec<u8>>, ChainError> {
    let answer = optional(endpoint.call(to, call.abi_encode().into()).await)?;
    Ok(answer.map(|data| data.to_vec()))
}

/// A word; none where the answer is none: a fallback that takes every call answers nothing.
pub(super) fn word(answer: Option<Vec<u8>>) -> Option<B256> {
    answer.and_then(|data| <[u8; 32]>::try_from(data.as_slice()).ok()).map(B256::new)
}
