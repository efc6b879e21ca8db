//! The relay over HTTP.

use super::Relay;
use crate::api::extract::{Body, Named};
use crate::api::types::{AuthorizationBody, HexHash, RelayView, RelayedView};
use crate::api::{Answer, Problems, Refusal};
use axum::extract::{ConnectInfo, DefaultBodyLimit, State};
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use std::net::SocketAddr;
use std::sync::Arc;

/// The most bytes of a body; an authorization has less than two thousand.
const BODY_BYTES: usize = 8 * 1024;

/// All paths.
pub(super) fn router(relay: Arc<Relay>) -> Router {
    Router::new()
        .route("/relay/v1", get(about))
        .route("/relay/v1/authorizations", post(submit))
        .route("/relay/v1/authorizations/{id}", get(one))
        .with_state(relay)
        .fallback(nothing_here)
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(middleware::map_response(plain))
}

/// Nothing for browsers to guess at or keep.
async fn plain<B: Send>(mut response: axum::http::Response<B>) -> axum::http::Response<B> {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn nothing_here(uri: Uri) -> Refusal {
    let shown: String = uri.path().chars().take(200).collect();
    Refusal::new("not_found", format!("there is nothing at {shown}"))
}

/// What this relay is, on its own port (`relay.listen`); no token is needed.
#[utoipa::path(
    get, path = "/relay/v1", operation_id = "getRelay", tag = "relay", security(()),
    responses((status = 200, description = "The relay.", body = RelayView), Problems),
)]
pub(crate) async fn about(State(relay): State<Arc<Relay>>) -> Json<RelayView> {
    Json(relay.view())
}

/// Hands an authorization to the relay, on its own port (`relay.listen`); no token is needed.
///
/// The relay simulates it, and sends it where its limits allow: a greatest gas price, so much gas
/// a day, so many a minute from one address and an hour of one account. The same authorization
/// again is answered with how far it is; nothing is sent twice.
#[utoipa::path(
    post, path = "/relay/v1/authorizations", operation_id = "relayAuthorization", tag = "relay",
    security(()), request_body = AuthorizationBody,
    responses(
        (status = 200, description = "In the chain.", body = RelayedView),
        (status = 202, description = "On its way.", body = RelayedView),
        Problems,
    ),
)]
pub(crate) async fn submit(
    State(relay): State<Arc<Relay>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    Body(body): Body<AuthorizationBody>,
) -> Answer<(StatusCode, Json<RelayedView>)> {
    let view = relay.submit(&body, from.ip()).await?;
    Ok((status(&view), Json(view)))
}

/// How far an authorization is.
#[utoipa::path(
    get, path = "/relay/v1/authorizations/{id}", operation_id = "getAuthorization", tag = "relay",
    security(()), params(("id" = HexHash, Path, description = "Its name.")),
    responses((status = 200, description = "How far it is.", body = RelayedView), Problems),
)]
pub(crate) async fn one(
    State(relay): State<Arc<Relay>>,
    Named(id): Named<HexHash>,
) -> Answer<Json<RelayedView>> {
    relay.of(id.0).map(Json).ok_or_else(|| {
        Refusal::new("unknown_authorization", format!("there is no authorization {id}"))
    })
}

fn status(view: &RelayedView) -> StatusCode {
    use crate::api::types::TransactionState;
    match view.state {
        TransactionState::Done => StatusCode::OK,
        TransactionState::Sending | TransactionState::Failed => StatusCode::ACCEPTED,
    }
}
