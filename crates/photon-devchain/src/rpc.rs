//! JSON-RPC 2.0: one request or a batch in, the answers out.

mod debug;
mod error;
mod eth;
mod net;
mod params;

use serde_json::{Value, json};

use crate::{node::Node, subscriptions::Session};
pub(crate) use error::RpcError;
pub(crate) use eth::{header_view, waiting_view};
use params::Params;

/// The most requests in one batch.
const MAX_BATCH: usize = 1_000;

/// Answers what came over HTTP or a WebSocket; none if nothing is to be answered.
///
/// A session is there only where notifications can be sent.
pub(crate) fn answer(node: &Node, session: Option<&Session>, body: &[u8]) -> Option<String> {
    let answer = match serde_json::from_slice(body) {
        Ok(Value::Array(requests)) => answer_batch(node, session, requests),
        Ok(request) => answer_one(node, session, request),
        Err(cause) => Some(failure(Value::Null, RpcError::parse(&cause))),
    };
    answer.map(|answer| answer.to_string())
}

fn answer_batch(node: &Node, session: Option<&Session>, requests: Vec<Value>) -> Option<Value> {
    if requests.is_empty() {
        return Some(failure(Value::Null, RpcError::invalid_request("the batch is empty")));
    }
    if requests.len() > MAX_BATCH {
        let why = format!("the batch has {} requests, at most {MAX_BATCH}", requests.len());
        return Some(failure(Value::Null, RpcError::invalid_request(&why)));
    }
    let answers: Vec<Value> =
        requests.into_iter().filter_map(|request| answer_one(node, session, request)).collect();
    (!answers.is_empty()).then_some(Value::Array(answers))
}

fn answer_one(node: &Node, session: Option<&Session>, mut request: Value) -> Option<Value> {
    let id = request.get("id").cloned();
    let valid_id = id.as_ref().is_none_or(|id| id.is_null() || id.is_number() || id.is_string());
    let version_2 = request.get("jsonrpc").and_then(Value::as_str) == Some("2.0");
    let params = request.get_mut("params").map(Value::take);
    let method = request.get("method").and_then(Value::as_str);
    let Some(method) = method.filter(|_| version_2 && valid_id) else {
        let id = id.filter(|_| valid_id).unwrap_or_default();
        return Some(failure(id, RpcError::invalid_request("not a JSON-RPC 2.0 request")));
    };
    let result = Params::new(params).and_then(|params| dispatch(node, session, method, &params));
    // Without an id it is a notification: it is done, not answered.
    let id = id?;
    Some(match result {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err(error) => failure(id, error),
    })
}

fn failure(id: Value, error: RpcError) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "error": error })
}

/// Calls a method by its name.
pub(crate) fn dispatch(
    node: &Node,
    session: Option<&Session>,
    method: &str,
    params: &Params,
) -> Result<Value, RpcError> {
    match (method, method.split_once('_').map_or("", |(namespace, _)| namespace)) {
        ("eth_subscribe" | "eth_unsubscribe", _) => subscribe(node, session, method, params),
        (_, "eth" | "personal") => eth::dispatch(node, method, params),
        (_, "net" | "web3") => net::dispatch(node, method, params),
        (_, "evm" | "anvil" | "hardhat" | "txpool") => debug::dispatch(node, method, params),
        _ => Err(RpcError::method_not_found(method)),
    }
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
