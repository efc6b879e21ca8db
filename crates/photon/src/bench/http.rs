//! Callers of the HTTP API, each with a connection of its own and one payment at a time.

use super::load::{Tally, Window};
use super::node::Node;
use anyhow::{Context as _, bail};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use photon_wire::{Address, Token};
use serde::Deserialize;
use std::time::Instant;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Why a payment did not happen.
#[derive(Deserialize)]
pub(super) struct Refused {
    pub(super) code: String,
    #[serde(default)]
    pub(super) reason: Option<String>,
}

/// A payment whose end was not waited for.
#[derive(Deserialize)]
struct Pending {
    id: String,
}

/// What all callers send; made once.
#[derive(Clone)]
struct Template {
    host: HeaderValue,
    authorization: HeaderValue,
    body: Bytes,
}

/// Pays with so many callers until the window closes.
pub(super) async fn pay(
    payer: &Node,
    payee: Address,
    token: Token,
    callers: usize,
    window: Window,
) -> anyhow::Result<Tally> {
    let body = format!(r#"{{"target":"{payee}","token":"{token}","amount":"1"}}"#);
    let template = Template {
        host: payer.address.to_string().parse()?,
        authorization: format!("Bearer {}", payer.api_token).parse()?,
        body: body.into(),
    };
    let mut running = JoinSet::new();
    for _ in 0..callers {
        let stream = TcpStream::connect(payer.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // It ends with its sender.
        tokio::spawn(connection);
        running.spawn(call(sender, template.clone(), window));
    }
    let mut tally = Tally::default();
    while let Some(ended) = running.join_next().await {
        tally.merge(ended??);
    }
    Ok(tally)
}

async fn call(
    mut sender: SendRequest<Full<Bytes>>,
    template: Template,
    window: Window,
) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    while window.is_open() {
        let request = Request::post("/api/v1/payments")
            .header(HOST, &template.host)
            .header(AUTHORIZATION, &template.authorization)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(Full::new(template.body.clone()))?;
        let sent = Instant::now();
        sender.ready().await?;
        let response = sender.send_request(request).await.context("the API hangs up")?;
        note(&mut tally, &window, sent, response).await?;
    }
    Ok(tally)
}

async fn note(
    tally: &mut Tally,
    window: &Window,
    sent: Instant,
    response: Response<hyper::body::Incoming>,
) -> anyhow::Result<()> {
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    if status == StatusCode::OK {
        tally.paid(window, sent);
    } else if status == StatusCode::ACCEPTED {
        let pending: Pending = serde_json::from_slice(&body)?;
        tally.unclear(&pending.id);
    } else {
        let Ok(refused) = serde_json::from_slice::<Refused>(&body) else {
            bail!("the API answers {status}: {}", String::from_utf8_lossy(&body));
        };
        tally.failed(&refused.code, refused.reason.as_deref());
    }
    Ok(())
}
