use super::authorize::{Authorization, AuthorizeError, Order, permit};
use super::examination::{Examination, Gasless, Oddity};
use super::examine::{approvals_needed, examine, places};
use super::funding::{Funding, Places};
use super::simulation::Step;
use crate::account::Account;
use crate::bindings::{input, permitted_input};
use crate::endpoint::Endpoint;
use crate::error::{ChainError, SendError};
use alloy::primitives::U256;
use photon_wire::claim::{DepositAuthorization, OpenAuthorization};
use photon_wire::contract::{Call, Way};
use photon_wire::{Address, Seconds};

/// How long a signature is good that its own account sends at once.
const SIGNATURE: Seconds = Seconds(3_600);

/// The transactions that make a deposit, in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Prepared {
    /// What was chosen.
    pub(crate) way: Way,
    /// Sent and mined first.
    pub(crate) approvals: Vec<Step>,
    /// The deposit itself.
    pub(crate) step: Step,
}

/// Chooses the way and makes its transactions; signs where the way needs it.
///
/// # Errors
/// Where the chain cannot be asked, the token is odd, or it does not offer the way that is wanted.
pub(crate) async fn prepare(
    endpoint: &Endpoint,
    contract: Address,
    account: &Account,
    funding: &Funding,
    wanted: Option<Way>,
) -> Result<Prepared, SendError> {
    let found = examine(endpoint, contract, account.address(), funding).await?;
    let places = places(endpoint, contract, account.address()).await?;
    let order = Preparation { endpoint, places, account, funding };
    if let Some(way) = wanted {
        if found.by(way).is_none() {
            return Err(refusal(&found, Some(way)));
        }
        return order.by(way).await;
    }
    let mut refused = refusal(&found, None);
    for offer in found.ways.iter().filter(|offer| offer.way != Way::Native) {
        match order.by(offer.way).await {
            Ok(prepared) => return Ok(prepared),
            Err(error) if error.is_transient() => return Err(error),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

/// Why not.
fn refusal(found: &Examination, way: Option<Way>) -> SendError {
    let token = found.funding.token().0;
    match (found.check(), way) {
        (Err(Oddity::NoCode(_) | Oddity::NotAToken(_)), _) => ChainError::NotAToken(token).into(),
        (Err(Oddity::BalanceTooSmall { balance, needed }), Some(Way::Allowance) | None) => {
            let account = found.account;
            SendError::TooFewTokens { account, token, balance: balance.0, needed: needed.0 }
        }
        (Err(Oddity::Refuses(revert)), _) => SendError::Reverts(revert),
        (Err(oddity), _) => SendError::OddToken { token, oddity },
        (Ok(()), way) => SendError::NoSuchWay { token, way },
    }
}

struct Preparation<'a> {
    endpoint: &'a Endpoint,
    places: Places,
    account: &'a Account,
    funding: &'a Funding,
}

impl Preparation<'_> {
    async fn by(&self, way: Way) -> Result<Prepared, SendError> {
        let missing = SendError::NoSuchWay { token: self.funding.token().0, way: Some(way) };
        match way {
            Way::Permit => {
                let until = self.endpoint.now().await?.after(SIGNATURE);
                let (contract, account) = (self.places.contract, self.account);
                let permit = permit(self.endpoint, contract, account, self.funding, until).await;
                let permit = permit.map_err(|error| self.unsigned(error))?;
                let call = self.funding.call(None);
                let owner = self.account.address();
                let input = permitted_input(self.funding.token(), owner, &permit, &call);
                self.shown(way, input).await
            }
            Way::ReceiveWithAuthorization => {
                self.authorized(way, Gasless::ReceiveWithAuthorization).await
            }
            Way::Permit2 => self.authorized(way, Gasless::Permit2).await,
            Way::Allowance => {
                let approvals = approvals_needed(self.endpoint, self.funding, &self.places).await?;
                self.plain(way, approvals).ok_or(missing)
            }
            Way::Erc1363 | Way::Erc677 | Way::Erc223 | Way::ApproveAndCall | Way::Native => {
                self.plain(way, Vec::new()).ok_or(missing)
            }
        }
    }

    /// The call alone; none for a way that needs a signature.
    fn plain(&self, way: Way, approvals: Vec<Step>) -> Option<Prepared> {
        let step = self.funding.step(way, &self.places)?;
        Some(Prepared { way, approvals, step })
    }

    fn unsigned(&self, error: AuthorizeError) -> SendError {
        if let AuthorizeError::Chain(error) = error {
            return error.into();
        }
        SendError::Unsigned { token: self.funding.token().0, source: Box::new(error) }
    }

    /// With a signature that is good for this account's own transaction alone: whoever takes it
    /// from the pool does exactly what it was to do.
    async fn authorized(&self, way: Way, gasless: Gasless) -> Result<Prepared, SendError> {
        let until = self.endpoint.now().await?.after(SIGNATURE);
        let participant = self.account.address();
        let nonce = U256::from_be_bytes(rand::random::<[u8; 32]>());
        let authorization = match *self.funding {
            Funding::Open { token, partner, settle_timeout, amount } => {
                Authorization::Open(OpenAuthorization {
                    token,
                    participant,
                    partner,
                    settle_timeout,
                    amount,
                    nonce,
                    valid_until: until,
                })
            }
            Funding::Deposit { key, epoch, amount, .. } => {
                Authorization::Deposit(DepositAuthorization {
                    key,
                    epoch,
                    participant,
                    amount,
                    nonce,
                    valid_until: until,
                })
            }
        };
        let order = Order {
            endpoint: self.endpoint,
            contract: self.places.contract,
            account: self.account,
            authorization: &authorization,
        };
        let call: Call = order.sign(gasless).await.map_err(|error| self.unsigned(error))?;
        self.shown(way, input(&call, participant)).await
    }

    /// A call to the contract, where it would be taken.
    async fn shown(
        &self,
        way: Way,
        input: alloy::primitives::Bytes,
    ) -> Result<Prepared, SendError> {
        let step = Step { to: self.places.contract, value: 0, input };
        let question = step.question(self.account.address());
        let answer: Result<alloy::primitives::Bytes, _> =
            self.endpoint.request("eth_call", (question, "latest")).await;
        match answer {
            Ok(_) => Ok(Prepared { way, approvals: Vec::new(), step }),
            Err(ChainError::Reverted(revert)) => Err(SendError::Reverts(revert)),
            Err(error) => Err(error.into()),
        }
    }
}
