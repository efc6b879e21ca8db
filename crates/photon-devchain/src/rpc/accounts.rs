//! What the chain's own accounts sign, and `personal_`, under which wallets ask for it.

use alloy::{
    primitives::{Address, Bytes, Signature},
    signers::{SignerSync as _, local::PrivateKeySigner},
};
use alloy_dyn_abi::TypedData;
use serde_json::{Value, json};

use super::{
    Method, Params, RpcError,
    eth::{Unsigned, submit},
};
use crate::node::Node;

pub(super) const METHODS: &[Method] = &[
    ("eth_accounts", |node, _| Ok(accounts(node))),
    ("eth_requestAccounts", |node, _| Ok(accounts(node))),
    ("eth_sign", |node, params| sign_message(node, params, 0, 1)),
    ("eth_signTypedData", sign_typed_data),
    ("eth_signTypedData_v4", sign_typed_data),
    ("personal_listAccounts", |node, _| Ok(accounts(node))),
    ("personal_sign", |node, params| sign_message(node, params, 1, 0)),
    ("personal_ecRecover", recover),
    ("personal_sendTransaction", |node, params| submit(node, params, Unsigned::OfOurs)),
    ("personal_unlockAccount", |node, params| {
        signer_of(node, params, 0)?;
        Ok(json!(true))
    }),
    // The keys are public knowledge: there is nothing to lock.
    ("personal_lockAccount", |_, _| Ok(json!(false))),
];

fn accounts(node: &Node) -> Value {
    json!(node.accounts.addresses().collect::<Vec<_>>())
}

/// `eth_sign(address, message)` and `personal_sign(message, address)`.
fn sign_message(
    node: &Node,
    params: &Params,
    address: usize,
    message: usize,
) -> Result<Value, RpcError> {
    let signer = signer_of(node, params, address)?;
    let message: Bytes = params.required(message, "message")?;
    Ok(shown(signer.sign_message_sync(&message).map_err(internal)?))
}

/// `eth_signTypedData_v4(address, data)`; the data is an object, or a string that holds one.
fn sign_typed_data(node: &Node, params: &Params) -> Result<Value, RpcError> {
    let signer = signer_of(node, params, 0)?;
    let data: TypedData = params.required(1, "typed data")?;
    let hash = data.eip712_signing_hash().map_err(|cause| {
        RpcError::invalid_params(format!("invalid argument 1 (typed data): {cause}"))
    })?;
    Ok(shown(signer.sign_hash_sync(&hash).map_err(internal)?))
}

/// `personal_ecRecover(message, signature)`.
fn recover(_: &Node, params: &Params) -> Result<Value, RpcError> {
    let message: Bytes = params.required(0, "message")?;
    let signature: Bytes = params.required(1, "signature")?;
    let signer = Signature::from_raw(&signature)
        .and_then(|signature| signature.recover_address_from_msg(&message));
    signer.map(|signer| json!(signer)).map_err(|cause| {
        RpcError::invalid_params(format!("invalid argument 1 (signature): {cause}"))
    })
}

fn signer_of<'a>(
    node: &'a Node,
    params: &Params,
    index: usize,
) -> Result<&'a PrivateKeySigner, RpcError> {
    let address: Address = params.required(index, "address")?;
    node.accounts.signer_of(address).ok_or_else(|| RpcError::unknown_account(address))
}

fn shown(signature: Signature) -> Value {
    json!(Bytes::from(signature.as_bytes().to_vec()))
}

fn internal(cause: alloy::signers::Error) -> RpcError {
    RpcError::internal(cause.to_string())
}
