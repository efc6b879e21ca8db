//! Transactions on their way into the pool, and what the chain's own accounts sign.

use alloy::{
    consensus::{
        SignableTransaction as _, TxEnvelope, TypedTransaction,
        transaction::{Recovered, SignerRecoverable as _},
    },
    eips::eip2718::{Decodable2718 as _, Encodable2718 as _},
    primitives::{Address, Bytes, TxKind},
    rpc::types::TransactionRequest,
    signers::{SignerSync as _, local::PrivateKeySigner},
};
use serde_json::{Value, json};

use super::{
    calls,
    fees::{SUGGESTED_TIP, gas_price},
};
use crate::{
    error::Refusal,
    node::Node,
    rpc::{Params, RpcError},
};

pub(super) fn send_raw(node: &Node, params: &Params) -> Result<Value, RpcError> {
    let raw: Bytes = params.required(0, "transaction")?;
    let transaction = TxEnvelope::decode_2718_exact(&raw)
        .map_err(|cause| RpcError::invalid_params(format!("rlp: {cause}")))?;
    let transaction = transaction
        .try_into_recovered()
        .map_err(|cause| Refusal::InvalidSender(cause.to_string()))?;
    Ok(json!(node.chain().submit(transaction)?))
}

/// `eth_sendTransaction`, for the accounts whose keys the chain has.
pub(super) fn send(node: &Node, params: &Params) -> Result<Value, RpcError> {
    let transaction = signed(node, params)?;
    Ok(json!(node.chain().submit(transaction)?))
}

pub(super) fn sign_transaction(node: &Node, params: &Params) -> Result<Value, RpcError> {
    let transaction = signed(node, params)?;
    Ok(json!({ "raw": Bytes::from(transaction.encoded_2718()), "tx": transaction.inner() }))
}

fn signed(node: &Node, params: &Params) -> Result<Recovered<TxEnvelope>, RpcError> {
    let mut request: TransactionRequest = params.required(0, "transaction")?;
    let signer = signer_of(node, request.from.unwrap_or_default())?;
    request.from = Some(signer.address());
    request.to = Some(request.to.unwrap_or(TxKind::Create));
    if request.gas.is_none() {
        let gas = calls::estimate_gas(node, params)?;
        request.gas = serde_json::from_value(gas)
            .map(|gas: alloy::primitives::U64| Some(gas.to()))
            .map_err(|cause| RpcError::internal(cause.to_string()))?;
    }
    fill(node, signer.address(), &mut request);
    request.normalize_input();
    let unsigned = request.build_typed_tx().map_err(|request| {
        RpcError::invalid_params(format!("fields that do not go together: {request:?}"))
    })?;
    sign(signer, unsigned)
}

/// Fills in what the sender left out.
fn fill(node: &Node, sender: Address, request: &mut TransactionRequest) {
    let chain = node.chain();
    request.nonce.get_or_insert_with(|| chain.pending_nonce(sender));
    request.chain_id.get_or_insert(chain.rules.chain_id);
    if request.gas_price.is_some() {
        return;
    }
    match chain.next_base_fee() {
        None => request.gas_price = Some(gas_price(&chain)),
        Some(base_fee) => {
            let tip = *request.max_priority_fee_per_gas.get_or_insert(SUGGESTED_TIP);
            request.max_fee_per_gas.get_or_insert_with(|| 2 * u128::from(base_fee) + tip);
        }
    }
}

fn sign(
    signer: &PrivateKeySigner,
    unsigned: TypedTransaction,
) -> Result<Recovered<TxEnvelope>, RpcError> {
    let signature = signer
        .sign_hash_sync(&unsigned.signature_hash())
        .map_err(|cause| RpcError::internal(cause.to_string()))?;
    let transaction: TxEnvelope = unsigned.into_signed(signature).into();
    Ok(Recovered::new_unchecked(transaction, signer.address()))
}

/// `eth_sign(address, message)` and `personal_sign(message, address)`.
pub(super) fn sign_message(
    node: &Node,
    params: &Params,
    address: usize,
    message: usize,
) -> Result<Value, RpcError> {
    let signer = signer_of(node, params.required(address, "address")?)?;
    let message: Bytes = params.required(message, "message")?;
    let signature =
        signer.sign_message_sync(&message).map_err(|why| RpcError::internal(why.to_string()))?;
    Ok(json!(Bytes::from(signature.as_bytes().to_vec())))
}

fn signer_of(node: &Node, address: Address) -> Result<&PrivateKeySigner, RpcError> {
    node.accounts.signer_of(address).ok_or_else(|| RpcError::server("unknown account"))
}
