//! What needs the partner's consent, and what the owner decides of held payments.

use super::channels::submission;
use super::extract::{Body, Named, OptionalBody, wait};
use super::problem::{Answer, Problems};
use super::types::{HexHash, ReleaseBody, SettleTogetherBody, Submission, WithdrawBody};
use crate::handle::NodeHandle;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use photon_wire::{ChannelId, Secret, SecretHash};

/// Takes tokens out of an open channel, with the partner's consent. Payments go on meanwhile.
#[utoipa::path(
    post, path = "/api/v1/channels/{channel}/withdraw", operation_id = "withdraw",
    tag = "channels",
    params(("channel" = HexHash, Path, description = "Its name.")),
    request_body = WithdrawBody,
    responses(
        (status = 200, description = "The tokens are paid out.", body = Submission),
        (status = 202, description = "On its way.", body = Submission),
        Problems,
    ),
)]
pub(crate) async fn withdraw(
    State(node): State<NodeHandle>,
    Named(channel): Named<HexHash>,
    Body(body): Body<WithdrawBody>,
) -> Answer<(StatusCode, Json<Submission>)> {
    let wait = wait(body.wait_seconds)?;
    Ok(submission(&node.withdraw(ChannelId(channel.0), body.amount.0, wait).await?))
}

/// Ends an open channel together with the partner: one transaction, no dispute, no waiting time.
#[utoipa::path(
    post, path = "/api/v1/channels/{channel}/settle-cooperatively",
    operation_id = "settleCooperatively", tag = "channels",
    params(("channel" = HexHash, Path, description = "Its name.")),
    request_body = Option<SettleTogetherBody>,
    responses(
        (status = 200, description = "Both are paid out.", body = Submission),
        (status = 202, description = "On its way.", body = Submission),
        Problems,
    ),
)]
pub(crate) async fn settle(
    State(node): State<NodeHandle>,
    Named(channel): Named<HexHash>,
    OptionalBody(body): OptionalBody<SettleTogetherBody>,
) -> Answer<(StatusCode, Json<Submission>)> {
    let wait = wait(body.wait_seconds)?;
    let channel = ChannelId(channel.0);
    Ok(submission(&node.settle_cooperatively(channel, body.drain, wait).await?))
}

/// Gives up ending a channel together, as long as the partner has not consented.
#[utoipa::path(
    delete, path = "/api/v1/channels/{channel}/settle-cooperatively",
    operation_id = "cancelSettle", tag = "channels",
    params(("channel" = HexHash, Path, description = "Its name.")),
    responses((status = 204, description = "The channel goes on."), Problems),
)]
pub(crate) async fn cancel(
    State(node): State<NodeHandle>,
    Named(channel): Named<HexHash>,
) -> Answer<StatusCode> {
    node.cancel_settle(ChannelId(channel.0)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes the payment that is held for an invoice, by showing its secret.
#[utoipa::path(
    post, path = "/api/v1/invoices/release", operation_id = "releaseInvoice", tag = "invoices",
    request_body = ReleaseBody,
    responses((status = 204, description = "The secret is known to the node."), Problems),
)]
pub(crate) async fn release(
    State(node): State<NodeHandle>,
    Body(body): Body<ReleaseBody>,
) -> Answer<StatusCode> {
    node.release_invoice(Secret(body.secret.0.0)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives an invoice up; what is held for it goes back to its payer.
#[utoipa::path(
    delete, path = "/api/v1/invoices/{secret_hash}", operation_id = "cancelInvoice",
    tag = "invoices",
    params(("secret_hash" = HexHash, Path, description = "The hash that names it.")),
    responses((status = 204, description = "It is not paid any more."), Problems),
)]
pub(crate) async fn cancel_invoice(
    State(node): State<NodeHandle>,
    Named(secret_hash): Named<HexHash>,
) -> Answer<StatusCode> {
    node.cancel_invoice(SecretHash(secret_hash.0)).await?;
    Ok(StatusCode::NO_CONTENT)
}
