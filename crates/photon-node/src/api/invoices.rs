//! Invoices.

use super::extract::{Body, Named};
use super::problem::{Answer, Problems};
use super::types::{DecodeBody, HexHash, InvoiceBody, InvoiceContents, InvoiceView};
use crate::handle::{InvoiceRequest, NodeHandle};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use photon_wire::{Seconds, SecretHash, Token};

/// Makes an invoice. Paying it gives the payer a proof.
#[utoipa::path(
    post, path = "/api/v1/invoices", operation_id = "createInvoice",
    tag = "invoices", request_body = InvoiceBody,
    responses((status = 201, description = "Made.", body = InvoiceContents), Problems),
)]
pub(crate) async fn create(
    State(node): State<NodeHandle>,
    Body(body): Body<InvoiceBody>,
) -> Answer<(StatusCode, Json<InvoiceContents>)> {
    let request = InvoiceRequest {
        token: Token(body.token.0),
        amount: body.amount.map(|amount| amount.0),
        description: body.description,
        valid_for: body.valid_for.map(Seconds),
        secret_hash: body.secret_hash.map(|hash| SecretHash(hash.0)),
    };
    let invoice = node.create_invoice(request).await?;
    Ok((StatusCode::CREATED, Json(InvoiceContents::from(&invoice))))
}

/// An invoice of ours and what came of it.
#[utoipa::path(
    get, path = "/api/v1/invoices/{secret_hash}", operation_id = "getInvoice", tag = "invoices",
    params(("secret_hash" = HexHash, Path, description = "The hash that names it.")),
    responses((status = 200, description = "The invoice.", body = InvoiceView), Problems),
)]
pub(crate) async fn one(
    State(node): State<NodeHandle>,
    Named(secret_hash): Named<HexHash>,
) -> Answer<Json<InvoiceView>> {
    let record = node.invoice(SecretHash(secret_hash.0)).await?;
    let now = node.status().await?.now;
    Ok(Json(InvoiceView::new(&record, now)))
}

/// Reads an invoice of anybody and checks its signature; nothing happens.
#[utoipa::path(
    post, path = "/api/v1/invoices/decode", operation_id = "decodeInvoice",
    tag = "invoices", request_body = DecodeBody,
    responses((status = 200, description = "What it says.", body = InvoiceContents), Problems),
)]
pub(crate) async fn decode(
    State(node): State<NodeHandle>,
    Body(body): Body<DecodeBody>,
) -> Answer<Json<InvoiceContents>> {
    Ok(Json(InvoiceContents::from(&node.decode_invoice(&body.invoice)?)))
}
