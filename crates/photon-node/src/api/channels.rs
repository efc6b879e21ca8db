//! Channels: open, deposit, close, settle, and the transactions of that.

use super::extract::{Body, Named, OptionalBody, wait};
use super::problem::{Answer, Problems, Refusal};
use super::types::{
    Channel, DepositBody, HexHash, OpenBody, Submission, TransactionView, WaitBody,
};
use crate::handle::{DepositRequest, How, NodeHandle, OpenRequest, RequestError, Submitted};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use photon_core::{IntentId, Rejection};
use photon_wire::{Amount, ChannelId, Seconds, Token};

/// All channels of ours, open or in a dispute.
#[utoipa::path(
    get, path = "/api/v1/channels", operation_id = "listChannels", tag = "channels",
    responses((status = 200, description = "The channels.", body = Vec<Channel>), Problems),
)]
pub(crate) async fn list(State(node): State<NodeHandle>) -> Answer<Json<Vec<Channel>>> {
    Ok(Json(node.channels().await?.iter().map(Channel::from).collect()))
}

/// One channel of ours.
#[utoipa::path(
    get, path = "/api/v1/channels/{channel}", operation_id = "getChannel", tag = "channels",
    params(("channel" = HexHash, Path, description = "Its name.")),
    responses((status = 200, description = "The channel.", body = Channel), Problems),
)]
pub(crate) async fn one(
    State(node): State<NodeHandle>,
    Named(channel): Named<HexHash>,
) -> Answer<Json<Channel>> {
    let channel = ChannelId(channel.0);
    match node.channel(channel).await? {
        Some(view) => Ok(Json(Channel::from(&view))),
        None => Err(RequestError::Rejected(Rejection::UnknownChannel { channel }).into()),
    }
}

/// Opens a channel, with the first deposit in the same transaction.
#[utoipa::path(
    post, path = "/api/v1/channels", operation_id = "openChannel",
    tag = "channels", request_body = OpenBody,
    responses(
        (status = 200, description = "Open.", body = Submission),
        (status = 202, description = "On its way.", body = Submission),
        Problems,
    ),
)]
pub(crate) async fn open(
    State(node): State<NodeHandle>,
    Body(body): Body<OpenBody>,
) -> Answer<(StatusCode, Json<Submission>)> {
    let request = OpenRequest {
        token: Token(body.token.0),
        partner: body.partner.0,
        settle_timeout: body.settle_timeout.map(Seconds),
        deposit: match body.deposit {
            Some(deposit) => deposit.0,
            None => Amount::ZERO,
        },
        how: How {
            way: body.way.map(|way| way.0),
            accept_token_fee: body.accept_token_fee,
            gasless: body.gasless,
        },
        wait: wait(body.wait_seconds)?,
    };
    Ok(submission(&node.open_channel(request).await?))
}

/// Adds to a deposit, ours or, as a gift, the partner's.
#[utoipa::path(
    post, path = "/api/v1/channels/{channel}/deposits", operation_id = "deposit", tag = "channels",
    params(("channel" = HexHash, Path, description = "Its name.")),
    request_body = DepositBody,
    responses(
        (status = 200, description = "Deposited.", body = Submission),
        (status = 202, description = "On its way.", body = Submission),
        Problems,
    ),
)]
pub(crate) async fn deposit(
    State(node): State<NodeHandle>,
    Named(channel): Named<HexHash>,
    Body(body): Body<DepositBody>,
) -> Answer<(StatusCode, Json<Submission>)> {
    let request = DepositRequest {
        channel: ChannelId(channel.0),
        participant: body.participant.map(|participant| participant.0),
        amount: body.amount.0,
        how: How {
            way: body.way.map(|way| way.0),
            accept_token_fee: body.accept_token_fee,
            gasless: body.gasless,
        },
        wait: wait(body.wait_seconds)?,
    };
    Ok(submission(&node.deposit(request).await?))
}

/// Ends a channel one-sidedly. Updates, unlocks and the settle happen by themselves.
#[utoipa::path(
    post, path = "/api/v1/channels/{channel}/close", operation_id = "closeChannel",
    tag = "channels",
    params(("channel" = HexHash, Path, description = "Its name.")),
    request_body = Option<WaitBody>,
    responses(
        (status = 200, description = "The dispute has begun.", body = Submission),
        (status = 202, description = "On its way.", body = Submission),
        Problems,
    ),
)]
pub(crate) async fn close(
    State(node): State<NodeHandle>,
    Named(channel): Named<HexHash>,
    OptionalBody(body): OptionalBody<WaitBody>,
) -> Answer<(StatusCode, Json<Submission>)> {
    let wait = wait(body.wait_seconds)?;
    Ok(submission(&node.close_channel(ChannelId(channel.0), wait).await?))
}

/// Settles a closed channel whose time has come; the node does so by itself as well.
#[utoipa::path(
    post, path = "/api/v1/channels/{channel}/settle", operation_id = "settleChannel",
    tag = "channels",
    params(("channel" = HexHash, Path, description = "Its name.")),
    request_body = Option<WaitBody>,
    responses(
        (status = 200, description = "Both are paid out.", body = Submission),
        (status = 202, description = "On its way.", body = Submission),
        Problems,
    ),
)]
pub(crate) async fn settle(
    State(node): State<NodeHandle>,
    Named(channel): Named<HexHash>,
    OptionalBody(body): OptionalBody<WaitBody>,
) -> Answer<(StatusCode, Json<Submission>)> {
    let wait = wait(body.wait_seconds)?;
    Ok(submission(&node.settle_channel(ChannelId(channel.0), wait).await?))
}

pub(super) fn submission(submitted: &Submitted) -> (StatusCode, Json<Submission>) {
    let status = if submitted.done { StatusCode::OK } else { StatusCode::ACCEPTED };
    (status, Json(Submission::from(submitted)))
}

/// How far the latest transactions of this node are, newest first.
#[utoipa::path(
    get, path = "/api/v1/transactions", operation_id = "listTransactions", tag = "transactions",
    responses(
        (status = 200, description = "The transactions.", body = Vec<TransactionView>),
        Problems,
    ),
)]
pub(crate) async fn transactions(
    State(node): State<NodeHandle>,
) -> Answer<Json<Vec<TransactionView>>> {
    Ok(Json(node.transactions().iter().map(TransactionView::from).collect()))
}

/// How far one is.
#[utoipa::path(
    get, path = "/api/v1/transactions/{number}", operation_id = "getTransaction",
    tag = "transactions",
    params(("number" = u64, Path, description = "Its number.")),
    responses((status = 200, description = "The transaction.", body = TransactionView), Problems),
)]
pub(crate) async fn transaction(
    State(node): State<NodeHandle>,
    Path(number): Path<String>,
) -> Answer<Json<TransactionView>> {
    let read: Result<u64, _> = number.parse();
    let number =
        read.map_err(|_| Refusal::malformed(format!("`{number}` is no transaction's number")))?;
    match node.transaction(IntentId(number)) {
        Some(transaction) => Ok(Json(TransactionView::from(&transaction))),
        None => {
            let detail = format!("there is no transaction {number} since the start of the node");
            Err(Refusal::new("unknown_transaction", detail))
        }
    }
}
