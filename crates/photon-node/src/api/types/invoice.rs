//! Invoices.

use super::{Decimal, HexAddress, HexHash};
use photon_core::record::InvoiceRecord;
use photon_wire::Timestamp;
use photon_wire::invoice::Invoice;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An invoice to make.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvoiceBody {
    /// The token asked for.
    pub token: HexAddress,
    /// How much, 1 to 2^96 − 1; none leaves it to the payer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Decimal>,
    /// For people, at most 200 bytes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// How long it is valid, in seconds; none: an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_for: Option<u64>,
    /// The SHA-256 of a secret that its owner keeps: what is paid is then held until it is
    /// released or cancelled; none: the node draws the secret and takes the payment at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_hash: Option<HexHash>,
}

/// A text to read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecodeBody {
    /// It starts with `photon1`.
    pub invoice: String,
}

/// What an invoice says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct InvoiceContents {
    /// The text to give away; starts with `photon1`.
    pub text: String,
    /// The hash that names it.
    pub secret_hash: HexHash,
    /// Who is to be paid.
    pub target: HexAddress,
    /// In what.
    pub token: HexAddress,
    /// How much; left out where the payer decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Decimal>,
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The chain.
    pub chain_id: u64,
    /// The contract.
    pub contract: HexAddress,
    /// When it was made.
    pub issued: u64,
    /// The last second at which it can be paid.
    pub expires: u64,
}

impl From<&Invoice> for InvoiceContents {
    fn from(invoice: &Invoice) -> Self {
        Self {
            text: invoice.to_text(),
            secret_hash: HexHash(invoice.secret_hash.0),
            target: HexAddress(invoice.target),
            token: HexAddress(invoice.token.0),
            amount: invoice.amount.map(Decimal),
            description: invoice.description.clone(),
            chain_id: invoice.chain_id,
            contract: HexAddress(invoice.contract),
            issued: invoice.issued.0,
            expires: invoice.expires.0,
        }
    }
}

/// An invoice of ours and what came of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct InvoiceView {
    /// What it says.
    pub invoice: InvoiceContents,
    /// Where it stands.
    pub state: InvoiceState,
    /// What it brought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid: Option<Decimal>,
}

/// Where an invoice of ours stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceState {
    /// Can be paid.
    Open,
    /// Has been paid.
    Paid,
    /// Was not paid in time.
    Expired,
    /// Was given up.
    Cancelled,
}

impl InvoiceView {
    /// As it stands at this instant.
    pub(crate) fn new(record: &InvoiceRecord, now: Timestamp) -> Self {
        let state = if record.paid.is_some() {
            InvoiceState::Paid
        } else if record.cancelled {
            InvoiceState::Cancelled
        } else if record.invoice.expires < now {
            InvoiceState::Expired
        } else {
            InvoiceState::Open
        };
        let invoice = InvoiceContents::from(&record.invoice);
        Self { invoice, state, paid: record.paid.map(Decimal) }
    }
}
