//! Opening, topping up, closing and settling channels.

use super::fund::{self, How};
use super::{NodeHandle, RequestError, Transaction, TransactionState, gasless};
use crate::gasless::Relayed;
use photon_chain::token::{Funding, Offer};
use photon_core::view::{ChannelState, ChannelView, NoticeKind};
use photon_core::{Answer, Command, IntentId, Rejection};
use photon_wire::{Address, Amount, B256, ChannelId, ChannelKey, Seconds, Token};
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::time::timeout;

/// A channel to open.
#[derive(Clone, Debug)]
pub struct OpenRequest {
    /// The token.
    pub token: Token,
    /// The other side.
    pub partner: Address,
    /// How long a dispute takes updates; none takes the shortest that is safe.
    pub settle_timeout: Option<Seconds>,
    /// Our first deposit; may be zero.
    pub deposit: Amount,
    /// How it goes into the channel.
    pub how: How,
    /// How long to wait for the channel; none does not wait.
    pub wait: Option<Duration>,
}

/// A deposit to make.
#[derive(Clone, Debug)]
pub struct DepositRequest {
    /// The channel.
    pub channel: ChannelId,
    /// Whose deposit grows; none: ours.
    pub participant: Option<Address>,
    /// By how much.
    pub amount: Amount,
    /// How it goes into the channel.
    pub how: How,
    /// How long to wait for it; none does not wait.
    pub wait: Option<Duration>,
}

/// A transaction that was asked for.
#[derive(Clone, Debug)]
pub struct Submitted {
    /// Its name, for [`NodeHandle::transaction`]; none where somebody's relay sends it.
    pub transaction: Option<IntentId>,
    /// The channel that it is about.
    pub channel: ChannelId,
    /// Whether it is done at the depth we demand; always false where nobody waited.
    pub done: bool,
    /// Of a deposit of ours: by which way it goes, and for how much gas, approvals included.
    pub offer: Option<Offer>,
    /// The name of what a relay carries, and how far it is.
    pub relayed: Option<(B256, Relayed)>,
    /// The channel as it is now; none where it is not open yet or gone.
    pub view: Option<ChannelView>,
}

pub(super) async fn open(
    handle: &NodeHandle,
    request: OpenRequest,
) -> Result<Submitted, RequestError> {
    let OpenRequest { token, partner, settle_timeout, deposit, how, wait } = request;
    check_open(handle, &request).await?;
    check_amount(deposit)?;
    let settle_timeout = settle_timeout.unwrap_or_else(|| handle.shared.settle_timeouts().0);
    check_settle_timeout(handle, settle_timeout)?;
    let funding = Funding::Open { token, partner, settle_timeout, amount: deposit };
    let offer = if deposit.is_zero() {
        fund::check_empty(handle, &funding, &how).await?;
        None
    } else {
        fund::check(handle, &funding, &how).await?
    };
    if how.gasless {
        let channel = channel_of(handle, token, partner)?;
        return gasless::submit(handle, &funding, wait, |kind| opened(channel, kind)).await;
    }
    let way = offer.map(|offer| offer.way);
    let command = Command::OpenChannel { token, partner, settle_timeout, deposit, way };
    match submit(handle, command, None, wait, opened).await {
        Ok(submitted) => Ok(Submitted { offer, ..submitted }),
        Err(error @ RequestError::TransactionFailed { .. }) => {
            Err(opened_meanwhile(handle, channel_of(handle, token, partner)?)
                .await
                .unwrap_or(error))
        }
        Err(error) => Err(error),
    }
}

/// Where an opening failed because the channel is there by now (the partner was quicker, or an
/// earlier life of this node sent one as well), that is what is told.
async fn opened_meanwhile(handle: &NodeHandle, channel: ChannelId) -> Option<RequestError> {
    for _ in 0..LOOKS {
        match handle.channel(channel).await {
            Ok(Some(_)) => return Some(Rejection::ChannelExists { channel }.into()),
            Ok(None) => tokio::time::sleep(LOOK_AGAIN).await,
            Err(error) => return Some(error),
        }
    }
    None
}

/// The chain's event may come some blocks after the refusal.
const LOOKS: usize = 30;
const LOOK_AGAIN: Duration = Duration::from_millis(100);

fn channel_of(
    handle: &NodeHandle,
    token: Token,
    partner: Address,
) -> Result<ChannelId, RequestError> {
    let key = ChannelKey::new(token, handle.shared.keys.account(), partner);
    Ok(key.ok_or(Rejection::PartnerIsSelf)?.id())
}

fn check_settle_timeout(handle: &NodeHandle, got: Seconds) -> Result<(), Rejection> {
    let bounds = &handle.shared.network.parameters;
    let (least, most) = (bounds.least_settle_timeout, bounds.greatest_settle_timeout);
    if (least..=most).contains(&got) {
        return Ok(());
    }
    Err(Rejection::SettleTimeoutOutOfBounds { least, most, got })
}

/// What would be refused anyway, before the chain is asked about the token.
async fn check_open(handle: &NodeHandle, request: &OpenRequest) -> Result<(), RequestError> {
    if request.partner == Address::ZERO || request.token.0 == Address::ZERO {
        return Err(Rejection::ZeroAddress.into());
    }
    let channel = channel_of(handle, request.token, request.partner)?;
    if handle.channel(channel).await?.is_some() {
        return Err(Rejection::ChannelExists { channel }.into());
    }
    Ok(())
}

/// What no account can hold is a mistake, whatever ours holds.
fn check_amount(amount: Amount) -> Result<(), Rejection> {
    if amount > Amount::MAX_DEPOSIT { Err(Rejection::BadAmount { amount }) } else { Ok(()) }
}

pub(super) async fn deposit(
    handle: &NodeHandle,
    request: DepositRequest,
) -> Result<Submitted, RequestError> {
    let DepositRequest { channel, amount, how, wait, .. } = request;
    let account = handle.shared.keys.account();
    let participant = request.participant.unwrap_or(account);
    let view = handle.channel(channel).await?.ok_or(Rejection::UnknownChannel { channel })?;
    check_amount(amount)?;
    if amount.is_zero() {
        return Err(Rejection::BadAmount { amount }.into());
    }
    if participant != account && participant != view.partner {
        return Err(Rejection::NotPartner { account: participant }.into());
    }
    if !matches!(view.state, ChannelState::Open) {
        return Err(Rejection::ChannelNotOpen { channel }.into());
    }
    let key = ChannelKey::new(view.token, account, view.partner).ok_or(Rejection::PartnerIsSelf)?;
    let funding = Funding::Deposit { key, epoch: view.epoch, participant, amount };
    let offer = fund::check(handle, &funding, &how).await?;
    let is_end = move |channel, kind: &NoticeKind| {
        matches!(kind, NoticeKind::Deposited { channel: credited, participant: whose, .. }
            if *credited == channel && *whose == participant)
    };
    if how.gasless {
        return gasless::submit(handle, &funding, wait, |kind| is_end(channel, kind)).await;
    }
    let way = offer.map(|offer| offer.way);
    let command = Command::Deposit { channel, participant, amount, way };
    let submitted = submit(handle, command, Some(channel), wait, is_end).await?;
    Ok(Submitted { offer, ..submitted })
}

pub(super) async fn close(
    handle: &NodeHandle,
    channel: ChannelId,
    wait: Option<Duration>,
) -> Result<Submitted, RequestError> {
    submit(handle, Command::CloseChannel(channel), Some(channel), wait, closed).await
}

pub(super) async fn settle(
    handle: &NodeHandle,
    channel: ChannelId,
    wait: Option<Duration>,
) -> Result<Submitted, RequestError> {
    submit(handle, Command::SettleChannel(channel), Some(channel), wait, settled).await
}

fn opened(id: ChannelId, kind: &NoticeKind) -> bool {
    matches!(kind, NoticeKind::ChannelOpened { channel, .. } if *channel == id)
}

fn closed(id: ChannelId, kind: &NoticeKind) -> bool {
    matches!(kind, NoticeKind::ChannelClosed { channel, .. } if *channel == id)
}

fn settled(id: ChannelId, kind: &NoticeKind) -> bool {
    matches!(kind, NoticeKind::ChannelSettled { channel, .. } if *channel == id)
}

/// Has a command done whose answer is a transaction, and waits for its notice where asked to.
async fn submit(
    handle: &NodeHandle,
    command: Command,
    channel: Option<ChannelId>,
    wait: Option<Duration>,
    is_end: impl Fn(ChannelId, &NoticeKind) -> bool,
) -> Result<Submitted, RequestError> {
    let mut live = handle.shared.events.live();
    let (channel, transaction) = match handle.pump.command(command).await? {
        Answer::Channel(channel, transaction) => (channel, transaction),
        Answer::Intent(transaction) => (channel.unwrap_or_default(), transaction),
        Answer::Done | Answer::Payment(_) => {
            return Err(RequestError::Chain("the node wants no transaction for this".to_owned()));
        }
    };
    if let Some(wait) = wait {
        let ends = |kind: &NoticeKind| is_end(channel, kind);
        timeout(wait, end(handle, transaction, &mut live, ends))
            .await
            .map_err(|_| RequestError::StillPending(wait))??;
    }
    let view = handle.channel(channel).await?;
    let transaction = Some(transaction);
    let done = wait.is_some();
    Ok(Submitted { transaction, channel, done, offer: None, relayed: None, view })
}

/// Waits for the notice that ends a transaction, or for its failure.
async fn end(
    handle: &NodeHandle,
    id: IntentId,
    live: &mut Receiver<super::Numbered>,
    is_end: impl Fn(&NoticeKind) -> bool,
) -> Result<(), RequestError> {
    use tokio::sync::broadcast::error::RecvError;
    let failure = failure(handle, id);
    tokio::pin!(failure);
    loop {
        let received = tokio::select! {
            received = live.recv() => received,
            error = &mut failure => return Err(error),
            () = handle.shared.stop.cancelled() => return Err(RequestError::Stopped),
        };
        match received {
            Ok((_, notice)) if is_end(&notice.kind) => return Ok(()),
            // Lagging: the notice may be among the lost ones; the caller's time bounds the wait.
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return Err(RequestError::Stopped),
        }
    }
}

/// Completes when the transaction has failed, and never where it is done.
async fn failure(handle: &NodeHandle, id: IntentId) -> RequestError {
    let ended = handle.shared.transactions.end_of(id).await;
    if let Some(Transaction { kind, state: TransactionState::Failed { reason }, .. }) = ended {
        return RequestError::TransactionFailed { kind, reason };
    }
    std::future::pending().await
}
