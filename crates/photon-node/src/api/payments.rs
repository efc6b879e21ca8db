//! Payments and quotes.

use super::extract::{Body, Named, wait};
use super::problem::{Answer, Problems, Refusal};
use super::types::{
    Decimal, HexAddress, HexId, PaymentBody, PaymentState, PaymentView, QuoteBody, QuoteView,
};
use crate::handle::{NodeHandle, PayRequest, Payee};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use photon_core::view::Target;
use photon_wire::{Amount, Token};
use std::time::Duration;

/// How long a payment's request waits where it does not say.
const USUAL_WAIT: Duration = Duration::from_secs(30);

const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Pays an account or an invoice.
///
/// A payment that did not happen is a problem with its hop and reason; repeated with the same
/// idempotency key it answers the same.
#[utoipa::path(
    post, path = "/api/v1/payments", operation_id = "pay",
    tag = "payments", request_body = PaymentBody,
    params((
        "Idempotency-Key" = Option<String>, Header,
        description = "Our own name for the payment; the same as `idempotency_key`."
    )),
    responses(
        (status = 200, description = "Paid.", body = PaymentView),
        (status = 202, description = "On its way.", body = PaymentView),
        Problems,
    ),
)]
pub(crate) async fn pay(
    State(node): State<NodeHandle>,
    headers: HeaderMap,
    Body(mut body): Body<PaymentBody>,
) -> Answer<Response> {
    body.idempotency_key = key(&headers, body.idempotency_key.take())?;
    let waited = match body.wait_seconds {
        None => Some(USUAL_WAIT),
        Some(seconds) => wait(Some(seconds))?,
    };
    let payment = PaymentView::from(&node.pay(request(body, waited)?).await?);
    let status = match (payment.status, &payment.failure) {
        (PaymentState::Failed, Some(failure)) => {
            return Err(Refusal::of_failed(&payment, failure));
        }
        (PaymentState::Pending, _) => StatusCode::ACCEPTED,
        (PaymentState::Paid | PaymentState::Failed, _) => StatusCode::OK,
    };
    let place = format!("/api/v1/payments/{}", payment.id);
    let mut response = (status, Json(payment)).into_response();
    if let Ok(place) = HeaderValue::from_str(&place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

/// The idempotency key of the header or the body; both must say the same.
fn key(headers: &HeaderMap, in_body: Option<String>) -> Answer<Option<String>> {
    let Some(in_header) = headers.get(KEY) else { return Ok(in_body) };
    let in_header = in_header
        .to_str()
        .map_err(|_| Refusal::malformed("the header Idempotency-Key is not plain text"))?;
    match in_body {
        Some(in_body) if in_body != in_header => Err(Refusal::malformed(
            "the header Idempotency-Key and the field idempotency_key differ",
        )),
        Some(_) | None => Ok(Some(in_header.to_owned())),
    }
}

/// What the node is asked; refuses what makes no sense before anything else happens.
pub(crate) fn request(body: PaymentBody, wait: Option<Duration>) -> Answer<PayRequest> {
    Ok(PayRequest {
        payee: payee(body.invoice, body.target, body.token, body.amount)?,
        max_fee: body.max_fee.map(|fee| fee.0),
        note: body.note.into_bytes(),
        idempotency_key: body.idempotency_key,
        way: body.way.into(),
        wait,
    })
}

/// Either an invoice or an account, never both, never half of one.
fn payee(
    invoice: Option<String>,
    target: Option<HexAddress>,
    token: Option<HexAddress>,
    amount: Option<Decimal>,
) -> Answer<Payee> {
    let amount = amount.map(payable).transpose()?;
    match (invoice, target, token, amount) {
        (Some(text), None, None, amount) => Ok(Payee::Invoice { text, amount }),
        (Some(_), _, _, _) => {
            Err(Refusal::malformed("an invoice names target and token; leave them out"))
        }
        (None, Some(target), Some(token), Some(amount)) => {
            Ok(Payee::Account(Target { token: Token(token.0), account: target.0, amount }))
        }
        (None, _, _, _) => Err(Refusal::malformed("name an invoice, or target, token and amount")),
    }
}

/// An amount that a payment can have.
fn payable(amount: Decimal) -> Answer<Amount> {
    if amount.0.is_zero() || amount.0 > Amount::MAX_DEPOSIT {
        let detail = format!("amount is {amount}, expected 1 to {}", Amount::MAX_DEPOSIT);
        return Err(Refusal::new("bad_amount", detail));
    }
    Ok(amount.0)
}

/// How a payment of ours stands.
#[utoipa::path(
    get, path = "/api/v1/payments/{payment}", operation_id = "getPayment", tag = "payments",
    params(("payment" = HexId, Path, description = "Its name.")),
    responses((status = 200, description = "The payment.", body = PaymentView), Problems),
)]
pub(crate) async fn one(
    State(node): State<NodeHandle>,
    Named(payment): Named<HexId>,
) -> Answer<Json<PaymentView>> {
    Ok(Json(PaymentView::from(&node.payment(payment.0).await?)))
}

/// What a payment would cost and which way it would go. Nothing happens.
#[utoipa::path(
    post, path = "/api/v1/quotes", operation_id = "quote",
    tag = "payments", request_body = QuoteBody,
    responses((status = 200, description = "What it would cost.", body = QuoteView), Problems),
)]
pub(crate) async fn quote(
    State(node): State<NodeHandle>,
    Body(body): Body<QuoteBody>,
) -> Answer<Json<QuoteView>> {
    let target = match payee(body.invoice, body.target, body.token, body.amount)? {
        Payee::Account(target) => target,
        Payee::Invoice { text, amount } => invoiced(&node, &text, amount).await?,
    };
    let quote = node.quote(target, body.max_fee.map(|fee| fee.0)).await?;
    Ok(Json(QuoteView::new(&quote, target.amount)))
}

/// Who an invoice asks to be paid, with the refusals that paying it would meet.
async fn invoiced(node: &NodeHandle, text: &str, amount: Option<Amount>) -> Answer<Target> {
    use crate::handle::RequestError;
    use photon_core::Rejection;

    let invoice = node.decode_invoice(text)?;
    let status = node.status().await?;
    if (invoice.chain_id, invoice.contract) != (status.chain_id, status.contract) {
        let (chain_id, contract) = (invoice.chain_id, invoice.contract);
        return Err(RequestError::InvoiceForeign { chain_id, contract }.into());
    }
    if invoice.expires < status.now {
        let rejection = Rejection::InvoiceExpired { expired: invoice.expires };
        return Err(RequestError::Rejected(rejection).into());
    }
    let amount = match (invoice.amount, amount) {
        (Some(expected), Some(got)) if expected != got => {
            return Err(RequestError::InvoiceAmount { expected, got }.into());
        }
        (Some(amount), _) | (None, Some(amount)) => amount,
        (None, None) => return Err(RequestError::AmountMissing.into()),
    };
    Ok(Target { token: invoice.token, account: invoice.target, amount })
}

#[cfg(test)]
mod tests {
    use super::*;
    use photon_wire::Address;

    fn body() -> PaymentBody {
        PaymentBody {
            target: Some(HexAddress(Address::repeat_byte(1))),
            token: Some(HexAddress(Address::repeat_byte(2))),
            amount: Some(Decimal(Amount(20))),
            ..PaymentBody::default()
        }
    }

    fn code(body: PaymentBody) -> String {
        request(body, None).expect_err("it should be refused").into_problem().code
    }

    #[test]
    fn a_payment_goes_to_an_account_or_an_invoice() {
        assert!(request(body(), None).is_ok());
        let invoice = Some("photon1".to_owned());
        assert!(
            request(PaymentBody { invoice: invoice.clone(), ..Default::default() }, None).is_ok()
        );
        assert_eq!(code(PaymentBody { invoice, ..body() }), "malformed");
        assert_eq!(code(PaymentBody { target: None, ..body() }), "malformed");
        assert_eq!(code(PaymentBody { token: None, ..body() }), "malformed");
        assert_eq!(code(PaymentBody { amount: None, ..body() }), "malformed");
    }

    #[test]
    fn an_amount_out_of_range_is_refused() {
        for amount in [0, 1 << 96, u128::MAX] {
            let amount = Some(Decimal(Amount(amount)));
            assert_eq!(code(PaymentBody { amount, ..body() }), "bad_amount");
        }
        let amount = Some(Decimal(Amount::MAX_DEPOSIT));
        assert!(request(PaymentBody { amount, ..body() }, None).is_ok());
    }

    #[test]
    fn two_keys_must_be_the_same() {
        let headers: HeaderMap = [(KEY, "a".parse().unwrap())].into_iter().collect();
        assert_eq!(key(&headers, None), Ok(Some("a".to_owned())));
        assert_eq!(key(&headers, Some("a".to_owned())), Ok(Some("a".to_owned())));
        assert!(key(&headers, Some("b".to_owned())).is_err());
        assert_eq!(key(&HeaderMap::new(), Some("b".to_owned())), Ok(Some("b".to_owned())));
    }
}
