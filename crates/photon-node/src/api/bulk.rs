//! Thousands of payments over one connection: sent without waiting, answered as they end.

use super::extract::BODY_BYTES;
use super::payments::request;
use super::problem::{Answer, Problems, Refusal};
use super::state::Api;
use super::types::{BulkAnswer, BulkBody, PaymentBody, PaymentView};
use crate::handle::{NodeHandle, RequestError};
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use futures::FutureExt as _;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use serde_json::Value;
use std::future::Future;
use std::pin::{Pin, pin};
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;

/// Payments in one frame.
const FRAME_PAYMENTS: usize = 1_000;
/// Payments under way of one stream; beyond them nothing more is read.
const UNDER_WAY: usize = 4_096;
/// Answers in one frame.
const FRAME_ANSWERS: usize = 1_000;
/// How long a payment of the stream is waited for; then its answer says pending.
const LONGEST: Duration = Duration::from_secs(600);
/// A moment for the node to take what waits.
const BUSY_PAUSE: Duration = Duration::from_millis(2);
/// How often a payment is offered to a busy node.
const BUSY_OFFERS: usize = 1_000;

type Running<'a> = FuturesUnordered<Pin<Box<dyn Future<Output = BulkAnswer> + Send + 'a>>>;

/// Thousands of payments over one WebSocket.
///
/// The client sends text frames, each a BulkPayment or an array of up to 1000 of them, without
/// waiting; the node answers with arrays of BulkAnswer, in the order in which payments end. While
/// 4096 payments are under way nothing more is read. The token goes into the header
/// `Authorization`, as everywhere. When the connection is lost, payments under way go on; whoever
/// gave them idempotency keys sends them again and is answered how they ended.
#[utoipa::path(
    get, path = "/api/v1/payments/bulk", operation_id = "payInBulk", tag = "payments",
    responses(
        (status = 101, description = "A WebSocket; frames are BulkPayment and BulkAnswer."),
        Problems,
    ),
)]
pub(crate) async fn bulk(
    State(api): State<Api>,
    State(node): State<NodeHandle>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Answer<Response> {
    let upgrade = upgrade.map_err(|rejection| {
        Refusal::malformed(format!("this path is a WebSocket: {}", rejection.body_text()))
    })?;
    let permit = api.stream_permit()?;
    let upgrade = upgrade.max_message_size(BODY_BYTES).max_frame_size(BODY_BYTES);
    Ok(upgrade.on_upgrade(move |socket| serve(socket, node, permit)))
}

/// Until the client goes or the node stops.
async fn serve(mut socket: WebSocket, node: NodeHandle, _permit: OwnedSemaphorePermit) {
    let mut running = Running::new();
    let mut open = true;
    let mut stopping = pin!(node.stopping());
    while open || !running.is_empty() {
        tokio::select! {
            frame = socket.recv(), if open && running.len() < UNDER_WAY => match frame {
                Some(Ok(Message::Text(text))) => start(&node, &text, &running),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Binary(_))) => {
                    let refusal = Refusal::malformed("frames of this stream are texts");
                    running.push(Box::pin(async { refused(None, refusal) }));
                }
                // The client says no more; it may still listen.
                Some(Ok(Message::Close(_))) | None => open = false,
                Some(Err(_)) => return,
            },
            Some(answer) = running.next() => {
                if send(&mut socket, answer, &mut running).await.is_err() {
                    return;
                }
            }
            () = &mut stopping => {
                let reason = Utf8Bytes::from_static("the node is stopping");
                let close = CloseFrame { code: axum::extract::ws::close_code::AWAY, reason };
                let _ = socket.send(Message::Close(Some(close))).await;
                return;
            }
        }
    }
}

/// Sends one answer, and with it those that are there already.
async fn send(
    socket: &mut WebSocket,
    first: BulkAnswer,
    running: &mut Running<'_>,
) -> Result<(), axum::Error> {
    let mut answers = vec![first];
    while answers.len() < FRAME_ANSWERS {
        match running.next().now_or_never() {
            Some(Some(answer)) => answers.push(answer),
            Some(None) | None => break,
        }
    }
    let json = serde_json::to_string(&answers).map_err(axum::Error::new)?;
    socket.send(Message::Text(json.into())).await
}

fn start<'a>(node: &'a NodeHandle, frame: &str, running: &Running<'a>) {
    for item in read(frame) {
        running.push(match item {
            Ok(payment) => Box::pin(pay(node, payment)),
            Err(answer) => Box::pin(async { *answer }),
        });
    }
}

/// The payments of a frame; what cannot be read is answered at once.
fn read(frame: &str) -> Vec<Result<BulkBody, Box<BulkAnswer>>> {
    let whole = if frame.trim_start().starts_with('[') {
        serde_json::from_str(frame)
    } else {
        serde_json::from_str(frame).map(|payment| vec![payment])
    };
    match whole {
        Ok(payments) if within_bounds(&payments) => payments.into_iter().map(Ok).collect(),
        Ok(payments) => vec![too_many(payments.len())],
        Err(_) => read_each(frame),
    }
}

fn within_bounds<T>(payments: &[T]) -> bool {
    payments.len() <= FRAME_PAYMENTS
}

fn too_many(count: usize) -> Result<BulkBody, Box<BulkAnswer>> {
    let detail = format!("the frame has {count} payments, at most {FRAME_PAYMENTS} are allowed");
    Err(Box::new(refused(None, Refusal::malformed(detail))))
}

/// Reads one by one, so that a wrong payment does not take the others with it.
fn read_each(frame: &str) -> Vec<Result<BulkBody, Box<BulkAnswer>>> {
    let items = match serde_json::from_str(frame) {
        Ok(Value::Array(items)) => items,
        Ok(item) => vec![item],
        Err(error) => {
            let refusal = Refusal::malformed(format!("the frame is no JSON: {error}"));
            return vec![Err(Box::new(refused(None, refusal)))];
        }
    };
    if !within_bounds(&items) {
        return vec![too_many(items.len())];
    }
    let one = |item: Value| {
        let id = item.get("id").and_then(Value::as_str).map(str::to_owned);
        super::extract::read(item.to_string().as_bytes())
            .map_err(|refusal| Box::new(refused(id, refusal)))
    };
    items.into_iter().map(one).collect()
}

fn refused(id: Option<String>, refusal: Refusal) -> BulkAnswer {
    BulkAnswer { id, payment: None, problem: Some(refusal.into_problem()) }
}

async fn pay(node: &NodeHandle, bulk: BulkBody) -> BulkAnswer {
    let id = Some(bulk.id.clone());
    match paid(node, PaymentBody::from(bulk)).await {
        Ok(payment) => match &payment.failure {
            Some(failure) => refused(id, Refusal::of_failed(&payment, failure)),
            None => BulkAnswer { id, payment: Some(payment), problem: None },
        },
        Err(refusal) => refused(id, refusal),
    }
}

/// Offers the payment until the node has room for it: this stream's own bound is what holds the
/// client back, and a client that has to try again itself would lose its order.
async fn paid(node: &NodeHandle, body: PaymentBody) -> Answer<PaymentView> {
    let request = request(body, Some(LONGEST))?;
    for _ in 0..BUSY_OFFERS {
        match node.pay(request.clone()).await {
            Ok(payment) => return Ok(PaymentView::from(&payment)),
            Err(RequestError::Busy) => tokio::time::sleep(BUSY_PAUSE).await,
            Err(error) => return Err(error.into()),
        }
    }
    Err(RequestError::Busy.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAYMENT: &str = r#"{"id": "a", "target": "0x5b38da6a701c568545dcfcb03fcb875f56beddc4",
        "token": "0x5b38da6a701c568545dcfcb03fcb875f56beddc4", "amount": "1"}"#;

    fn code(answer: &BulkAnswer) -> &str {
        &answer.problem.as_ref().unwrap().code
    }

    #[test]
    fn a_frame_is_one_payment_or_many() {
        assert_eq!(read(PAYMENT).len(), 1);
        assert_eq!(read(&format!(" [{PAYMENT}, {PAYMENT}]")).len(), 2);
        assert!(read(PAYMENT).iter().all(Result::is_ok));
        assert!(read("[]").is_empty());
    }

    #[test]
    fn a_wrong_payment_does_not_take_the_others_with_it() {
        let wrong = r#"{"id": "b", "amount": "-1"}"#;
        let read = read(&format!("[{PAYMENT}, {wrong}, 7]"));
        assert_eq!(read.len(), 3);
        assert!(read[0].is_ok());
        let answer = read[1].as_ref().unwrap_err();
        assert_eq!((answer.id.as_deref(), code(answer)), (Some("b"), "bad_amount"));
        assert_eq!(read[2].as_ref().unwrap_err().id, None);
    }

    #[test]
    fn a_frame_that_is_none_is_answered() {
        for frame in ["", "{", "pay", &format!("[{}]", [PAYMENT; 1_001].join(","))] {
            let read = read(frame);
            assert_eq!(read.len(), 1);
            assert_eq!(code(read[0].as_ref().unwrap_err()), "malformed");
        }
    }
}
