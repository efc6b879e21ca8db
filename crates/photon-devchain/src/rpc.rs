//! JSON-RPC 2.0: one request or a batch in, the answers out.

mod accounts;
mod control;
mod error;
mod eth;
mod net;
mod params;
mod txpool;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{
    Value,
    error::Category,
    json,
    value::{RawValue, to_raw_value},
};

use crate::{node::Node, subscriptions::Session};
pub(crate) use error::RpcError;
pub(crate) use eth::{header_view, waiting_view};
use params::Params;

/// The most requests in one batch.
const MAX_BATCH: usize = 1_000;

/// The most bytes that the answers of a batch may have together before the rest is refused: one
/// small batch could otherwise ask for the largest answer a thousand times.
const MAX_BATCH_ANSWER: usize = 25 * 1024 * 1024;

/// What a method does with its parameters.
type Handler = fn(&Node, &Params) -> Result<Value, RpcError>;

/// A method by its name.
type Method = (&'static str, Handler);

/// The methods that are answered over a WebSocket only.
const OF_SESSIONS: [&str; 2] = ["eth_subscribe", "eth_unsubscribe"];

/// All methods that need no connection of their own.
fn methods() -> impl Iterator<Item = &'static Method> {
    let others = [accounts::METHODS, net::METHODS, txpool::METHODS, control::METHODS];
    eth::TABLES.into_iter().chain(others).flatten()
}

/// The names of all methods that are answered.
pub(crate) fn method_names() -> impl Iterator<Item = &'static str> {
    methods().map(|(name, _)| *name).chain(OF_SESSIONS)
}

/// A request; whatever else is in it is ignored.
#[derive(Deserialize)]
struct Request<'a> {
    #[serde(default)]
    jsonrpc: Value,
    /// As it was written: a number may be larger than any that is calculated with.
    #[serde(borrow, default, deserialize_with = "id")]
    id: Option<&'a RawValue>,
    #[serde(default)]
    method: Value,
    params: Option<Value>,
}

/// An id that is null is one, too: only a request without any is not answered.
fn id<'de: 'a, 'a, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

#[derive(Serialize)]
struct Answer<'a> {
    jsonrpc: &'static str,
    id: &'a RawValue,
    #[serde(flatten)]
    outcome: Outcome,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Result(Value),
    Error(RpcError),
}

/// Answers what came over HTTP or a WebSocket; none if nothing is to be answered.
///
/// A session is there only where notifications can be sent.
pub(crate) fn answer(node: &Node, session: Option<&Session>, body: &[u8]) -> Option<String> {
    let batch = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    if batch {
        return match serde_json::from_slice(body) {
            Ok(requests) => answer_batch(node, session, requests),
            Err(cause) => Some(failure(None, RpcError::parse(&cause))),
        };
    }
    match serde_json::from_slice(body) {
        Ok(request) => answer_one(node, session, request),
        Err(cause) => Some(failure(None, RpcError::parse(&cause))),
    }
}

fn answer_batch(
    node: &Node,
    session: Option<&Session>,
    requests: Vec<&RawValue>,
) -> Option<String> {
    if requests.is_empty() {
        return Some(failure(None, RpcError::invalid_request("the batch is empty")));
    }
    if requests.len() > MAX_BATCH {
        let why = format!("the batch has {} requests, at most {MAX_BATCH}", requests.len());
        return Some(failure(None, RpcError::invalid_request(&why)));
    }
    let mut answers = String::new();
    for request in requests {
        let answer = if answers.len() < MAX_BATCH_ANSWER {
            answer_one(node, session, request)
        } else {
            refuse_one(request)
        };
        if let Some(answer) = answer {
            answers.push(if answers.is_empty() { '[' } else { ',' });
            answers.push_str(&answer);
        }
    }
    if answers.is_empty() {
        return None;
    }
    answers.push(']');
    Some(answers)
}

fn answer_one(node: &Node, session: Option<&Session>, request: &RawValue) -> Option<String> {
    let request: Request<'_> = match serde_json::from_str(request.get()) {
        Ok(request) => request,
        Err(cause) if cause.classify() == Category::Data => {
            return Some(failure(None, RpcError::invalid_request(&cause.to_string())));
        }
        Err(cause) => return Some(failure(None, RpcError::parse(&cause))),
    };
    let id_is_valid = request.id.is_none_or(is_valid_id);
    let id = request.id.filter(|_| id_is_valid);
    let why = if !id_is_valid {
        "the id must be a string, a number or null"
    } else if request.jsonrpc != "2.0" {
        "jsonrpc must be \"2.0\""
    } else if !request.method.is_string() {
        "the method must be a string"
    } else {
        let method = request.method.as_str().unwrap_or_default();
        let result =
            Params::new(request.params).and_then(|params| dispatch(node, session, method, &params));
        // Without an id it is a notification: it is done, not answered.
        let id = id?;
        return Some(match result {
            Ok(result) => written(id, Outcome::Result(result)),
            Err(error) => failure(Some(id), error),
        });
    };
    Some(failure(id, RpcError::invalid_request(why)))
}

/// The answer to a request of a batch whose answers are long enough already.
fn refuse_one(request: &RawValue) -> Option<String> {
    let request: Request<'_> = serde_json::from_str(request.get()).ok()?;
    request.id.filter(|id| is_valid_id(id)).map(|id| failure(Some(id), RpcError::too_long()))
}

fn is_valid_id(id: &RawValue) -> bool {
    let first = id.get().as_bytes().first().copied().unwrap_or_default();
    first == b'"' || first == b'-' || first.is_ascii_digit() || id.get() == "null"
}

fn failure(id: Option<&RawValue>, error: RpcError) -> String {
    written(id.unwrap_or(RawValue::NULL), Outcome::Error(error))
}

fn written(id: &RawValue, outcome: Outcome) -> String {
    let answer = to_raw_value(&Answer { jsonrpc: "2.0", id, outcome });
    answer.map_or_else(|cause| cause.to_string(), |answer| answer.get().to_owned())
}

/// Calls a method by its name.
fn dispatch(
    node: &Node,
    session: Option<&Session>,
    method: &str,
    params: &Params,
) -> Result<Value, RpcError> {
    if OF_SESSIONS.contains(&method) {
        return subscribe(node, session, method, params);
    }
    let found = methods().find(|(name, _)| *name == method);
    let (_, handler) = found.ok_or_else(|| RpcError::method_not_found(method))?;
    handler(node, params)
}

fn subscribe(
    node: &Node,
    session: Option<&Session>,
    method: &str,
    params: &Params,
) -> Result<Value, RpcError> {
    let session = session.ok_or_else(RpcError::no_notifications)?;
    if method == "eth_unsubscribe" {
        let id: String = params.required(0, "subscription id")?;
        return Ok(json!(session.unsubscribe(&id)));
    }
    let kind = params.required(0, "subscription name")?;
    let details = params.optional(1, "subscription parameters")?.unwrap_or_default();
    session.subscribe(&node.chain(), kind, details).map(Value::String)
}
