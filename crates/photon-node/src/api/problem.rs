//! Why a request was not carried out, as `application/problem+json` (RFC 9457).

use super::codes;
use super::types::{FailureView, HexAddress, HexId, Malformed, PaymentView};
use crate::handle::RequestError;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use photon_core::Rejection;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response as ApiResponse};
use utoipa::{IntoResponses, ToSchema};

/// Why a request was not carried out. Nothing was changed, unless the code says otherwise.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// `urn:photon:problem:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// What happened, the same for every problem of this code.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The stable name that programs see.
    pub code: String,
    /// What happened this time, with its numbers.
    pub detail: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub advice: String,
    /// Of a payment: the node on the route that could not go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hop: Option<HexAddress>,
    /// Of a payment: what that node says of it, a stable code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Of a payment that was under way: its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<HexId>,
    /// The numbers in the detail, by name: amounts as decimal texts, seconds and sizes as numbers.
    #[serde(flatten)]
    pub numbers: Map<String, Value>,
}

impl Problem {
    /// A problem of this code. A code without a row in the table is shown as a fault of ours.
    pub(crate) fn new(code: &str, detail: impl Into<String>) -> Self {
        let row = codes::of(code);
        Self {
            kind: format!("urn:photon:problem:{code}"),
            title: row.map_or("The node has a fault", |row| row.title).to_owned(),
            status: row.map_or(500, |row| row.status),
            code: code.to_owned(),
            detail: detail.into(),
            advice: row.map_or("", |row| row.advice).to_owned(),
            hop: None,
            reason: None,
            payment: None,
            numbers: Map::new(),
        }
    }

    /// The same with one more number.
    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.numbers.insert(name.to_owned(), value.into());
        self
    }

    fn with_text(self, name: &str, value: impl ToString) -> Self {
        self.with(name, value.to_string())
    }
}

/// The error of every handler. Boxed, so that a good answer stays small.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Refusal(Box<Problem>);

/// What a handler returns.
pub(crate) type Answer<T> = Result<T, Refusal>;

impl Refusal {
    /// Of this code.
    pub(crate) fn new(code: &str, detail: impl Into<String>) -> Self {
        Self::from(Problem::new(code, detail))
    }

    /// The request makes no sense.
    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::new("malformed", detail)
    }

    /// A payment that was under way and is lost.
    pub(crate) fn of_failed(payment: &PaymentView, failure: &FailureView) -> Self {
        let mut problem = Problem::new(&failure.code, failure.detail.clone());
        problem.hop = failure.hop;
        problem.reason.clone_from(&failure.reason);
        problem.payment = Some(payment.id);
        // A channel that takes no new payment is a conflict; a payment that did not happen because
        // its channel closed is not.
        problem.status = StatusCode::UNPROCESSABLE_ENTITY.as_u16();
        Self::from(problem)
    }

    pub(crate) fn into_problem(self) -> Problem {
        *self.0
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

impl From<Malformed> for Refusal {
    fn from(malformed: Malformed) -> Self {
        Self::new(malformed.code, malformed.detail)
    }
}

impl From<RequestError> for Refusal {
    fn from(error: RequestError) -> Self {
        let problem = Problem::new(error.code(), error.to_string());
        Self::from(match &error {
            RequestError::Rejected(rejection) => with_numbers(problem, rejection),
            RequestError::InvoiceForeign { chain_id, contract } => {
                problem.with("chain_id", *chain_id).with_text("contract", contract)
            }
            RequestError::InvoiceAmount { expected, got } => {
                problem.with_text("expected", expected).with_text("got", got)
            }
            RequestError::ExpiryOutOfBounds { expires, least, most } => {
                problem.with("expires", expires.0).with("least", least.0).with("most", most.0)
            }
            RequestError::DescriptionTooLong { length, limit }
            | RequestError::BadIdempotencyKey { length, limit } => {
                problem.with("length", *length).with("limit", *limit)
            }
            RequestError::InsufficientTokens { token, held, needed } => problem
                .with_text("token", token)
                .with_text("held", held)
                .with_text("needed", needed),
            RequestError::OddToken { token, oddity, .. } => {
                problem.with_text("token", token).with_text("oddity", oddity)
            }
            RequestError::TokenFee { token, sent, arrives } => problem
                .with_text("token", token)
                .with_text("sent", sent)
                .with_text("arrives", arrives),
            RequestError::NoSuchWay { token, offered, .. } => {
                let offered: Vec<Value> = offered.iter().map(|way| way.as_str().into()).collect();
                problem.with_text("token", token).with("offered", offered)
            }
            RequestError::InsufficientCoins { held, needed } => {
                problem.with_text("held", held).with_text("needed", needed)
            }
            RequestError::AuthorizationExpired { valid_until } => {
                problem.with("valid_until", valid_until.0)
            }
            RequestError::RelayRefused { code, .. } => problem.with_text("relay_code", code),
            RequestError::NoRelayer
            | RequestError::NoGaslessWay { .. }
            | RequestError::RelaySilent { .. }
            | RequestError::InvoiceUnreadable(_)
            | RequestError::InvoiceOwn
            | RequestError::AmountMissing
            | RequestError::NotAToken { .. }
            | RequestError::UnknownPayment { .. }
            | RequestError::UnknownInvoice { .. }
            | RequestError::BadPeerAddress { .. }
            | RequestError::TransactionFailed { .. }
            | RequestError::Disagreed { .. }
            | RequestError::StillPending(_)
            | RequestError::Chain(_)
            | RequestError::Busy
            | RequestError::Stopped
            | RequestError::Store(_) => problem,
        })
    }
}

/// The numbers of what an owner can run into; the rules between peers have none to act on.
fn with_numbers(mut problem: Problem, rejection: &Rejection) -> Problem {
    if let Rejection::Failed { hop, reason } = rejection {
        problem.hop = Some(HexAddress(*hop));
        problem.reason = Some(reason.code().to_owned());
        problem
    } else if let Rejection::InsufficientBalance { spendable, needed }
    | Rejection::NoCapacity { spendable, needed } = rejection
    {
        problem.with_text("spendable", spendable).with_text("needed", needed)
    } else if let Rejection::BadAmount { amount } = rejection {
        problem.with_text("amount", amount)
    } else if let Rejection::FeeTooHigh { most, fee } = rejection {
        problem.with_text("most", most).with_text("fee", fee)
    } else if let Rejection::PartnerOffline { partner } = rejection {
        problem.with_text("partner", partner)
    } else if let Rejection::SettleTimeoutOutOfBounds { least, most, got } = rejection {
        problem.with("least", least.0).with("most", most.0).with("got", got.0)
    } else if let Rejection::NotSettleable { from } = rejection {
        problem.with("from", from.0)
    } else if let Rejection::InvoiceExpired { expired } = rejection {
        problem.with("expired", expired.0)
    } else if let Rejection::NoteTooLong { length } = rejection {
        problem.with("length", *length).with("limit", photon_wire::limits::NOTE_BYTES)
    } else {
        problem
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(&*self.0)).into_response();
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, kind);
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// Says in the API's description that any request can end in a [`Problem`].
pub(crate) struct Problems;

impl IntoResponses for Problems {
    fn responses() -> BTreeMap<String, RefOr<ApiResponse>> {
        let schema = Ref::from_schema_name("Problem");
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let response = ResponseBuilder::new()
            .description("Refused or failed; `code` says why.")
            .content("application/problem+json", content)
            .build();
        BTreeMap::from([("default".to_owned(), RefOr::T(response))])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use photon_wire::message::Reason;
    use photon_wire::{Address, Amount};

    #[test]
    fn a_problem_names_hop_reason_and_numbers() {
        let rejection = Rejection::InsufficientBalance { spendable: Amount(4), needed: Amount(5) };
        let problem = Refusal::from(RequestError::Rejected(rejection)).into_problem();
        let json = serde_json::to_value(&problem).unwrap();
        assert_eq!(json["code"], "insufficient_balance");
        assert_eq!(json["status"], 422);
        assert_eq!((&json["spendable"], &json["needed"]), (&"4".into(), &"5".into()));
        assert_eq!(serde_json::from_value::<Problem>(json).unwrap(), problem);

        let hop = Address::repeat_byte(1);
        let rejection = Rejection::Failed { hop, reason: Reason::PartnerOffline };
        let problem = Refusal::from(RequestError::Rejected(rejection)).into_problem();
        assert_eq!(problem.hop, Some(HexAddress(hop)));
        assert_eq!(problem.reason.as_deref(), Some("partner_offline"));
    }
}
