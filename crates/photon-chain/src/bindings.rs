//! The contract's interface as its artefact tells it, and the translation to and from wire's words.

use alloy::primitives::{Bytes, U256};
use alloy::rpc::types::Log;
use alloy::sol_types::{SolCall, SolEventInterface, SolValue};
use photon_wire::contract::{Event, Parameters};
use photon_wire::{
    Address, Amount, B256, ChannelId, ChannelKey, Epoch, Locksroot, Nonce, Seconds, Secret, Slot,
    Timestamp, Token,
};
use std::sync::LazyLock;

mod calls;
mod kinds;

pub use calls::input;
pub(crate) use calls::{permitted_input, pulls};
pub use kinds::TokenKind;

#[allow(missing_docs, clippy::all, clippy::too_many_lines)]
mod artefacts {
    alloy::sol!(
        #[derive(Debug, PartialEq, Eq)]
        PhotonNetwork,
        "../../contracts/artefacts/PhotonNetwork.json"
    );
    alloy::sol!(
        #[derive(Debug, PartialEq, Eq)]
        DepositReceiver,
        "../../contracts/artefacts/DepositReceiver.json"
    );
    alloy::sol!(
        #[derive(Debug, PartialEq, Eq)]
        TestToken,
        "../../contracts/artefacts/TestToken.json"
    );
    alloy::sol!(
        #[derive(Debug, PartialEq, Eq)]
        WrappedNative,
        "../../contracts/artefacts/WrappedNative.json"
    );
}

pub(crate) use artefacts::{
    DepositReceiver, IPhotonNetwork, PhotonNetwork, TestToken, WrappedNative,
};

/// The code that deploys the contract with these parameters.
pub fn network_code(parameters: &Parameters) -> Bytes {
    let arguments = (
        parameters.least_settle_timeout.0,
        parameters.greatest_settle_timeout.0,
        parameters.challenge.0,
    );
    [PhotonNetwork::BYTECODE.as_ref(), &arguments.abi_encode_params()].concat().into()
}

/// Asks what the contract holds of a channel.
pub(crate) fn deposit_call(token: Token, participant: Address, partner: Address) -> Vec<u8> {
    PhotonNetwork::channelCall { token: token.0, participant, partner }.abi_encode()
}

/// What the contract holds for `participant` in the present life of the channel, from its answer
/// to [`deposit_call`]; none where it is no such answer, zero where there is no channel.
pub(crate) fn deposit_of(answer: &[u8], participant: Address) -> Option<Amount> {
    let state = PhotonNetwork::channelCall::abi_decode_returns(answer).ok()?;
    let deposit = if participant == state.low { state.depositLow } else { state.depositHigh };
    Some(Amount(if state.phase == 0 { 0 } else { deposit }))
}

/// The code that deploys a token of which anyone can make as much as he likes.
pub fn token_code(name: &str, symbol: &str, decimals: u8) -> Bytes {
    let arguments = (name.to_owned(), symbol.to_owned(), U256::from(decimals));
    [TestToken::BYTECODE.as_ref(), &arguments.abi_encode_params()].concat().into()
}

/// Why a log of the contract could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The data are not those of the event.
    #[error("{0}")]
    Format(#[from] alloy::sol_types::Error),
    /// More lives than the contract counts.
    #[error("epoch is {0}, which does not fit")]
    Epoch(u64),
    /// The contract never opens such a channel.
    #[error("a channel of {0} with itself")]
    Participants(Address),
}

fn epoch(number: u64) -> Result<Epoch, LogError> {
    u32::try_from(number).map(Epoch).map_err(|_| LogError::Epoch(number))
}

static TOPICS: LazyLock<Vec<B256>> = LazyLock::new(|| {
    PhotonNetwork::PhotonNetworkEvents::SELECTORS.iter().map(|topic| B256::new(*topic)).collect()
});

/// What a log of the contract says; nothing where it says nothing that concerns a node.
///
/// An opening with deposits says several things: that it was opened, and each deposit.
pub fn events(log: &Log) -> Result<Vec<Event>, LogError> {
    use PhotonNetwork::PhotonNetworkEvents as Said;
    if !log.topics().first().is_some_and(|topic| TOPICS.contains(topic)) {
        return Ok(Vec::new());
    }
    let event = match Said::decode_log(&log.inner)?.data {
        Said::ChannelOpened(said) => return opened(&said),
        Said::Deposited(said) => Event::Deposited {
            channel: ChannelId(said.channelId),
            epoch: epoch(said.epoch)?,
            participant: said.participant,
            deposit: Amount(said.deposit),
        },
        Said::Withdrawn(said) => Event::Withdrawn {
            channel: ChannelId(said.channelId),
            epoch: epoch(said.epoch)?,
            participant: said.participant,
            withdrawn: Amount(said.withdrawn),
        },
        Said::ChannelClosed(said) => Event::ChannelClosed {
            channel: ChannelId(said.channelId),
            epoch: epoch(said.epoch)?,
            closer: said.closer,
            update_until: Timestamp(said.updateUntil),
        },
        Said::BalanceUpdated(said) => Event::BalanceUpdated {
            channel: ChannelId(said.channelId),
            epoch: epoch(said.epoch)?,
            payer: said.payer,
            nonce: Nonce(said.nonce),
            transferred: Amount(said.transferred),
            locksroot: Locksroot(said.locksroot),
        },
        Said::Unlocked(said) => Event::Unlocked {
            channel: ChannelId(said.channelId),
            epoch: epoch(said.epoch)?,
            payer: said.payer,
            nonce: Nonce(said.nonce),
            slots: said.slots.into_iter().map(Slot).collect(),
            amount: Amount(said.amount),
        },
        Said::Punished(said) => Event::Punished {
            channel: ChannelId(said.channelId),
            epoch: epoch(said.epoch)?,
            payer: said.payer,
            slot: Slot(said.slot),
            amount: Amount(said.amount),
        },
        Said::ChannelSettled(said) => Event::ChannelSettled {
            channel: ChannelId(said.channelId),
            epoch: epoch(said.epoch)?,
            paid_low: Amount(said.paidLow),
            paid_high: Amount(said.paidHigh),
        },
        Said::AuthorizationSpent(_) => return Ok(Vec::new()),
        Said::SecretsRegistered(said) => Event::SecretsRegistered {
            root: said.root,
            secrets: said.secrets.into_iter().map(|secret| Secret(secret.0)).collect(),
        },
        Said::Credited(said) => credited(&said),
        Said::CreditClaimed(said) => Event::CreditClaimed {
            token: Token(said.token),
            owner: said.owner,
            recipient: said.recipient,
            amount: Amount(said.amount.saturating_to()),
        },
    };
    Ok(vec![event])
}

fn credited(said: &PhotonNetwork::Credited) -> Event {
    let amount = Amount(said.amount.saturating_to());
    Event::Credited { token: Token(said.token), owner: said.owner, amount }
}

fn opened(said: &PhotonNetwork::ChannelOpened) -> Result<Vec<Event>, LogError> {
    let key = ChannelKey::new(Token(said.token), said.low, said.high)
        .ok_or(LogError::Participants(said.low))?;
    let epoch = epoch(said.epoch)?;
    let settle_timeout = Seconds(said.settleTimeout);
    let deposits = [(said.low, said.depositLow), (said.high, said.depositHigh)];
    let deposited =
        deposits.into_iter().filter(|(_, deposit)| *deposit != 0).map(|(participant, deposit)| {
            Event::Deposited { channel: key.id(), epoch, participant, deposit: Amount(deposit) }
        });
    let opened = Event::ChannelOpened { key, epoch, settle_timeout };
    Ok(std::iter::once(opened).chain(deposited).collect())
}
