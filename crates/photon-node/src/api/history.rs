//! What is past, page by page, newest first.

use super::extract::Params;
use super::problem::{Answer, Problems, Refusal};
use super::types::ReceiptView;
use super::types::{
    HexAddress, HexHash, HexId, InvoiceState, InvoiceView, Page, PaymentState, PaymentView,
};
use crate::handle::{NodeHandle, RequestError};
use axum::Json;
use axum::extract::State;
use photon_engine::TimeCursor;
use photon_engine::{Fault, History, PAGE_ROWS, PaymentFilter, PaymentStanding, ReceiptFilter};
use photon_wire::{PaymentId, SecretHash, Timestamp, Token};
use serde::Deserialize;
use utoipa::IntoParams;

/// Rows on a page that does not say.
const USUAL_ROWS: usize = 100;

/// How often the store is read for one page of invoices that stand in a certain way.
const LOOKS: usize = 64;

/// Which payments of ours.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PaymentParams {
    /// In this token.
    token: Option<HexAddress>,
    /// To this account.
    target: Option<HexAddress>,
    /// For this invoice, by its secret hash.
    invoice: Option<HexHash>,
    /// Standing like this.
    status: Option<PaymentState>,
    /// Asked for at this second or later.
    since: Option<u64>,
    /// Asked for at this second or earlier.
    until: Option<u64>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows on the page, 1 to 1000; none: 100.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// Payments of ours, newest first.
#[utoipa::path(
    get, path = "/api/v1/payments", operation_id = "listPayments",
    tag = "payments", params(PaymentParams),
    responses((status = 200, description = "One page.", body = Page<PaymentView>), Problems),
)]
pub(crate) async fn payments(
    State(node): State<NodeHandle>,
    Params(params): Params<PaymentParams>,
) -> Answer<Json<Page<PaymentView>>> {
    let filter = PaymentFilter {
        token: params.token.map(|token| Token(token.0)),
        account: params.target.map(|target| target.0),
        invoice: params.invoice.map(|hash| SecretHash(hash.0)),
        standing: params.status.map(|status| match status {
            PaymentState::Pending => PaymentStanding::Pending,
            PaymentState::Paid => PaymentStanding::Paid,
            PaymentState::Failed => PaymentStanding::Failed,
        }),
        from: params.since.map(Timestamp),
        until: params.until.map(Timestamp),
    };
    let before = params.cursor.as_deref().map(payment_cursor).transpose()?;
    let limit = limit(params.limit)?;
    let page = read(&node, move |history| history.payments(&filter, before, limit)).await?;
    Ok(Json(Page {
        items: page.rows.iter().map(PaymentView::from).collect(),
        next: page.next.map(|next| format!("{}-{}", next.time, next.name)),
    }))
}

/// Which payments that reached us.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReceiptParams {
    /// In this token.
    token: Option<HexAddress>,
    /// Through this partner.
    partner: Option<HexAddress>,
    /// For this invoice, by its secret hash.
    invoice: Option<HexHash>,
    /// At this second or later.
    since: Option<u64>,
    /// At this second or earlier.
    until: Option<u64>,
    /// `next` of the page before.
    cursor: Option<u64>,
    /// Rows on the page, 1 to 1000; none: 100.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// Payments that reached us, newest first.
#[utoipa::path(
    get, path = "/api/v1/receipts", operation_id = "listReceipts",
    tag = "payments", params(ReceiptParams),
    responses((status = 200, description = "One page.", body = Page<ReceiptView>), Problems),
)]
pub(crate) async fn receipts(
    State(node): State<NodeHandle>,
    Params(params): Params<ReceiptParams>,
) -> Answer<Json<Page<ReceiptView>>> {
    let filter = ReceiptFilter {
        token: params.token.map(|token| Token(token.0)),
        partner: params.partner.map(|partner| partner.0),
        invoice: params.invoice.map(|hash| SecretHash(hash.0)),
        from: params.since.map(Timestamp),
        until: params.until.map(Timestamp),
    };
    let limit = limit(params.limit)?;
    let page = read(&node, move |history| history.receipts(&filter, params.cursor, limit)).await?;
    Ok(Json(Page {
        items: page.rows.iter().map(ReceiptView::from).collect(),
        next: page.next.map(|next| next.to_string()),
    }))
}

/// Which invoices of ours.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct InvoiceParams {
    /// Standing like this. A page may then be short, or empty, although there are more.
    status: Option<InvoiceState>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows on the page, 1 to 1000; none: 100.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// Invoices of ours, newest first.
#[utoipa::path(
    get, path = "/api/v1/invoices", operation_id = "listInvoices",
    tag = "invoices", params(InvoiceParams),
    responses((status = 200, description = "One page.", body = Page<InvoiceView>), Problems),
)]
pub(crate) async fn invoices(
    State(node): State<NodeHandle>,
    Params(params): Params<InvoiceParams>,
) -> Answer<Json<Page<InvoiceView>>> {
    let before = params.cursor.as_deref().map(invoice_cursor).transpose()?;
    let limit = limit(params.limit)?;
    let now = node.status().await?.now;
    let (items, next) =
        read(&node, move |history| standing(history, params.status, now, before, limit)).await?;
    let next = next.map(|next| format!("{}-{}", next.time, next.name));
    Ok(Json(Page { items, next }))
}

/// Invoices and where to go on.
type InvoicePage = (Vec<InvoiceView>, Option<TimeCursor<SecretHash>>);

/// A page of the invoices that stand like this; the store does not order them by that.
fn standing(
    history: &History,
    state: Option<InvoiceState>,
    now: Timestamp,
    mut before: Option<TimeCursor<SecretHash>>,
    limit: usize,
) -> Result<InvoicePage, Fault> {
    let mut items = Vec::new();
    for _ in 0..LOOKS {
        let page = history.invoices(before, limit.saturating_sub(items.len()))?;
        let views = page.rows.iter().map(|record| InvoiceView::new(record, now));
        items.extend(views.filter(|view| state.is_none_or(|state| view.state == state)));
        before = page.next;
        if before.is_none() || items.len() >= limit {
            break;
        }
    }
    Ok((items, before))
}

/// Reads from the disk, which blocks, away from the threads that answer.
async fn read<T: Send + 'static>(
    node: &NodeHandle,
    question: impl FnOnce(&History) -> Result<T, Fault> + Send + 'static,
) -> Answer<T> {
    let history = node.history().clone();
    let asked = tokio::task::spawn_blocking(move || question(&history)).await;
    let answered = asked.map_err(|_| RequestError::Stopped)?;
    Ok(answered.map_err(|fault| RequestError::Store(fault.to_string()))?)
}

fn limit(asked: Option<usize>) -> Answer<usize> {
    match asked {
        None => Ok(USUAL_ROWS),
        Some(rows @ 1..=PAGE_ROWS) => Ok(rows),
        Some(rows) => {
            Err(Refusal::malformed(format!("limit is {rows}, expected 1 to {PAGE_ROWS}")))
        }
    }
}

fn payment_cursor(text: &str) -> Answer<TimeCursor<PaymentId>> {
    let (time, name) = split_cursor(text)?;
    Ok(TimeCursor { time, name: name.parse::<HexId>().map_err(|_| no_cursor(text))?.0 })
}

fn invoice_cursor(text: &str) -> Answer<TimeCursor<SecretHash>> {
    let (time, name) = split_cursor(text)?;
    let name: HexHash = name.parse().map_err(|_| no_cursor(text))?;
    Ok(TimeCursor { time, name: SecretHash(name.0) })
}

fn split_cursor(text: &str) -> Answer<(Timestamp, &str)> {
    let (time, name) = text.split_once('-').ok_or_else(|| no_cursor(text))?;
    Ok((Timestamp(time.parse().map_err(|_| no_cursor(text))?), name))
}

fn no_cursor(text: &str) -> Refusal {
    let shown: String = text.chars().take(80).collect();
    Refusal::malformed(format!("`{shown}` is no `next` of a page"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_text() {
        let name = "00112233445566778899aabbccddeeff";
        let cursor = payment_cursor(&format!("7-{name}")).unwrap();
        assert_eq!(cursor.time, Timestamp(7));
        assert_eq!(cursor.name.to_string(), name);
        let hash = format!("0x{}", "ab".repeat(32));
        assert_eq!(invoice_cursor(&format!("7-{hash}")).unwrap().name.to_string(), hash);
        for wrong in ["", "7", "-", &format!("x-{name}"), "7-00"] {
            assert!(payment_cursor(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_page_has_bounds() {
        assert_eq!(limit(None), Ok(USUAL_ROWS));
        assert_eq!(limit(Some(1_000)), Ok(1_000));
        assert!(limit(Some(0)).is_err());
        assert!(limit(Some(1_001)).is_err());
    }
}
