//! The node itself: status, peers, tokens, fees.

use super::extract::{Body, Named, Params};
use super::problem::{Answer, Problems, Refusal};
use super::types::{
    Decimal, ExaminationView, FeeBody, FeeView, Health, HexAddress, HexHash, NodeStatus, PeerBody,
    PeerView, TokenView,
};
use crate::handle::{NodeHandle, RequestError};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use photon_wire::{Amount, ChannelId, Token};
use serde::Deserialize;
use utoipa::IntoParams;

/// Whether the node is there. Needs no token and tells nothing else.
#[utoipa::path(
    get, path = "/health", operation_id = "getHealth", tag = "node", security(()),
    responses((status = 200, description = "The node is there.", body = Health), Problems),
)]
pub(crate) async fn health(State(node): State<NodeHandle>) -> Answer<Json<Health>> {
    let chain_reachable = node.status().await?.chain_reachable;
    let status = if chain_reachable { "ok" } else { "degraded" };
    Ok(Json(Health { status: status.to_owned(), chain_reachable }))
}

/// What this node is and how it fares.
#[utoipa::path(
    get, path = "/api/v1/node", operation_id = "getNode", tag = "node",
    responses((status = 200, description = "How it fares.", body = NodeStatus), Problems),
)]
pub(crate) async fn status(State(node): State<NodeHandle>) -> Answer<Json<NodeStatus>> {
    let (least, greatest) = node.settle_timeouts();
    Ok(Json(NodeStatus::new(&node.status().await?, (least.0, greatest.0))))
}

/// Every peer that is connected or wanted.
#[utoipa::path(
    get, path = "/api/v1/peers", operation_id = "listPeers", tag = "peers",
    responses((status = 200, description = "The peers.", body = Vec<PeerView>), Problems),
)]
pub(crate) async fn peers(State(node): State<NodeHandle>) -> Answer<Json<Vec<PeerView>>> {
    Ok(Json(node.peers().await?.iter().map(PeerView::from).collect()))
}

/// Keeps a session with this account until it is removed or the node stops.
#[utoipa::path(
    post, path = "/api/v1/peers", operation_id = "addPeer", tag = "peers", request_body = PeerBody,
    responses((status = 204, description = "Being dialled."), Problems),
)]
pub(crate) async fn add_peer(
    State(node): State<NodeHandle>,
    Body(peer): Body<PeerBody>,
) -> Answer<StatusCode> {
    node.add_peer(peer.account.0, &peer.addresses)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends the session with this account and dials it no more; a partner's is dialled again later.
#[utoipa::path(
    delete, path = "/api/v1/peers/{account}", operation_id = "removePeer", tag = "peers",
    params(("account" = HexAddress, Path, description = "Whose.")),
    responses((status = 204, description = "Gone."), Problems),
)]
pub(crate) async fn remove_peer(
    State(node): State<NodeHandle>,
    Named(account): Named<HexAddress>,
) -> Answer<StatusCode> {
    node.remove_peer(account.0);
    Ok(StatusCode::NO_CONTENT)
}

/// Every token that some channel of the network is in.
#[utoipa::path(
    get, path = "/api/v1/tokens", operation_id = "listTokens", tag = "tokens",
    responses((status = 200, description = "The tokens.", body = Vec<TokenView>), Problems),
)]
pub(crate) async fn tokens(State(node): State<NodeHandle>) -> Answer<Json<Vec<TokenView>>> {
    Ok(Json(node.tokens().await?.iter().map(TokenView::from).collect()))
}

/// What the chain says of a token, and what our account holds of it.
#[utoipa::path(
    get, path = "/api/v1/tokens/{token}", operation_id = "getToken", tag = "tokens",
    params(("token" = HexAddress, Path, description = "Its contract.")),
    responses((status = 200, description = "The token.", body = TokenView), Problems),
)]
pub(crate) async fn token(
    State(node): State<NodeHandle>,
    Named(token): Named<HexAddress>,
) -> Answer<Json<TokenView>> {
    Ok(Json(TokenView::from(&node.token(Token(token.0)).await?)))
}

/// How much of it.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExamineParams {
    /// How much would be deposited; none: 1.
    amount: Option<Decimal>,
}

/// What would come of depositing a token: what is odd about it, which ways there are, and what
/// they cost. Nothing is sent.
#[utoipa::path(
    get, path = "/api/v1/tokens/{token}/examination", operation_id = "examineToken",
    tag = "tokens",
    params(("token" = HexAddress, Path, description = "Its contract."), ExamineParams),
    responses((status = 200, description = "What was found.", body = ExaminationView), Problems),
)]
pub(crate) async fn examine(
    State(node): State<NodeHandle>,
    Named(token): Named<HexAddress>,
    Params(params): Params<ExamineParams>,
) -> Answer<Json<ExaminationView>> {
    let amount = params.amount.map_or(Amount(1), |amount| amount.0);
    let prospect = node.examine(Token(token.0), amount).await?;
    Ok(Json(ExaminationView::from(&prospect)))
}

/// Which fees.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FeeParams {
    /// Those of this channel; none: those wherever no channel has its own.
    channel: Option<HexHash>,
}

/// What this node takes for mediating.
#[utoipa::path(
    get, path = "/api/v1/fees", operation_id = "getFees", tag = "fees", params(FeeParams),
    responses((status = 200, description = "The fees that hold.", body = FeeView), Problems),
)]
pub(crate) async fn fees(
    State(node): State<NodeHandle>,
    Params(params): Params<FeeParams>,
) -> Answer<Json<FeeView>> {
    Ok(Json(FeeView::from(node.fees(known(&node, params.channel).await?).await?)))
}

/// Sets it.
#[utoipa::path(
    put, path = "/api/v1/fees", operation_id = "setFees",
    tag = "fees", params(FeeParams), request_body = FeeBody,
    responses((status = 200, description = "The fees that hold.", body = FeeView), Problems),
)]
pub(crate) async fn set_fees(
    State(node): State<NodeHandle>,
    Params(params): Params<FeeParams>,
    Body(fees): Body<FeeBody>,
) -> Answer<Json<FeeView>> {
    let channel = known(&node, params.channel).await?;
    node.set_fees(channel, (&fees).into()).await?;
    Ok(Json(FeeView::from(node.fees(channel).await?)))
}

/// A channel that is ours.
async fn known(node: &NodeHandle, channel: Option<HexHash>) -> Answer<Option<ChannelId>> {
    let Some(channel) = channel.map(|channel| ChannelId(channel.0)) else { return Ok(None) };
    match node.channel(channel).await? {
        Some(_) => Ok(Some(channel)),
        None => {
            let rejection = photon_core::Rejection::UnknownChannel { channel };
            Err(Refusal::from(RequestError::Rejected(rejection)))
        }
    }
}
