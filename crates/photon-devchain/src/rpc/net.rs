//! `net_` and `web3_`.

use alloy::primitives::{Bytes, keccak256};
use serde_json::{Value, json};

use super::{Params, RpcError};
use crate::node::Node;

pub(super) fn dispatch(node: &Node, method: &str, params: &Params) -> Result<Value, RpcError> {
    match method {
        "net_version" => Ok(json!(node.chain().rules.chain_id.to_string())),
        "net_listening" => Ok(json!(true)),
        "net_peerCount" => Ok(json!("0x0")),
        "web3_clientVersion" => Ok(json!(concat!("photon-devchain/v", env!("CARGO_PKG_VERSION")))),
        "web3_sha3" => {
            let data: Bytes = params.required(0, "data")?;
            Ok(json!(keccak256(data)))
        }
        _ => Err(RpcError::method_not_found(method)),
    }
}
