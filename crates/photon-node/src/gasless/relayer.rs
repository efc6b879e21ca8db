//! Speaking with somebody's relay.

use super::refusal_of;
use crate::api::Problem;
use crate::api::types::{AuthorizationBody, RelayedView, TransactionState};
use photon_wire::contract::Call;
use photon_wire::{Address, B256};
use std::time::Duration;

/// How long a relay may take to take a connection, and to answer.
const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(30);
/// The most bytes of an answer that are read.
const MOST: usize = 64 * 1024;

/// What a relay says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Reply {
    /// It sends it, with this transaction last.
    Sending(Option<B256>),
    /// It is in the chain.
    Done(Option<B256>),
    /// It cannot be done.
    Failed(String),
    /// It does not take it.
    Refused {
        /// Its code.
        code: String,
        /// Its words.
        detail: String,
    },
}

/// Somebody's relay.
pub(super) struct Relayer {
    url: String,
    client: reqwest::Client,
}

impl Relayer {
    /// Nothing is asked yet.
    pub(super) fn new(url: &str) -> Self {
        let builder = reqwest::Client::builder().connect_timeout(CONNECT).timeout(ANSWER);
        // What a relay answers must not send us elsewhere.
        let client = builder.redirect(reqwest::redirect::Policy::none()).build();
        Self {
            url: format!("{}/relay/v1/authorizations", url.trim_end_matches('/')),
            client: client.unwrap_or_default(),
        }
    }

    /// Hands an authorization over, or asks how far it is: the relay knows it again. The error is
    /// silence, or an answer that is none.
    pub(super) async fn submit(
        &self,
        chain_id: u64,
        contract: Address,
        call: &Call,
    ) -> Result<Reply, String> {
        let Some(body) = AuthorizationBody::of(chain_id, contract, call) else {
            return Err("the call is no authorization".to_owned());
        };
        let sent = self.client.post(&self.url).json(&body).send().await;
        let mut answer = sent.map_err(|error| reason(&error))?;
        let status = answer.status();
        let mut text = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| reason(&error))? {
            text.extend_from_slice(&chunk);
            if text.len() > MOST {
                return Err(format!("the answer has more than {MOST} bytes"));
            }
        }
        if status.is_success() {
            let view: RelayedView =
                serde_json::from_slice(&text).map_err(|error| format!("no relay: {error}"))?;
            return Ok(reply(view));
        }
        match serde_json::from_slice::<Problem>(&text) {
            // It may be over in a moment: the relay's chain is silent, or it has too much to do.
            Ok(problem) if status.is_server_error() || status.as_u16() == 429 => {
                Err(format!("{} ({})", problem.detail, problem.code))
            }
            Ok(problem) => Ok(refusal_of(problem)),
            Err(_) => Err(format!("it answers {status}")),
        }
    }
}

fn reply(view: RelayedView) -> Reply {
    let hash = view.hash.map(|hash| hash.0);
    match view.state {
        TransactionState::Sending => Reply::Sending(hash),
        TransactionState::Done => Reply::Done(hash),
        TransactionState::Failed => {
            Reply::Failed(view.reason.unwrap_or_else(|| "it does not say why".to_owned()))
        }
    }
}

/// The innermost cause, which is what a person can do something about.
fn reason(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
