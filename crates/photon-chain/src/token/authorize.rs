use super::domain::{self, TokenDomain};
use super::examination::{Examination, Gasless, Oddity};
use super::examine::{examine, permit_nonce};
use super::{Funding, PERMIT2};
use crate::account::Account;
use crate::endpoint::Endpoint;
use crate::error::ChainError;
use alloy::primitives::{B256, U256};
use alloy::sol_types::{Eip712Domain, SolStruct};
use photon_wire::claim::{Claim, DepositAuthorization, Domain, OpenAuthorization};
use photon_wire::contract::{Call, Permit};
use photon_wire::{Address, Amount, Digest, Signature, Timestamp, Token};

/// The types that tokens and Permit2 have signed. Source: ERC-2612, EIP-3009, and Permit2's
/// `SignatureTransfer`.
mod signed {
    #![allow(missing_docs, clippy::all)]
    alloy::sol! {
        struct Permit {
            address owner; address spender; uint256 value; uint256 nonce; uint256 deadline;
        }
        struct ReceiveWithAuthorization {
            address from; address to; uint256 value; uint256 validAfter; uint256 validBefore;
            bytes32 nonce;
        }
    }
    /// With the witness of an opening.
    pub(super) mod open {
        alloy::sol! {
            struct TokenPermissions { address token; uint256 amount; }
            struct OpenAuthorization {
                address token; address participant; address partner; uint64 settleTimeout;
                uint128 amount; uint256 nonce; uint64 validUntil;
            }
            struct PermitWitnessTransferFrom {
                TokenPermissions permitted; address spender; uint256 nonce; uint256 deadline;
                OpenAuthorization witness;
            }
        }
    }
    /// With the witness of a deposit.
    pub(super) mod deposit {
        alloy::sol! {
            struct TokenPermissions { address token; uint256 amount; }
            struct DepositAuthorization {
                bytes32 channelId; uint64 epoch; address participant; uint128 amount;
                uint256 nonce; uint64 validUntil;
            }
            struct PermitWitnessTransferFrom {
                TokenPermissions permitted; address spender; uint256 nonce; uint256 deadline;
                DepositAuthorization witness;
            }
        }
    }
}

/// What a participant lets anybody do with his tokens, once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Authorization {
    /// Open and fund a channel for him.
    Open(OpenAuthorization),
    /// Deposit for him.
    Deposit(DepositAuthorization),
}

impl Authorization {
    /// The deposit that comes of it.
    pub const fn funding(&self) -> Funding {
        match self {
            Self::Open(open) => Funding::Open {
                token: open.token,
                partner: open.partner,
                settle_timeout: open.settle_timeout,
                amount: open.amount,
            },
            Self::Deposit(deposit) => Funding::Deposit {
                key: deposit.key,
                epoch: deposit.epoch,
                participant: deposit.participant,
                amount: deposit.amount,
            },
        }
    }

    /// Whose tokens, and who has to sign.
    pub const fn participant(&self) -> Address {
        match self {
            Self::Open(open) => open.participant,
            Self::Deposit(deposit) => deposit.participant,
        }
    }

    const fn nonce(&self) -> U256 {
        match self {
            Self::Open(open) => open.nonce,
            Self::Deposit(deposit) => deposit.nonce,
        }
    }

    const fn valid_until(&self) -> Timestamp {
        match self {
            Self::Open(open) => open.valid_until,
            Self::Deposit(deposit) => deposit.valid_until,
        }
    }

    /// What is signed for the contract itself.
    pub fn digest(&self, domain: &Domain) -> Digest {
        match self {
            Self::Open(open) => open.digest(domain),
            Self::Deposit(deposit) => deposit.digest(domain),
        }
    }

    /// As a relayer brings it.
    pub const fn call(
        &self,
        gasless: Gasless,
        signature: Signature,
        permit: Option<Permit>,
    ) -> Call {
        let means = gasless.means();
        match *self {
            Self::Open(authorization) => {
                Call::OpenAuthorized { authorization, means, signature, permit }
            }
            Self::Deposit(authorization) => {
                Call::DepositAuthorized { authorization, means, signature, permit }
            }
        }
    }
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum AuthorizeError {
    /// The token and the account offer nothing that a signature could move.
    #[error(
        "token {token} can be deposited by a signature in none of these ways now: {}",
        .tried.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ")
    )]
    NoMeans {
        /// The token.
        token: Address,
        /// What was looked for.
        tried: Vec<Gasless>,
    },
    /// A signature might move something else than this token on this chain.
    #[error("the domain of {contract} is {said}, which is not of it on this chain: not signed")]
    Domain {
        /// The token, or Permit2.
        contract: Address,
        /// The separator that it names.
        said: B256,
    },
    /// The key is another one.
    #[error("{participant} has to sign, not {account}")]
    OtherAccount {
        /// Whose tokens.
        participant: Address,
        /// Whose key.
        account: Address,
    },
    /// No deposit would come of it.
    #[error("{0}")]
    Oddity(Oddity),
    /// The chain could not be asked.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

impl AuthorizeError {
    /// Whether trying again may help.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Chain(error) => error.is_transient(),
            Self::NoMeans { .. }
            | Self::Domain { .. }
            | Self::OtherAccount { .. }
            | Self::Oddity(_) => false,
        }
    }
}

/// Signs what a relayer needs to open or fund a channel with the account's tokens, by these means
/// or the cheapest that work. The signer pays nothing and sends nothing.
///
/// # Errors
/// Where the chain cannot be asked, or the token is odd, or nothing works for a signature. A token
/// whose domain is not its own gets no signature.
pub async fn authorize(
    endpoint: &Endpoint,
    contract: Address,
    account: &Account,
    authorization: &Authorization,
    gasless: Option<Gasless>,
) -> Result<Call, AuthorizeError> {
    let (participant, signer) = (authorization.participant(), account.address());
    if participant != signer {
        return Err(AuthorizeError::OtherAccount { participant, account: signer });
    }
    let funding = authorization.funding();
    let found = examine(endpoint, contract, signer, &funding).await?;
    let chosen = match choose(&found, gasless) {
        Ok(chosen) => chosen,
        Err(error) => return Err(foreign(endpoint, funding.token()).await?.unwrap_or(error)),
    };
    let order = Order { endpoint, contract, account, authorization };
    order.sign(chosen).await
}

/// The graver reason, where the token names a domain that is not its own.
async fn foreign(
    endpoint: &Endpoint,
    token: Token,
) -> Result<Option<AuthorizeError>, AuthorizeError> {
    let said = domain::of(endpoint, token).await?;
    Ok(match said {
        TokenDomain::Foreign(said) => Some(AuthorizeError::Domain { contract: token.0, said }),
        TokenDomain::None | TokenDomain::Own(_) => None,
    })
}

fn choose(found: &Examination, wanted: Option<Gasless>) -> Result<Gasless, AuthorizeError> {
    if let [oddity, ..] = found.oddities.as_slice()
        && oddity.is_fatal()
        && found.gasless.is_empty()
    {
        return Err(AuthorizeError::Oddity(oddity.clone()));
    }
    let tried = wanted.map_or_else(|| Gasless::ALL.to_vec(), |wanted| vec![wanted]);
    let chosen = found.gasless.iter().copied().find(|kind| tried.contains(kind));
    chosen.ok_or(AuthorizeError::NoMeans { token: found.funding.token().0, tried })
}

/// Something to be signed, and by whom.
pub(super) struct Order<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) contract: Address,
    pub(super) account: &'a Account,
    pub(super) authorization: &'a Authorization,
}

impl Order<'_> {
    /// The call that a relayer sends.
    pub(super) async fn sign(&self, gasless: Gasless) -> Result<Call, AuthorizeError> {
        let own = self.authorization.digest(&self.domain().await?);
        let key = self.account.signing_key();
        match gasless {
            Gasless::Allowance => Ok(self.authorization.call(gasless, key.sign(own), None)),
            Gasless::Permit => {
                let permit = self.permit().await?;
                Ok(self.authorization.call(gasless, key.sign(own), Some(permit)))
            }
            Gasless::ReceiveWithAuthorization => {
                let signature = key.sign(self.receive(own).await?);
                Ok(self.authorization.call(gasless, signature, None))
            }
            Gasless::Permit2 => {
                let signature = key.sign(self.permit2().await?);
                Ok(self.authorization.call(gasless, signature, None))
            }
        }
    }

    async fn domain(&self) -> Result<Domain, ChainError> {
        Ok(Domain::new(self.endpoint.chain_id().await?, self.contract))
    }

    async fn permit(&self) -> Result<Permit, AuthorizeError> {
        let funding = self.authorization.funding();
        let deadline = self.authorization.valid_until();
        permit(self.endpoint, self.contract, self.account, &funding, deadline).await
    }

    /// The nonce binds the token's authorization to ours: whoever takes it from the relayer can
    /// only do with it what the participant wanted.
    async fn receive(&self, own: Digest) -> Result<Digest, AuthorizeError> {
        let funding = self.authorization.funding();
        let separator = own_domain(self.endpoint, funding.token()).await?;
        let valid_until = U256::from(self.authorization.valid_until().0);
        let message = signed::ReceiveWithAuthorization {
            from: self.account.address(),
            to: self.contract,
            value: U256::from(funding.amount().0),
            validAfter: U256::ZERO,
            validBefore: valid_until.saturating_add(U256::ONE),
            nonce: own.0,
        };
        Ok(digest(separator, message.eip712_hash_struct()))
    }

    async fn permit2(&self) -> Result<Digest, AuthorizeError> {
        let chain_id = Some(U256::from(self.endpoint.chain_id().await?));
        let computed =
            Eip712Domain::new(Some("Permit2".into()), None, chain_id, Some(PERMIT2), None);
        let separator = computed.separator();
        let call = domain::Typed::DOMAIN_SEPARATORCall {};
        let said = domain::word(domain::ask(self.endpoint, PERMIT2, call).await?);
        match said {
            Some(said) if said == separator => {}
            Some(said) => return Err(AuthorizeError::Domain { contract: PERMIT2, said }),
            None => {
                let token = self.authorization.funding().token().0;
                return Err(AuthorizeError::NoMeans { token, tried: vec![Gasless::Permit2] });
            }
        }
        Ok(digest(separator, self.permit2_struct()))
    }

    fn permit2_struct(&self) -> B256 {
        let (nonce, spender) = (self.authorization.nonce(), self.contract);
        let deadline = U256::from(self.authorization.valid_until().0);
        let funding = self.authorization.funding();
        let (token, amount) = (funding.token().0, U256::from(funding.amount().0));
        match self.authorization {
            Authorization::Open(open) => signed::open::PermitWitnessTransferFrom {
                permitted: signed::open::TokenPermissions { token, amount },
                spender,
                nonce,
                deadline,
                witness: signed::open::OpenAuthorization {
                    token,
                    participant: open.participant,
                    partner: open.partner,
                    settleTimeout: open.settle_timeout.0,
                    amount: open.amount.0,
                    nonce: open.nonce,
                    validUntil: open.valid_until.0,
                },
            }
            .eip712_hash_struct(),
            Authorization::Deposit(deposit) => signed::deposit::PermitWitnessTransferFrom {
                permitted: signed::deposit::TokenPermissions { token, amount },
                spender,
                nonce,
                deadline,
                witness: signed::deposit::DepositAuthorization {
                    channelId: deposit.key.id().0,
                    epoch: deposit.epoch.0.into(),
                    participant: deposit.participant,
                    amount: deposit.amount.0,
                    nonce: deposit.nonce,
                    validUntil: deposit.valid_until.0,
                },
            }
            .eip712_hash_struct(),
        }
    }
}

/// The account's signed allowance to the contract, of what is deposited and not more.
pub(super) async fn permit(
    endpoint: &Endpoint,
    contract: Address,
    account: &Account,
    funding: &Funding,
    deadline: Timestamp,
) -> Result<Permit, AuthorizeError> {
    let (token, owner) = (funding.token(), account.address());
    let separator = own_domain(endpoint, token).await?;
    let nonce = permit_nonce(endpoint, token, owner).await?;
    let no_means = AuthorizeError::NoMeans { token: token.0, tried: vec![Gasless::Permit] };
    let nonce = nonce.ok_or(no_means)?;
    let Amount(amount) = funding.amount();
    let value = U256::from(amount);
    let message =
        signed::Permit { owner, spender: contract, value, nonce, deadline: U256::from(deadline.0) };
    let signature = account.signing_key().sign(digest(separator, message.eip712_hash_struct()));
    Ok(Permit { value, deadline, signature })
}

async fn own_domain(endpoint: &Endpoint, token: Token) -> Result<B256, AuthorizeError> {
    match domain::of(endpoint, token).await? {
        TokenDomain::Own(separator) => Ok(separator),
        TokenDomain::Foreign(said) => Err(AuthorizeError::Domain { contract: token.0, said }),
        TokenDomain::None => {
            let tried = vec![Gasless::ReceiveWithAuthorization, Gasless::Permit];
            Err(AuthorizeError::NoMeans { token: token.0, tried })
        }
    }
}

/// Source: EIP-712.
fn digest(separator: B256, struct_hash: B256) -> Digest {
    let bytes = [&[0x19, 0x01], separator.as_slice(), struct_hash.as_slice()].concat();
    Digest(alloy::primitives::keccak256(bytes))
}
