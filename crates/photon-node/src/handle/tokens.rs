//! What the chain says of tokens.

use super::fund::chain as chain_error;
use super::{NodeHandle, RequestError};
use photon_chain::token as chain;
use photon_wire::{Amount, Token};

/// What the chain says of a token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenInfo {
    /// The contract.
    pub token: Token,
    /// What the network file calls it.
    pub name: Option<String>,
    /// Its symbol, where it has one; as the token says it, so not to be trusted.
    pub symbol: Option<String>,
    /// How many digits of an amount stand behind the point, where it says.
    pub decimals: Option<u8>,
    /// What our account holds outside channels; none where the chain does not answer.
    pub balance: Option<Amount>,
}

pub(super) async fn all(handle: &NodeHandle) -> Result<Vec<TokenInfo>, RequestError> {
    let mut tokens = handle.look(|machine| machine.tokens()).await?;
    tokens.extend(handle.shared.network.tokens.values().copied());
    tokens.extend(handle.shared.network.wrapped_native);
    tokens.sort_unstable();
    tokens.dedup();
    let mut infos = Vec::with_capacity(tokens.len());
    for token in tokens {
        infos.push(match of(handle, token).await {
            Ok(info) => info,
            Err(_) => {
                let name = name(handle, token);
                TokenInfo { token, name, symbol: None, decimals: None, balance: None }
            }
        });
    }
    Ok(infos)
}

pub(super) async fn of(handle: &NodeHandle, token: Token) -> Result<TokenInfo, RequestError> {
    let endpoint = &handle.shared.endpoint;
    let info = chain::info(endpoint, token).await.map_err(chain_error)?;
    let account = handle.shared.keys.account();
    let balance = chain::balance(endpoint, token, account).await.map_err(chain_error)?;
    Ok(TokenInfo {
        token,
        name: name(handle, token),
        symbol: Some(info.symbol).filter(|symbol| !symbol.is_empty()),
        decimals: Some(info.decimals),
        balance: Some(balance),
    })
}

fn name(handle: &NodeHandle, token: Token) -> Option<String> {
    let mut named = handle.shared.network.tokens.iter();
    named.find(|(_, it)| **it == token).map(|(name, _)| name.clone())
}
