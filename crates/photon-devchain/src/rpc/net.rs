//! `net_`, `web3_` and `rpc_`.

use alloy::primitives::{Bytes, keccak256};
use serde_json::json;

use super::Method;

/// What the node says it is.
pub(super) const CLIENT: &str = concat!("photon-devchain/v", env!("CARGO_PKG_VERSION"));

pub(super) const METHODS: &[Method] = &[
    ("net_version", |node, _| Ok(json!(node.chain().rules.chain_id.to_string()))),
    ("net_listening", |_, _| Ok(json!(true))),
    ("net_peerCount", |_, _| Ok(json!("0x0"))),
    ("web3_clientVersion", |_, _| Ok(json!(CLIENT))),
    ("web3_sha3", |_, params| {
        let data: Bytes = params.required(0, "data")?;
        Ok(json!(keccak256(data)))
    }),
    ("rpc_modules", |_, _| {
        let version = "1.0";
        Ok(json!({
            "anvil": version, "eth": version, "evm": version, "net": version,
            "personal": version, "rpc": version, "txpool": version, "web3": version,
        }))
    }),
];
