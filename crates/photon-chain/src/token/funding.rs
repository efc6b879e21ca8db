use super::simulation::Step;
use crate::bindings::{DepositReceiver, TestToken, deposit_call, input};
use alloy::primitives::{Bytes, U256};
use alloy::sol_types::{SolCall, SolValue};
use photon_wire::contract::{Call, Way};
use photon_wire::{Address, Amount, ChannelKey, Epoch, Seconds, Token};

mod hooks {
    #![allow(missing_docs, clippy::all)]
    alloy::sol! {
        /// The ways to give a contract tokens and a word with them. ERC-677 and ERC-1363 name
        /// theirs alike.
        interface Hooks {
            function transferAndCall(address to, uint256 value, bytes data) external;
            function transfer(address to, uint256 value, bytes data) external;
            function approveAndCall(address spender, uint256 value, bytes data) external;
        }
    }
}
use hooks::Hooks;

/// Tokens that an account wants to put into a channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Funding {
    /// The first deposit of a channel that is opened with it.
    Open {
        /// The token.
        token: Token,
        /// The other side.
        partner: Address,
        /// The channel's settle timeout.
        settle_timeout: Seconds,
        /// The deposit; may be zero.
        amount: Amount,
    },
    /// More for a channel that is open.
    Deposit {
        /// The channel.
        key: ChannelKey,
        /// Its life.
        epoch: Epoch,
        /// Whose deposit grows.
        participant: Address,
        /// By how much.
        amount: Amount,
    },
}

impl Funding {
    /// What a call puts into a channel from its sender's own tokens, if it does.
    pub const fn of(call: &Call) -> Option<Self> {
        match *call {
            Call::Open { token, partner, settle_timeout, amount, way: _ } => {
                Some(Self::Open { token, partner, settle_timeout, amount })
            }
            Call::Deposit { key, epoch, participant, amount, way: _ } => {
                Some(Self::Deposit { key, epoch, participant, amount })
            }
            Call::Close { .. }
            | Call::Update { .. }
            | Call::Unlock { .. }
            | Call::RegisterSecrets(_)
            | Call::Settle { .. }
            | Call::Withdraw { .. }
            | Call::CooperativeSettle { .. }
            | Call::Punish { .. }
            | Call::SettleMany { .. }
            | Call::OpenAuthorized { .. }
            | Call::DepositAuthorized { .. }
            | Call::CancelAuthorization { .. }
            | Call::ClaimCredit { .. } => None,
        }
    }

    /// The token.
    pub const fn token(&self) -> Token {
        match self {
            Self::Open { token, .. } => *token,
            Self::Deposit { key, .. } => key.token(),
        }
    }

    /// How much.
    pub const fn amount(&self) -> Amount {
        match self {
            Self::Open { amount, .. } | Self::Deposit { amount, .. } => *amount,
        }
    }

    /// As the contract is told.
    pub const fn call(&self, way: Option<Way>) -> Call {
        match *self {
            Self::Open { token, partner, settle_timeout, amount } => {
                Call::Open { token, partner, settle_timeout, amount, way }
            }
            Self::Deposit { key, epoch, participant, amount } => {
                Call::Deposit { key, epoch, participant, amount, way }
            }
        }
    }

    /// Whose deposit it becomes, and the other side.
    pub(crate) fn participants(&self, account: Address) -> (Address, Address) {
        match self {
            Self::Open { partner, .. } => (account, *partner),
            Self::Deposit { key, participant, .. } => {
                let partner = if *participant == key.low() { key.high() } else { key.low() };
                (*participant, partner)
            }
        }
    }

    /// What the deposit receiver is to do with tokens that a hook tells it of.
    fn instruction(&self, account: Address) -> Bytes {
        let (participant, partner) = self.participants(account);
        match self {
            Self::Open { settle_timeout, .. } => (partner, settle_timeout.0).abi_encode(),
            Self::Deposit { epoch, .. } => (participant, partner, u64::from(epoch.0)).abi_encode(),
        }
        .into()
    }

    /// The call that does it, where no signature is needed; the contract may have to be allowed
    /// to pull before. None for the ways that need a signature.
    pub(crate) fn step(&self, way: Way, places: &Places) -> Option<Step> {
        let (token, value) = (self.token().0, U256::from(self.amount().0));
        let to = places.receiver;
        let data = self.instruction(places.account);
        match way {
            Way::Allowance => {
                let input = input(&self.call(None), places.account);
                Some(Step { to: places.contract, value: 0, input })
            }
            Way::Erc1363 | Way::Erc677 => {
                Some(Step::new(token, Hooks::transferAndCallCall { to, value, data }.abi_encode()))
            }
            Way::Erc223 => {
                Some(Step::new(token, Hooks::transferCall { to, value, data }.abi_encode()))
            }
            Way::ApproveAndCall => {
                let call = Hooks::approveAndCallCall { spender: to, value, data };
                Some(Step::new(token, call.abi_encode()))
            }
            Way::Native => {
                Some(Step { to, value: self.amount().0, input: self.with_native(places.account) })
            }
            Way::Permit | Way::ReceiveWithAuthorization | Way::Permit2 => None,
        }
    }

    fn with_native(&self, account: Address) -> Bytes {
        let (participant, partner) = self.participants(account);
        let wrapped = self.token().0;
        match self {
            Self::Open { settle_timeout, .. } => {
                let settle_timeout = settle_timeout.0;
                DepositReceiver::openWithNativeCall {
                    wrapped,
                    partner,
                    settleTimeout: settle_timeout,
                }
                .abi_encode()
            }
            Self::Deposit { epoch, .. } => DepositReceiver::depositWithNativeCall {
                wrapped,
                participant,
                partner,
                epoch: epoch.0.into(),
            }
            .abi_encode(),
        }
        .into()
    }

    /// Asks the contract what it holds of the channel.
    pub(crate) fn question(&self, places: &Places) -> Step {
        let (participant, partner) = self.participants(places.account);
        Step::new(places.contract, deposit_call(self.token(), participant, partner))
    }
}

/// Who plays a part in a deposit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Places {
    /// Whose tokens.
    pub(crate) account: Address,
    /// Photon's.
    pub(crate) contract: Address,
    /// To which tokens with a word go.
    pub(crate) receiver: Address,
}

/// The call that lets `spender` take `amount`.
pub(crate) fn approval(token: Token, spender: Address, amount: Amount) -> Step {
    let amount = U256::from(amount.0);
    Step::new(token.0, TestToken::approveCall { spender, amount }.abi_encode())
}
