//! Transactions on their way into the pool.

use alloy::{
    consensus::{
        SignableTransaction as _, TxEnvelope, TypedTransaction,
        transaction::{Recovered, SignerRecoverable as _},
    },
    eips::eip2718::{Decodable2718 as _, Encodable2718 as _},
    primitives::{Address, B256, Bytes, Signature, TxKind},
    rpc::types::TransactionRequest,
    signers::SignerSync as _,
};
use serde_json::{Value, json};

use super::{
    calls,
    fees::{SUGGESTED_TIP, gas_price},
};
use crate::{
    error::Refusal,
    execute::stand_in_signature,
    node::Node,
    rpc::{Method, Params, RpcError},
};

pub(super) const METHODS: &[Method] = &[
    ("eth_sendRawTransaction", |node, params| {
        let raw: Bytes = params.required(0, "transaction")?;
        Ok(json!(node.chain().submit(decoded(&raw)?)?))
    }),
    ("eth_sendTransaction", |node, params| submit(node, params, Unsigned::OfOurs)),
    ("eth_sendUnsignedTransaction", |node, params| submit(node, params, Unsigned::OfAnybody)),
    ("eth_signTransaction", |node, params| {
        let transaction = signed(node, params.required(0, "transaction")?, Unsigned::OfOurs)?;
        Ok(json!({ "raw": Bytes::from(transaction.encoded_2718()), "tx": transaction.inner() }))
    }),
];

/// Whose transactions are taken without their signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rpc) enum Unsigned {
    /// Those of the accounts whose keys the chain has, and of the impersonated ones.
    OfOurs,
    /// Those of all accounts.
    OfAnybody,
}

/// A signed transaction as it goes over the wire, with the sender that its signature gives.
pub(in crate::rpc) fn decoded(raw: &Bytes) -> Result<Recovered<TxEnvelope>, RpcError> {
    let transaction = TxEnvelope::decode_2718_exact(raw).map_err(|cause| {
        RpcError::invalid_params(format!("invalid argument 0 (transaction): rlp: {cause}"))
    })?;
    let recovered = transaction.try_into_recovered();
    Ok(recovered.map_err(|cause| Refusal::InvalidSender(cause.to_string()))?)
}

/// Signs the transaction of the first parameter and puts it into the pool.
pub(in crate::rpc) fn submit(
    node: &Node,
    params: &Params,
    whose: Unsigned,
) -> Result<Value, RpcError> {
    let transaction = signed(node, params.required(0, "transaction")?, whose)?;
    let hash: B256 = node.chain().submit(transaction)?;
    Ok(json!(hash))
}

fn signed(
    node: &Node,
    mut request: TransactionRequest,
    whose: Unsigned,
) -> Result<Recovered<TxEnvelope>, RpcError> {
    let sender = request.from.unwrap_or_default();
    let ours = node.accounts.signer_of(sender).is_some() || node.chain().impersonates(sender);
    if !ours && whose == Unsigned::OfOurs {
        return Err(RpcError::unknown_account(sender));
    }
    request.from = Some(sender);
    request.to = Some(request.to.unwrap_or(TxKind::Create));
    if request.gas.is_none() {
        request.gas = Some(calls::estimate_for(node, request.clone())?);
    }
    fill(node, sender, &mut request);
    request.normalize_input();
    let unsigned = request.build_typed_tx().map_err(|request| {
        RpcError::invalid_params(format!("fields that do not go together: {request:?}"))
    })?;
    let signature = signature_of(node, sender, &unsigned)?;
    let transaction: TxEnvelope = unsigned.into_signed(signature).into();
    Ok(Recovered::new_unchecked(transaction, sender))
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
            request
                .max_fee_per_gas
                .get_or_insert_with(|| u128::from(base_fee).saturating_mul(2).saturating_add(tip));
        }
    }
}

fn signature_of(
    node: &Node,
    sender: Address,
    unsigned: &TypedTransaction,
) -> Result<Signature, RpcError> {
    match node.accounts.signer_of(sender) {
        Some(signer) => signer
            .sign_hash_sync(&unsigned.signature_hash())
            .map_err(|cause| RpcError::internal(cause.to_string())),
        None => Ok(stand_in_signature(sender)),
    }
}
