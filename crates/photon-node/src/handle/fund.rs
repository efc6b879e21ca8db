//! What is looked at before tokens go into a channel: whether they would arrive, by which way, and
//! whether the account can pay for it.

use super::{NodeHandle, RequestError};
use photon_chain::token::{self, Examination, Funding, Oddity, Offer};
use photon_chain::{ChainError, ContractError, Revert, SendError};
use photon_core::Rejection;
use photon_wire::contract::Way;
use photon_wire::{Amount, ChannelKey, Token};

/// How tokens are to go into a channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct How {
    /// By this way; none takes the cheapest. Nobody's coins are wrapped unasked.
    pub way: Option<Way>,
    /// Go on where the token keeps a part.
    pub accept_token_fee: bool,
    /// Sign only, and have the configured relay carry it and pay for the gas.
    pub gasless: bool,
}

/// What would come of a deposit, and what the gas would cost.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Prospect {
    /// What the chain says.
    pub found: Examination,
    /// What a unit of gas costs now, in wei.
    pub gas_price: u128,
    /// Coins of our account, in wei.
    pub coins: u128,
}

impl Prospect {
    /// What a way would cost in wei.
    pub fn cost(&self, offer: &Offer) -> u128 {
        u128::from(offer.gas).saturating_mul(self.gas_price)
    }
}

/// Looks, and sends nothing.
pub(super) async fn look(handle: &NodeHandle, funding: &Funding) -> Result<Prospect, RequestError> {
    let shared = &handle.shared;
    let (endpoint, account) = (&shared.endpoint, shared.keys.account());
    let found = token::examine(endpoint, shared.network.contract, account, funding).await;
    let found = found.map_err(chain)?;
    let gas_price = endpoint.gas_price().await.map_err(chain)?;
    let coins = endpoint.balance(account).await.map_err(chain)?;
    Ok(Prospect { found, gas_price, coins })
}

/// Refuses what would come to nothing, or to less than is meant; answers the way to take. Nothing
/// has been sent then.
pub(super) async fn check(
    handle: &NodeHandle,
    funding: &Funding,
    how: &How,
) -> Result<Option<Offer>, RequestError> {
    let prospect = look(handle, funding).await?;
    check_token(handle, &prospect, funding, how)?;
    if how.gasless {
        return Ok(None);
    }
    let offer = choose(&prospect, funding.token(), how.way)?;
    let value = match offer.way {
        Way::Native => funding.amount().0,
        Way::Allowance
        | Way::Erc1363
        | Way::Erc677
        | Way::Erc223
        | Way::ApproveAndCall
        | Way::Permit
        | Way::ReceiveWithAuthorization
        | Way::Permit2 => 0,
    };
    check_coins(prospect.coins, prospect.cost(&offer).saturating_add(value))?;
    Ok(Some(offer))
}

/// Whether it is not the token that refuses but the channel, which is open already or not any more.
const fn is_other_phase(revert: &Revert) -> bool {
    matches!(revert, Revert::Contract(ContractError::WrongPhase(_)))
}

/// The chain is ahead of what we have seen: the partner was quicker, or a transaction of ours from
/// before a restart is mined.
fn other_phase(handle: &NodeHandle, funding: &Funding) -> RequestError {
    let rejection = match *funding {
        Funding::Open { token, partner, .. } => {
            match ChannelKey::new(token, handle.account(), partner) {
                Some(key) => Rejection::ChannelExists { channel: key.id() },
                None => Rejection::PartnerIsSelf,
            }
        }
        Funding::Deposit { key, .. } => Rejection::ChannelNotOpen { channel: key.id() },
    };
    rejection.into()
}

fn check_token(
    handle: &NodeHandle,
    prospect: &Prospect,
    funding: &Funding,
    how: &How,
) -> Result<(), RequestError> {
    let (found, token) = (&prospect.found, funding.token());
    let native = how.way == Some(Way::Native);
    for oddity in found.oddities.iter().filter(|oddity| oddity.is_fatal()) {
        match oddity {
            Oddity::NoCode(_) | Oddity::NotAToken(_) => {
                return Err(RequestError::NotAToken { token });
            }
            // It is the coins that are given then.
            Oddity::BalanceTooSmall { .. } if native => {}
            Oddity::BalanceTooSmall { balance, needed } => {
                let (held, needed) = (*balance, *needed);
                return Err(RequestError::InsufficientTokens { token, held, needed });
            }
            Oddity::Refuses(revert) if is_other_phase(revert) => {
                return Err(other_phase(handle, funding));
            }
            // Somebody else may bring them by a signature where the plain transfer does not work.
            Oddity::Refuses(_) | Oddity::ReturnsFalse | Oddity::NothingArrives
                if native || (how.gasless && !found.gasless.is_empty()) => {}
            Oddity::Refuses(_)
            | Oddity::ReturnsFalse
            | Oddity::NothingArrives
            | Oddity::TakesFee { .. }
            | Oddity::NoDecimals => {
                let reason = oddity.to_string();
                return Err(RequestError::OddToken { token, oddity: oddity.as_str(), reason });
            }
        }
    }
    let offer = how.way.and_then(|way| found.by(way)).or_else(|| found.cheapest());
    let arrives = offer.and_then(|offer| offer.arrives).or(found.arrives);
    let sent = funding.amount();
    match arrives {
        Some(arrives) if arrives < sent && !how.accept_token_fee => {
            Err(RequestError::TokenFee { token, sent, arrives })
        }
        Some(_) | None => Ok(()),
    }
}

fn choose(prospect: &Prospect, token: Token, wanted: Option<Way>) -> Result<Offer, RequestError> {
    let found = &prospect.found;
    let chosen = match wanted {
        Some(way) => found.by(way),
        None => found.cheapest(),
    };
    chosen.ok_or_else(|| {
        let offered = found.ways.iter().map(|offer| offer.way).collect();
        RequestError::NoSuchWay { token, wanted, offered }
    })
}

/// Without gas nothing can be sent, and half of it (an approval alone) is worse than nothing.
pub(super) fn check_coins(held: u128, needed: u128) -> Result<(), RequestError> {
    if held < needed {
        return Err(RequestError::InsufficientCoins { held, needed });
    }
    Ok(())
}

/// An opening without a deposit: there must be a token all the same, and gas.
pub(super) async fn check_empty(
    handle: &NodeHandle,
    funding: &Funding,
    how: &How,
) -> Result<(), RequestError> {
    super::tokens::of(handle, funding.token()).await?;
    if how.gasless {
        return Ok(());
    }
    let shared = &handle.shared;
    let (endpoint, account) = (&shared.endpoint, shared.keys.account());
    let call = funding.call(None);
    let price = endpoint.gas_price().await.map_err(chain)?;
    let held = endpoint.balance(account).await.map_err(chain)?;
    match photon_chain::estimate(endpoint, shared.network.contract, account, &call).await {
        Ok(gas) => check_coins(held, u128::from(gas).saturating_mul(price)),
        Err(SendError::Chain(error)) => Err(chain(error)),
        Err(SendError::Reverts(revert)) if is_other_phase(&revert) => {
            Err(other_phase(handle, funding))
        }
        Err(SendError::TooFewCoins { balance, .. }) => {
            Err(RequestError::InsufficientCoins { held: balance, needed: price })
        }
        Err(error) => {
            Err(RequestError::TransactionFailed { kind: "open", reason: error.to_string() })
        }
    }
}

/// A deposit of this much by us, for an examination that has no channel to look at.
pub(super) fn imagined(handle: &NodeHandle, token: Token, amount: Amount) -> Funding {
    let shared = &handle.shared;
    let settle_timeout = shared.settle_timeouts().0;
    // Nobody has its key, and so no channel with us that would be in the way.
    let partner = shared.network.contract;
    Funding::Open { token, partner, settle_timeout, amount }
}

pub(super) fn chain(error: ChainError) -> RequestError {
    if let ChainError::NotAToken(token) = error {
        RequestError::NotAToken { token: Token(token) }
    } else {
        RequestError::Chain(error.to_string())
    }
}
