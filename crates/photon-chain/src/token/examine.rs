use super::domain::{self, TokenDomain, Typed};
use super::examination::{Examination, Gasless, Oddity, Offer};
use super::funding::{Funding, Places, approval};
use super::simulation::{BASE, Simulation, Step};
use super::{PERMIT2, allowance, balance, info, optional};
use crate::bindings::{PhotonNetwork, TestToken, deposit_of};
use crate::endpoint::Endpoint;
use crate::error::ChainError;
use crate::revert::{ContractError, Revert};
use alloy::primitives::{B256, U256};
use alloy::sol_types::SolCall;
use photon_wire::contract::Way;
use photon_wire::{Address, Amount, Token};

/// The gas of an opening or a deposit by allowance, where it cannot be measured before. The figures
/// are rounded from what the tests measure; they order the ways, and promise nothing.
const PULL: u64 = 90_000;
/// Of an approval.
const APPROVE: u64 = 46_000;
/// What a hook and the way through the receiver cost more.
const HOOK: u64 = 20_000;
/// What a permit in the same transaction costs more.
const PERMIT: u64 = 42_000;
/// What the token's own signed transfer costs more.
const RECEIVE: u64 = 37_000;
/// What Permit2 costs more.
const THROUGH_PERMIT2: u64 = 47_000;

/// Source: ERC-1363, its ERC-165 identifier.
const ERC1363: [u8; 4] = [0xb0, 0x20, 0x2a, 0x11];

mod standard {
    #![allow(missing_docs, clippy::all)]
    alloy::sol! {
        interface Erc165 {
            function supportsInterface(bytes4 id) external view returns (bool);
        }
    }
}

/// Finds out what would come of a deposit and in which ways it can be made, without a transaction
/// and without a signature.
///
/// Each way is tried: `eth_call` with the account's code replaced for the time of the question
/// makes the approval and the call in a row and then asks the contract what it credited. So a proxy
/// is found out as well, and a fallback that takes every call is not believed. Where an endpoint
/// cannot replace code, the calls are tried one by one: then it is not known what would arrive,
/// unless an allowance stands already. The ways that need a signature are offered by what the
/// token says of itself: a signature is nothing to show to an endpoint before it is to be used.
///
/// # Errors
/// Where the chain cannot be asked. What is wrong with the token is no error but an oddity.
pub async fn examine(
    endpoint: &Endpoint,
    contract: Address,
    account: Address,
    funding: &Funding,
) -> Result<Examination, ChainError> {
    let mut found = Examination {
        funding: *funding,
        account,
        info: super::TokenInfo::default(),
        balance: Amount::ZERO,
        arrives: None,
        oddities: Vec::new(),
        ways: Vec::new(),
        gasless: Vec::new(),
    };
    let token = funding.token();
    if !endpoint.has_code(token.0).await? {
        found.oddities.push(Oddity::NoCode(token.0));
        return Ok(found);
    }
    found.info = info(endpoint, token).await?;
    match balance(endpoint, token, account).await {
        Ok(balance) => found.balance = balance,
        Err(ChainError::NotAToken(token)) => {
            found.oddities.push(Oddity::NotAToken(token));
            return Ok(found);
        }
        Err(error) => return Err(error),
    }
    let places = places(endpoint, contract, account).await?;
    Examiner { endpoint, places, funding, simulation: Simulation::of(endpoint, account).await? }
        .complete(&mut found)
        .await?;
    Ok(found)
}

/// Asks the contract where tokens with a word go.
pub(super) async fn places(
    endpoint: &Endpoint,
    contract: Address,
    account: Address,
) -> Result<Places, ChainError> {
    let answer = endpoint.call(contract, PhotonNetwork::receiverCall {}.abi_encode().into());
    let receiver = PhotonNetwork::receiverCall::abi_decode_returns(&answer.await?)
        .map_err(|error| other_contract(contract, &error))?;
    Ok(Places { account, contract, receiver })
}

fn other_contract(contract: Address, error: &alloy::sol_types::Error) -> ChainError {
    ChainError::OtherContract { contract, reason: format!("it names no deposit receiver: {error}") }
}

/// What came of a way that was tried.
enum Tried {
    /// It brings this much; none where that cannot be known.
    Works(Offer),
    /// Refused.
    Refused(Revert),
    /// Taken, and nothing arrived.
    Nothing,
}

struct Examiner<'a> {
    endpoint: &'a Endpoint,
    places: Places,
    funding: &'a Funding,
    simulation: Simulation<'a>,
}

impl Examiner<'_> {
    async fn complete(&self, found: &mut Examination) -> Result<(), ChainError> {
        let (amount, balance) = (self.funding.amount(), found.balance);
        if amount.is_zero() {
            let arrives = Some(Amount::ZERO);
            found.ways = vec![Offer { way: Way::Allowance, gas: PULL, transactions: 1, arrives }];
            found.gasless = vec![Gasless::Allowance];
            found.arrives = arrives;
            return Ok(());
        }
        if balance < amount {
            found.oddities.push(Oddity::BalanceTooSmall { balance, needed: amount });
        } else {
            self.look_at_tokens(found).await?;
        }
        if let Tried::Works(offer) = self.try_way(Way::Native, &[]).await? {
            found.ways.push(offer);
        }
        found.ways.sort_by_key(|offer| (std::cmp::Reverse(offer.arrives), offer.gas));
        found.arrives = found.cheapest().and_then(|offer| offer.arrives);
        if let Some(arrives) = found.arrives.filter(|arrives| *arrives < amount) {
            found.oddities.push(Oddity::TakesFee { sent: amount, arrives });
        }
        if !self.tells_decimals().await? {
            found.oddities.push(Oddity::NoDecimals);
        }
        Ok(())
    }

    async fn tells_decimals(&self) -> Result<bool, ChainError> {
        let answer = domain::ask(self.endpoint, self.funding.token().0, TestToken::decimalsCall {});
        Ok(domain::word(answer.await?).is_some())
    }

    /// The ways that take the account's own tokens.
    async fn look_at_tokens(&self, found: &mut Examination) -> Result<(), ChainError> {
        let token = self.funding.token();
        let stands = allowance(self.endpoint, token, self.places.account, self.places.contract);
        let (stands, pulled) = match stands.await {
            Ok(stands) => (stands, self.try_allowance(stands).await?),
            // The pure kind of ERC-223 knows no allowances.
            Err(ChainError::NotAToken(_)) => (Amount::ZERO, Tried::Nothing),
            Err(error) => return Err(error),
        };
        for way in [self.call_kind().await?, Way::Erc223, Way::ApproveAndCall] {
            if let Tried::Works(offer) = self.try_way(way, &[]).await? {
                found.ways.push(offer);
            }
        }
        found.gasless = self.gasless(stands).await?;
        match pulled {
            Tried::Works(offer) => {
                found.ways.push(offer);
                let signed = found.gasless.iter().filter_map(|kind| signed_offer(*kind, &offer));
                found.ways.extend(signed.collect::<Vec<_>>());
            }
            // Another way may still do.
            Tried::Refused(_) | Tried::Nothing if !found.ways.is_empty() => {}
            Tried::Refused(revert) => found.oddities.push(self.refusal(revert).await?),
            Tried::Nothing => {
                let denied = matches!(self.transfer().await?, Ok(false));
                let oddity = if denied { Oddity::ReturnsFalse } else { Oddity::NothingArrives };
                found.oddities.push(oddity);
            }
        }
        Ok(())
    }

    /// Which of the two kinds a `transferAndCall` is.
    async fn call_kind(&self) -> Result<Way, ChainError> {
        let call = standard::Erc165::supportsInterfaceCall { id: ERC1363.into() };
        let answer = domain::ask(self.endpoint, self.funding.token().0, call).await?;
        let is_1363 = domain::word(answer) == Some(B256::with_last_byte(1));
        Ok(if is_1363 { Way::Erc1363 } else { Way::Erc677 })
    }

    async fn try_allowance(&self, stands: Amount) -> Result<Tried, ChainError> {
        let approvals = approvals(self.funding, &self.places, stands);
        if !self.simulation.overrides && !approvals.is_empty() {
            return self.try_transfer(&approvals).await;
        }
        let tried = self.try_way(Way::Allowance, &approvals).await?;
        match tried {
            // Some tokens change an allowance only from or to zero.
            Tried::Refused(_) if !approvals.is_empty() && !stands.is_zero() => {
                let zero = approval(self.funding.token(), self.places.contract, Amount::ZERO);
                let approvals: Vec<Step> = std::iter::once(zero).chain(approvals).collect();
                self.try_way(Way::Allowance, &approvals).await
            }
            Tried::Works(_) | Tried::Refused(_) | Tried::Nothing => Ok(tried),
        }
    }

    /// As much as can be known without an allowance: whether the token would move.
    async fn try_transfer(&self, approvals: &[Step]) -> Result<Tried, ChainError> {
        Ok(match self.transfer().await? {
            Err(revert) => Tried::Refused(revert),
            Ok(false) => Tried::Nothing,
            Ok(true) => Tried::Works(self.offer(Way::Allowance, approvals, None).await?),
        })
    }

    /// Asks the token for a plain transfer to the contract: it tells in its own words why not.
    async fn transfer(&self) -> Result<Result<bool, Revert>, ChainError> {
        let amount = U256::from(self.funding.amount().0);
        let call = TestToken::transferCall { to: self.places.contract, amount };
        let step = Step::new(self.funding.token().0, call.abi_encode());
        match self.simulation.ask(&step).await {
            Ok(answer) => Ok(Ok(domain::word(Some(answer.to_vec())) != Some(B256::ZERO))),
            Err(ChainError::Reverted(revert)) => Ok(Err(revert)),
            Err(error) => Err(error),
        }
    }

    /// The token's own word for a refusal, where it has one.
    async fn refusal(&self, revert: Revert) -> Result<Oddity, ChainError> {
        let of_token = matches!(
            revert,
            Revert::Contract(ContractError::TransferFailed(_) | ContractError::NothingReceived(_))
                | Revert::Unknown(_)
        );
        Ok(match self.transfer().await? {
            Err(said) if of_token => Oddity::Refuses(said),
            Ok(false) if of_token => Oddity::ReturnsFalse,
            Ok(_) | Err(_) => {
                if matches!(revert, Revert::Contract(ContractError::NothingReceived(_))) {
                    Oddity::NothingArrives
                } else {
                    Oddity::Refuses(revert)
                }
            }
        })
    }

    async fn try_way(&self, way: Way, approvals: &[Step]) -> Result<Tried, ChainError> {
        let Some(step) = self.funding.step(way, &self.places) else { return Ok(Tried::Nothing) };
        let question = self.funding.question(&self.places);
        let (participant, _) = self.funding.participants(self.places.account);
        let answer = if self.simulation.overrides {
            let mut steps = approvals.to_vec();
            steps.extend([step, question.clone()]);
            self.simulation.run(&steps).await
        } else if way == Way::Allowance {
            self.ask_both(&step, &question).await
        } else {
            return self.try_alone(way, &step).await;
        };
        let credited = match answer {
            Ok(answer) => deposit_of(&answer, participant),
            Err(ChainError::Reverted(revert)) => return Ok(Tried::Refused(revert)),
            // A chain that ran out of gas or patience with a hostile token.
            Err(ChainError::Refused { .. }) => return Ok(Tried::Nothing),
            Err(error) => return Err(error),
        };
        let before = self.simulation.ask(&question).await?;
        let before = deposit_of(&before, participant).unwrap_or_default();
        let arrives = credited.and_then(|credited| credited.checked_sub(before));
        match arrives.filter(|arrives| !arrives.is_zero()) {
            Some(arrives) => Ok(Tried::Works(self.offer(way, approvals, Some(arrives)).await?)),
            None => Ok(Tried::Nothing),
        }
    }

    /// The contract answers for itself what it would credit.
    async fn ask_both(
        &self,
        step: &Step,
        question: &Step,
    ) -> Result<alloy::primitives::Bytes, ChainError> {
        let calls = vec![step.input.clone(), question.input.clone()];
        let call = PhotonNetwork::multicallCall { calls }.abi_encode();
        let answer = self.simulation.ask(&Step::new(self.places.contract, call)).await?;
        let results = PhotonNetwork::multicallCall::abi_decode_returns(&answer);
        Ok(results.ok().and_then(|mut results| results.pop()).unwrap_or_default())
    }

    /// One call on the state as it is: believed only where it says `true`, or an epoch.
    async fn try_alone(&self, way: Way, step: &Step) -> Result<Tried, ChainError> {
        match self.simulation.ask(step).await {
            Ok(answer) => match domain::word(Some(answer.to_vec())) {
                Some(said) if !said.is_zero() => {
                    Ok(Tried::Works(self.offer(way, &[], None).await?))
                }
                Some(_) | None => Ok(Tried::Nothing),
            },
            Err(ChainError::Reverted(revert)) => Ok(Tried::Refused(revert)),
            Err(ChainError::Refused { .. }) => Ok(Tried::Nothing),
            Err(error) => Err(error),
        }
    }

    async fn offer(
        &self,
        way: Way,
        approvals: &[Step],
        arrives: Option<Amount>,
    ) -> Result<Offer, ChainError> {
        let count = u8::try_from(approvals.len()).unwrap_or(u8::MAX);
        let table = table(way).saturating_add(APPROVE.saturating_mul(count.into()));
        let mut gas = table;
        if self.simulation.overrides
            && let Some(step) = self.funding.step(way, &self.places)
        {
            let mut steps = approvals.to_vec();
            steps.push(step);
            // Not every chain that replaces code for a call does it for an estimate.
            gas = self.simulation.gas(&steps).await.unwrap_or(table);
        }
        Ok(Offer { way, gas, transactions: count.saturating_add(1), arrives })
    }

    async fn gasless(&self, stands: Amount) -> Result<Vec<Gasless>, ChainError> {
        let (participant, _) = self.funding.participants(self.places.account);
        if participant != self.places.account {
            // An authorization is for the signer's own deposit.
            return Ok(Vec::new());
        }
        let (endpoint, token) = (self.endpoint, self.funding.token());
        let account = self.places.account;
        let mut found = Vec::new();
        if stands >= self.funding.amount() {
            found.push(Gasless::Allowance);
        }
        let is_own = matches!(domain::of(endpoint, token).await?, TokenDomain::Own(_));
        if is_own && takes_authorizations(endpoint, token, account).await? {
            found.push(Gasless::ReceiveWithAuthorization);
        }
        if endpoint.has_code(PERMIT2).await?
            && allows(endpoint, token, account, PERMIT2).await? >= self.funding.amount()
        {
            found.push(Gasless::Permit2);
        }
        if is_own && permit_nonce(endpoint, token, account).await?.is_some() {
            found.push(Gasless::Permit);
        }
        Ok(found)
    }
}

/// What the contract must be allowed first, where it is allowed `stands` now.
fn approvals(funding: &Funding, places: &Places, stands: Amount) -> Vec<Step> {
    if stands >= funding.amount() {
        return Vec::new();
    }
    vec![approval(funding.token(), places.contract, funding.amount())]
}

/// A signature in place of an approval, by what the plain way costs.
fn signed_offer(kind: Gasless, plain: &Offer) -> Option<Offer> {
    let (way, more) = match kind {
        Gasless::Allowance => return None,
        Gasless::ReceiveWithAuthorization => (Way::ReceiveWithAuthorization, RECEIVE),
        Gasless::Permit2 => (Way::Permit2, THROUGH_PERMIT2),
        Gasless::Permit => (Way::Permit, PERMIT),
    };
    let extra = u64::from(plain.transactions.saturating_sub(1));
    let pull = plain.gas.saturating_sub(APPROVE.saturating_mul(extra)).max(BASE);
    Some(Offer { way, gas: pull.saturating_add(more), transactions: 1, ..*plain })
}

const fn table(way: Way) -> u64 {
    match way {
        Way::Allowance => PULL,
        Way::Erc1363 | Way::Erc677 | Way::Erc223 | Way::ApproveAndCall | Way::Native => PULL + HOOK,
        Way::Permit => PULL + PERMIT,
        Way::ReceiveWithAuthorization => PULL + RECEIVE,
        Way::Permit2 => PULL + THROUGH_PERMIT2,
    }
}

/// An allowance; zero where the token knows none.
async fn allows(
    endpoint: &Endpoint,
    token: Token,
    owner: Address,
    spender: Address,
) -> Result<Amount, ChainError> {
    match allowance(endpoint, token, owner, spender).await {
        Err(ChainError::NotAToken(_)) => Ok(Amount::ZERO),
        answer => answer,
    }
}

/// Whether the token knows signed transfers. Source: EIP-3009.
pub(super) async fn takes_authorizations(
    endpoint: &Endpoint,
    token: Token,
    account: Address,
) -> Result<bool, ChainError> {
    let call = Typed::authorizationStateCall { authorizer: account, nonce: B256::ZERO };
    Ok(domain::word(domain::ask(endpoint, token.0, call).await?).is_some())
}

/// The nonce of the owner's next permit; none where the token counts none. Source: ERC-2612.
pub(super) async fn permit_nonce(
    endpoint: &Endpoint,
    token: Token,
    owner: Address,
) -> Result<Option<U256>, ChainError> {
    let call = Typed::noncesCall { owner };
    Ok(domain::word(domain::ask(endpoint, token.0, call).await?).map(Into::into))
}

/// The approvals that the plain way needs now, in order: the last alone does where the token does
/// not mind.
pub(crate) async fn approvals_needed(
    endpoint: &Endpoint,
    funding: &Funding,
    places: &Places,
) -> Result<Vec<Step>, ChainError> {
    let stands = allowance(endpoint, funding.token(), places.account, places.contract).await?;
    let needed = approvals(funding, places, stands);
    let Some(first) = needed.first() else { return Ok(needed) };
    let question = first.question(places.account);
    let answer = endpoint.request("eth_call", (question, "latest")).await;
    if optional(answer)?.is_none() && !stands.is_zero() {
        let zero = approval(funding.token(), places.contract, Amount::ZERO);
        return Ok(std::iter::once(zero).chain(needed).collect());
    }
    Ok(needed)
}
