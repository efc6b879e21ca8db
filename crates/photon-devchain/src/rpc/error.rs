//! The errors of JSON-RPC, with the codes and words that Ethereum clients know.

use alloy::{
    eips::BlockId,
    primitives::{Address, Bytes},
    sol_types::{Panic, Revert, SolError as _},
};
use revm::{
    context::result::{ExecutionResult, HaltReason, InvalidTransaction},
    primitives::{eip170::MAX_CODE_SIZE, eip3860::MAX_INITCODE_SIZE},
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    config::Hardfork,
    error::{Error, Refusal},
};

/// An error as it is sent.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RpcError {
    code: i64,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
}

impl RpcError {
    fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None }
    }

    pub(crate) fn parse(cause: &serde_json::Error) -> Self {
        Self::new(-32700, format!("parse error: {cause}"))
    }

    pub(crate) fn invalid_request(why: &str) -> Self {
        Self::new(-32600, format!("invalid request: {why}"))
    }

    pub(crate) fn method_not_found(method: &str) -> Self {
        Self::new(-32601, format!("the method {method} does not exist/is not available"))
    }

    pub(crate) fn no_notifications() -> Self {
        Self::new(-32601, "notifications not supported: subscribe over a WebSocket")
    }

    pub(crate) fn invalid_params(why: impl Into<String>) -> Self {
        Self::new(-32602, why)
    }

    pub(crate) fn internal(why: impl Into<String>) -> Self {
        Self::new(-32603, why)
    }

    /// The server's own errors: what was asked for is well formed but cannot be done.
    pub(crate) fn server(why: impl Into<String>) -> Self {
        Self::new(-32000, why)
    }

    /// For what the chain's rules do not have yet.
    pub(crate) fn not_on_these_rules(method: &str, since: Hardfork) -> Self {
        let why = format!("the method {method} does not exist/is not available before {since}");
        Self::new(-32601, why)
    }

    pub(crate) fn header_not_found(id: BlockId, head: u64) -> Self {
        let block = match id {
            BlockId::Hash(hash) => hash.block_hash.to_string(),
            BlockId::Number(tag) => tag.to_string(),
        };
        Self::server(format!("header not found: block {block}, the head is {head}"))
    }

    pub(crate) fn state_not_kept(number: u64, oldest: usize) -> Self {
        Self::server(format!(
            "missing trie node: the state of block {number} is not kept any more, \
             the oldest is that of {oldest}"
        ))
    }

    pub(crate) fn unknown_account(address: Address) -> Self {
        Self::server(format!("unknown account: the chain has no key of {address}"))
    }

    pub(crate) fn gas_above(allowance: u64) -> Self {
        Self::server(format!("gas required exceeds allowance ({allowance})"))
    }

    /// The answers of a batch are too much.
    pub(crate) fn too_long() -> Self {
        Self::new(-32003, "response too large: ask for less in one batch")
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn limit_exceeded(why: impl Into<String>) -> Self {
        Self::new(-32005, why)
    }

    /// A call that reverted; the data is what it reverted with.
    pub(crate) fn reverted(output: &Bytes) -> Self {
        let message = reason(output).map_or_else(
            || "execution reverted".to_owned(),
            |reason| format!("execution reverted: {reason}"),
        );
        Self { code: 3, message, data: Some(json!(output)) }
    }

    fn halted(reason: &HaltReason) -> Self {
        if matches!(reason, HaltReason::OutOfGas(_)) {
            return Self::server("out of gas");
        }
        if matches!(reason, HaltReason::CreateContractSizeLimit) {
            return Self::server(format!("max code size exceeded: limit {MAX_CODE_SIZE}"));
        }
        if matches!(reason, HaltReason::OpcodeNotFound | HaltReason::NotActivated) {
            return Self::server(format!("invalid opcode: {reason}"));
        }
        Self::server(reason.to_string())
    }

    /// The output of a call, or why it has none.
    pub(crate) fn output_of(result: ExecutionResult) -> Result<Bytes, Self> {
        match result {
            ExecutionResult::Success { output, .. } => Ok(output.into_data()),
            ExecutionResult::Revert { output, .. } => Err(Self::reverted(&output)),
            ExecutionResult::Halt { reason, .. } => Err(Self::halted(&reason)),
        }
    }
}

/// The words of a revert, if it has any: `require` with a message, or a panic of the compiler's.
fn reason(output: &[u8]) -> Option<String> {
    Revert::abi_decode(output)
        .map(|revert| revert.reason)
        .or_else(|_| Panic::abi_decode(output).map(|panic| panic.to_string()))
        .ok()
}

impl From<Refusal> for RpcError {
    fn from(refusal: Refusal) -> Self {
        Self::server(refusal.to_string())
    }
}

impl From<Error> for RpcError {
    fn from(error: Error) -> Self {
        Self::invalid_params(error.to_string())
    }
}

impl From<InvalidTransaction> for RpcError {
    fn from(invalid: InvalidTransaction) -> Self {
        if let InvalidTransaction::LackOfFundForMaxFee { fee, balance } = &invalid {
            let words = "insufficient funds for gas * price + value";
            return Self::server(format!("{words}: have {balance} want {fee}"));
        }
        if matches!(invalid, InvalidTransaction::CreateInitCodeSizeLimit) {
            return Self::server(format!("max initcode size exceeded: limit {MAX_INITCODE_SIZE}"));
        }
        Self::from(Refusal::from(invalid))
    }
}
