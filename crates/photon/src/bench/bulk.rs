//! Clients of the bulk stream, which keep a number of payments under way: for each answer that
//! comes, another payment goes.

use super::http::Refused;
use super::load::{Tally, Window};
use super::node::Node;
use anyhow::{Context as _, bail};
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt as _, StreamExt as _};
use photon_wire::{Address, Token};
use serde::Deserialize;
use std::fmt::Write as _;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

/// Payments under way of one stream: the node reads no further than about this.
const STREAM: usize = 4_000;
/// Payments in one frame.
const FRAME: usize = 500;
/// How long the last answers may take.
const PATIENCE: Duration = Duration::from_secs(120);

type Socket = WebSocketStream<TcpStream>;

/// One answer, as far as it matters here.
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(default, borrow)]
    id: Option<&'a str>,
    #[serde(default, borrow)]
    payment: Option<Paid<'a>>,
    #[serde(default)]
    problem: Option<Refused>,
}

#[derive(Deserialize)]
struct Paid<'a> {
    id: &'a str,
    status: &'a str,
}

/// Pays with so many payments under way until the window closes, over as many streams as that
/// takes.
pub(super) async fn pay(
    payer: &Node,
    payee: Address,
    token: Token,
    in_flight: usize,
    window: Window,
) -> anyhow::Result<Tally> {
    let streams = in_flight.div_ceil(STREAM);
    let mut running = JoinSet::new();
    for index in 0..streams {
        let share = in_flight / streams + usize::from(index < in_flight % streams);
        let socket = connect(payer).await?;
        let rest = format!(r#""target":"{payee}","token":"{token}","amount":"1"}}"#);
        running.spawn(stream(socket, share, rest, window));
    }
    let mut tally = Tally::default();
    while let Some(ended) = running.join_next().await {
        tally.merge(ended??);
    }
    Ok(tally)
}

async fn connect(payer: &Node) -> anyhow::Result<Socket> {
    let url = format!("ws://{}/api/v1/payments/bulk", payer.address);
    let mut request = url.into_client_request()?;
    let authorization = format!("Bearer {}", payer.api_token).parse()?;
    request.headers_mut().insert("authorization", authorization);
    let socket = TcpStream::connect(payer.address).await?;
    socket.set_nodelay(true)?;
    let (socket, _) = tokio_tungstenite::client_async(request, socket).await?;
    Ok(socket)
}

/// Reads and writes at once: a client that did not read while it writes could make both wait.
async fn stream(
    socket: Socket,
    in_flight: usize,
    rest: String,
    window: Window,
) -> anyhow::Result<Tally> {
    let begin = Instant::now();
    let (sink, source) = socket.split();
    let (freed, room) = mpsc::unbounded_channel();
    let (all, total) = oneshot::channel();
    freed.send(in_flight)?;
    let writing = tokio::spawn(write(sink, begin, rest, window, room, all));
    let tally = read(source, begin, window, freed, total).await?;
    writing.await??;
    Ok(tally)
}

/// Sends a payment for each that has room, and at last says how many these were.
async fn write(
    mut sink: SplitSink<Socket, Message>,
    begin: Instant,
    rest: String,
    window: Window,
    mut room: mpsc::UnboundedReceiver<usize>,
    all: oneshot::Sender<u64>,
) -> anyhow::Result<()> {
    let mut sent = 0_u64;
    while let Some(mut free) = room.recv().await {
        while let Ok(more) = room.try_recv() {
            free += more;
        }
        if !window.is_open() {
            break;
        }
        while free > 0 {
            let count = free.min(FRAME);
            sink.send(Message::text(frame(begin, count, sent, &rest))).await?;
            sent += u64::try_from(count)?;
            free -= count;
        }
    }
    // Whoever reads may have failed already.
    let _ = all.send(sent);
    // Keeps the connection until the last answer was read.
    while room.recv().await.is_some() {}
    Ok(())
}

/// Payments whose names say when they were sent, so that nobody has to remember it.
fn frame(begin: Instant, count: usize, first: u64, rest: &str) -> String {
    let sent = begin.elapsed().as_micros();
    let mut text = String::with_capacity(count * (rest.len() + 40));
    for number in (first..).take(count) {
        let separator = if text.is_empty() { '[' } else { ',' };
        // Writing to a string does not fail.
        let _ = write!(text, r#"{separator}{{"id":"{sent}-{number}",{rest}"#);
    }
    text.push(']');
    text
}

async fn read(
    mut source: SplitStream<Socket>,
    begin: Instant,
    window: Window,
    freed: mpsc::UnboundedSender<usize>,
    mut total: oneshot::Receiver<u64>,
) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    let (mut answered, mut expected) = (0_u64, None);
    let deadline = tokio::time::sleep(window.until.saturating_duration_since(begin) + PATIENCE);
    tokio::pin!(deadline);
    while expected != Some(answered) {
        let message = tokio::select! {
            message = source.next() => message.context("the stream ends before its answers")??,
            sent = &mut total, if expected.is_none() => {
                expected = Some(sent.context("the stream breaks off")?);
                continue;
            }
            () = &mut deadline => bail!("{answered} answers have come, and no more come"),
        };
        let Message::Text(text) = message else { continue };
        let answers: Vec<Answer<'_>> = serde_json::from_str(&text)?;
        answers.iter().try_for_each(|answer| note(&mut tally, &window, begin, answer))?;
        answered += u64::try_from(answers.len())?;
        // Whoever writes has no more to send once the window is closed.
        let _ = freed.send(answers.len());
    }
    Ok(tally)
}

fn note(
    tally: &mut Tally,
    window: &Window,
    begin: Instant,
    answer: &Answer<'_>,
) -> anyhow::Result<()> {
    match (&answer.payment, &answer.problem) {
        (Some(payment), _) if payment.status == "paid" => {
            let sent = answer.id.and_then(|id| id.split_once('-')).map(|(sent, _)| sent.parse());
            let sent = sent.context("an answer without its name")??;
            tally.paid(window, begin + Duration::from_micros(sent));
        }
        (Some(payment), _) => tally.unclear(payment.id),
        (None, Some(refused)) => tally.failed(&refused.code, refused.reason.as_deref()),
        (None, None) => bail!("an answer says nothing"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_json_with_a_name_for_each() {
        let rest = r#""target":"0x11","amount":"1"}"#;
        let text = frame(Instant::now(), 3, 7, rest);
        let payments: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
        let names: Vec<_> = payments.iter().map(|it| it["id"].as_str().unwrap()).collect();
        assert_eq!(names.len(), 3);
        assert!(names[0].ends_with("-7") && names[2].ends_with("-9"));
    }

    #[test]
    fn answers_are_told_apart() {
        let now = Instant::now();
        let window = Window { from: now, until: now + Duration::from_secs(60) };
        let text = r#"[{"id":"0-0","payment":{"id":"aa","status":"paid","fee":"0"}},
            {"id":"0-1","payment":{"id":"bb","status":"pending"}},
            {"id":"0-2","problem":{"code":"no_route","title":"x"}}]"#;
        let answers: Vec<Answer<'_>> = serde_json::from_str(text).unwrap();
        let mut tally = Tally::default();
        answers.iter().for_each(|answer| note(&mut tally, &window, now, answer).unwrap());
        assert_eq!((tally.paid, tally.failed["no_route"]), (1, 1));
    }
}
