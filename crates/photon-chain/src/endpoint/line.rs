//! One URL of a chain.

use super::missing;
use crate::error::ChainError;
use crate::pauses::Pauses;
use crate::revert::Revert;
use alloy::primitives::{Bytes, U64};
use alloy::providers::{Provider, RootProvider};
use alloy::pubsub::Subscription;
use alloy::rpc::client::{ClientBuilder, RpcClient};
use alloy::rpc::json_rpc::{RpcError, RpcRecv, RpcSend};
use alloy::transports::http::reqwest::Url;
use alloy::transports::ws::WsConnect;
use alloy::transports::{TransportError, TransportErrorKind};
use serde_json::Value;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

/// How long one that is not well is left alone, at first and at most.
const REST: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(150));
/// What chains answer to more questions than they allow. Source: EIP-1474 and HTTP; the first is
/// also what some say to a question with too many results.
const LIMITS: [i64; 2] = [-32_005, 429];

pub(super) struct Line {
    url: Url,
    shown: String,
    client: Mutex<Option<RpcClient>>,
    /// Whether it has said that it is the right chain.
    checked: AtomicBool,
    rest: std::sync::Mutex<Rest>,
}

struct Rest {
    until: Option<Instant>,
    pauses: Pauses,
}

impl Line {
    pub(super) fn new(url: &str) -> Result<Self, ChainError> {
        let refused = |reason: String| ChainError::Url { url: url.to_owned(), reason };
        let parsed = Url::parse(url).map_err(|error| refused(error.to_string()))?;
        if !matches!(parsed.scheme(), "http" | "https" | "ws" | "wss") {
            return Err(refused(format!("its scheme is `{}`", parsed.scheme())));
        }
        let host = parsed.host_str().unwrap_or_default();
        let port = parsed.port().map(|port| format!(":{port}")).unwrap_or_default();
        let shown = format!("{}://{host}{port}", parsed.scheme());
        let rest = Rest { until: None, pauses: Pauses::new(REST.0, REST.1) };
        Ok(Self {
            url: parsed,
            shown,
            client: Mutex::new(None),
            checked: AtomicBool::new(false),
            rest: std::sync::Mutex::new(rest),
        })
    }

    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    pub(super) fn is_websocket(&self) -> bool {
        matches!(self.url.scheme(), "ws" | "wss")
    }

    /// Leaves it alone, longer each time that it was not well in a row.
    pub(super) fn rest(&self) {
        let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        let pause = rest.pauses.next();
        rest.until = Some(Instant::now() + pause);
    }

    pub(super) fn is_resting(&self) -> bool {
        let rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        rest.until.is_some_and(|until| Instant::now() < until)
    }

    /// It is well: the next rest is short again, unless it was well for a moment only.
    pub(super) fn answered(&self) {
        let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        if rest.until.is_some_and(|until| until.elapsed() > REST.1) {
            rest.until = None;
            rest.pauses.reset();
        }
    }

    /// Makes sure, once, that it is of the right chain.
    pub(super) async fn check(&self, expected: u64, patience: Duration) -> Result<(), ChainError> {
        if self.checked.load(Ordering::Relaxed) {
            return Ok(());
        }
        let got: U64 = self.ask("eth_chainId", (), patience).await?;
        if got.to::<u64>() != expected {
            let (url, got) = (self.shown.clone(), got.to());
            return Err(ChainError::WrongChain { url, got, expected });
        }
        self.checked.store(true, Ordering::Relaxed);
        Ok(())
    }

    pub(super) async fn ask<P: RpcSend, R: RpcRecv>(
        &self,
        method: &'static str,
        parameters: P,
        patience: Duration,
    ) -> Result<R, ChainError> {
        let client = self.client(patience).await?;
        let answer = timeout(patience, client.request(method, parameters).into_future()).await;
        let lost = matches!(
            &answer,
            Err(_) | Ok(Err(RpcError::Transport(TransportErrorKind::BackendGone)))
        );
        if lost && self.is_websocket() {
            self.client.lock().await.take();
        }
        self.understand(method, patience, answer)
    }

    pub(super) async fn new_heads(
        &self,
        patience: Duration,
    ) -> Result<Subscription<Value>, ChainError> {
        let provider: RootProvider = RootProvider::new(self.client(patience).await?);
        let answer = timeout(patience, provider.subscribe(("newHeads",)).into_future()).await;
        self.understand("eth_subscribe", patience, answer)
    }

    fn understand<R>(
        &self,
        method: &'static str,
        patience: Duration,
        answer: Result<Result<R, TransportError>, tokio::time::error::Elapsed>,
    ) -> Result<R, ChainError> {
        match answer {
            Ok(answer) => answer.map_err(|error| self.fault(method, error)),
            Err(_) => {
                let (url, seconds) = (self.shown.clone(), patience.as_secs());
                Err(ChainError::Silent { url, method, seconds })
            }
        }
    }

    async fn client(&self, patience: Duration) -> Result<RpcClient, ChainError> {
        let mut held = self.client.lock().await;
        if let Some(client) = &*held {
            return Ok(client.clone());
        }
        let client = if self.is_websocket() {
            // We connect again ourselves, so that an end that is gone is told at once.
            let connect = WsConnect::new(self.url.as_str()).with_max_retries(0);
            let connected = timeout(patience, ClientBuilder::default().ws(connect)).await;
            self.understand("connect", patience, connected)?
        } else {
            ClientBuilder::default().http(self.url.clone())
        };
        *held = Some(client.clone());
        Ok(client)
    }

    fn fault(&self, method: &'static str, error: TransportError) -> ChainError {
        match error {
            RpcError::ErrorResp(answer) => {
                if let Some(data) = answer.as_revert_data() {
                    return ChainError::Reverted(Revert::decode(&data));
                }
                let (code, message) = (answer.code, answer.message.into_owned());
                // Source: the JSON-RPC interface of Ethereum's clients, where 3 is a revert.
                if code == 3 || message == "execution reverted" {
                    return ChainError::Reverted(Revert::Unknown(Bytes::new()));
                }
                if is_limit(code, &message) {
                    return ChainError::Limited { url: self.shown.clone(), reason: message };
                }
                ChainError::Refused { method, code, message }
            }
            RpcError::NullResp => missing(method, "it is null"),
            RpcError::DeserError { err, .. } => missing(method, &err.to_string()),
            RpcError::Transport(TransportErrorKind::HttpError(answer))
                if answer.is_rate_limit_err() =>
            {
                let reason = "HTTP status 429".to_owned();
                ChainError::Limited { url: self.shown.clone(), reason }
            }
            RpcError::Transport(_)
            | RpcError::UnsupportedFeature(_)
            | RpcError::LocalUsageError(_)
            | RpcError::SerError(_) => {
                ChainError::Unreachable { url: self.shown.clone(), reason: innermost(&error) }
            }
        }
    }
}

/// Whether it means "ask less often", and not "ask for less".
fn is_limit(code: i64, message: &str) -> bool {
    let message = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    let often = says(&["rate limit", "too many requests", "request limit", "per second"]);
    let much = says(&["result", "range", "return", "response size", "logs"]);
    often || (LIMITS.contains(&code) && !much)
}

/// The deepest cause: it says what happened, and it does not repeat the URL.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asking_too_often_is_another_thing_than_asking_for_too_much() {
        // Source: the words of public endpoints.
        for (code, message) in [
            (-32_005, "limit exceeded"),
            (-32_005, "daily request count exceeded, request rate limited"),
            (429, "Your app has exceeded its compute units per second capacity"),
            (-32_000, "Too Many Requests"),
        ] {
            assert!(is_limit(code, message), "{message}");
        }
        for (code, message) in [
            (-32_005, "query returned more than 10000 results"),
            (-32_005, "block range is too wide"),
            (-32_602, "Log response size exceeded"),
            (-32_000, "nonce too low"),
        ] {
            assert!(!is_limit(code, message), "{message}");
        }
    }
}
