//! Opening and depositing by a signature that somebody's relay carries to the chain.

use super::channels::Submitted;
use super::{NodeHandle, RequestError};
use crate::clock;
use crate::gasless::{self, Relayed};
use photon_chain::token::{self, Authorization, AuthorizeError, Funding, Oddity};
use photon_core::Rejection;
use photon_core::view::NoticeKind;
use photon_wire::claim::{DepositAuthorization, OpenAuthorization};
use photon_wire::{Address, ChannelId, ChannelKey, Seconds, Timestamp};
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::time::timeout;

/// Signs, writes it down, has it carried, and waits where asked to.
pub(super) async fn submit(
    handle: &NodeHandle,
    funding: &Funding,
    wait: Option<Duration>,
    is_end: impl Fn(&NoticeKind) -> bool,
) -> Result<Submitted, RequestError> {
    let shared = &handle.shared;
    if !shared.gasless.has_relayer() {
        return Err(RequestError::NoRelayer);
    }
    let (authorization, channel, valid_until) = authorization(handle, funding).await?;
    if matches!(funding, Funding::Open { .. }) && shared.gasless.is_opening(channel) {
        return Err(Rejection::AlreadyPending.into());
    }
    let (endpoint, contract) = (&shared.endpoint, shared.network.contract);
    let account = shared.keys.chain_account();
    let signed = token::authorize(endpoint, contract, account, &authorization, None).await;
    let call = signed.map_err(|error| refused(funding, error))?;
    let id = authorization.digest(&shared.domain).0;
    let mut live = shared.events.live();
    let mut far = gasless::begin(handle, id, call).map_err(|error| unwritten(&error))?;
    // The first word is waited for whatever the caller says: a refusal is known at once.
    if let Some(far) = first_word(&mut far).await {
        check_first(handle, &far)?;
    }
    if let Some(wait) = wait {
        timeout(wait, end(handle, &mut live, &mut far, valid_until, is_end))
            .await
            .map_err(|_| RequestError::StillPending(wait))??;
    }
    let view = handle.channel(channel).await?;
    let relayed = Some((id, far.borrow().clone()));
    Ok(Submitted { transaction: None, channel, done: wait.is_some(), offer: None, relayed, view })
}

/// How long the relay's first word is waited for.
const FIRST_WORD: Duration = Duration::from_secs(40);

async fn first_word(far: &mut watch::Receiver<Relayed>) -> Option<Relayed> {
    let said = timeout(FIRST_WORD, far.wait_for(|far| *far != Relayed::Asking)).await;
    said.ok()?.ok().map(|far| far.clone())
}

async fn authorization(
    handle: &NodeHandle,
    funding: &Funding,
) -> Result<(Authorization, ChannelId, Timestamp), RequestError> {
    let shared = &handle.shared;
    let participant = shared.keys.account();
    let nonce = shared.gasless.next_nonce().map_err(|error| unwritten(&error))?.into();
    let good = Seconds(shared.config.relayer.valid_seconds);
    let now = handle.look(|machine| machine.block()).await?.map_or(Timestamp(0), |it| it.time);
    let valid_until = now.max(clock::now()).after(good);
    let (authorization, channel) = match *funding {
        Funding::Open { token, partner, settle_timeout, amount } => {
            let open = OpenAuthorization {
                token,
                participant,
                partner,
                settle_timeout,
                amount,
                nonce,
                valid_until,
            };
            let key = ChannelKey::new(token, participant, partner);
            (Authorization::Open(open), key.ok_or(Rejection::PartnerIsSelf)?.id())
        }
        Funding::Deposit { key, epoch, participant: whose, amount } => {
            check_own(whose, participant)?;
            let deposit =
                DepositAuthorization { key, epoch, participant, amount, nonce, valid_until };
            (Authorization::Deposit(deposit), key.id())
        }
    };
    Ok((authorization, channel, valid_until))
}

/// What one signs is one's own deposit.
fn check_own(whose: Address, ours: Address) -> Result<(), RequestError> {
    if whose == ours { Ok(()) } else { Err(Rejection::NotPartner { account: whose }.into()) }
}

/// A relay that refuses, or is not there at all, is told at once.
fn check_first(handle: &NodeHandle, far: &Relayed) -> Result<(), RequestError> {
    if let Relayed::Silent(reason) = far {
        let url = handle.config().relayer.url.clone().unwrap_or_default();
        return Err(RequestError::RelaySilent { url, reason: reason.clone() });
    }
    ended(far)
}

/// The error that it came to, where it did.
fn ended(far: &Relayed) -> Result<(), RequestError> {
    match far {
        Relayed::Asking | Relayed::Silent(_) | Relayed::Taken(_) | Relayed::Done(_) => Ok(()),
        Relayed::Refused { code, detail } => {
            Err(RequestError::RelayRefused { code: code.clone(), detail: detail.clone() })
        }
        Relayed::Failed(reason) => Err(RequestError::RelayRefused {
            code: "transaction_failed".to_owned(),
            detail: reason.clone(),
        }),
        Relayed::Expired(valid_until) => {
            Err(RequestError::AuthorizationExpired { valid_until: *valid_until })
        }
    }
}

/// Waits for the notice of what was signed, or until nothing comes of it any more.
async fn end(
    handle: &NodeHandle,
    live: &mut Receiver<super::Numbered>,
    far: &mut watch::Receiver<Relayed>,
    valid_until: Timestamp,
    is_end: impl Fn(&NoticeKind) -> bool,
) -> Result<(), RequestError> {
    loop {
        ended(&far.borrow())?;
        tokio::select! {
            received = live.recv() => match received {
                Ok((_, notice)) if is_end(&notice.kind) => return Ok(()),
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return Err(RequestError::Stopped),
            },
            changed = far.changed() => if changed.is_err() {
                // Nobody carries it any more: what it came to was told before.
                ended(&far.borrow())?;
                return wait_for_notice(handle, live, valid_until, is_end).await;
            },
            () = handle.shared.stop.cancelled() => return Err(RequestError::Stopped),
        }
    }
}

/// The relay says done; our own view of the chain may be some blocks behind.
async fn wait_for_notice(
    handle: &NodeHandle,
    live: &mut Receiver<super::Numbered>,
    valid_until: Timestamp,
    is_end: impl Fn(&NoticeKind) -> bool,
) -> Result<(), RequestError> {
    loop {
        let past = handle.look(|machine| machine.block()).await?;
        if past.is_some_and(|block| block.time > valid_until) {
            return Err(RequestError::AuthorizationExpired { valid_until });
        }
        let received = tokio::select! {
            received = timeout(Duration::from_secs(1), live.recv()) => received,
            () = handle.shared.stop.cancelled() => return Err(RequestError::Stopped),
        };
        match received {
            Ok(Ok((_, notice))) if is_end(&notice.kind) => return Ok(()),
            Ok(Err(RecvError::Closed)) => return Err(RequestError::Stopped),
            Ok(Ok(_) | Err(RecvError::Lagged(_))) | Err(_) => {}
        }
    }
}

fn refused(funding: &Funding, error: AuthorizeError) -> RequestError {
    let token = funding.token();
    match error {
        AuthorizeError::Chain(error) => super::fund::chain(error),
        AuthorizeError::Oddity(Oddity::NoCode(_) | Oddity::NotAToken(_)) => {
            RequestError::NotAToken { token }
        }
        AuthorizeError::Oddity(Oddity::BalanceTooSmall { balance, needed }) => {
            RequestError::InsufficientTokens { token, held: balance, needed }
        }
        AuthorizeError::Oddity(oddity) => {
            RequestError::OddToken { token, oddity: oddity.as_str(), reason: oddity.to_string() }
        }
        other @ (AuthorizeError::NoMeans { .. }
        | AuthorizeError::Domain { .. }
        | AuthorizeError::OtherAccount { .. }) => {
            RequestError::NoGaslessWay { reason: other.to_string() }
        }
    }
}

fn unwritten(error: &std::io::Error) -> RequestError {
    RequestError::Store(format!("nothing was signed: {error}"))
}
