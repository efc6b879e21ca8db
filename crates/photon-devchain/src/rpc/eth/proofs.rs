//! `eth_getProof`: what an account has, with the way to it from the state root.

use alloy::{
    primitives::{Address, B256},
    rpc::types::{EIP1186AccountProofResponse, EIP1186StorageProof},
    serde::JsonStorageKey,
};
use serde_json::Value;

use super::{place, to_json};
use crate::{
    node::Node,
    rpc::{Method, Params, RpcError},
};

pub(super) const METHODS: &[Method] = &[("eth_getProof", proof)];

/// The most slots in one answer: as many as geth takes.
const MAX_SLOTS: usize = 1_024;

/// `eth_getProof(address, slots, block)`.
fn proof(node: &Node, params: &Params) -> Result<Value, RpcError> {
    let address: Address = params.required(0, "address")?;
    let slots: Vec<JsonStorageKey> = params.required(1, "storage keys")?;
    if slots.len() > MAX_SLOTS {
        let why = format!("too many slots: {} asked for, at most {MAX_SLOTS}", slots.len());
        return Err(RpcError::invalid_params(why));
    }
    let mut chain = node.chain();
    let place = place(&chain, params, 2)?;
    let context = chain.context(&place);
    let (header, mut state) =
        context.ok_or_else(|| chain.state_not_kept(chain.number_at(&place)))?;
    drop((chain, header));
    let account_proof = state.account_proof(address);
    let storage_proof = slots
        .into_iter()
        .map(|key| {
            let slot = B256::from(key.as_b256()).into();
            let proof = state.slot_proof(address, slot);
            EIP1186StorageProof { key, value: state.slot_of(address, slot), proof }
        })
        .collect();
    to_json(EIP1186AccountProofResponse {
        address,
        balance: state.balance_of(address),
        code_hash: state.code_hash_of(address),
        nonce: state.nonce_of(address),
        storage_hash: state.storage_root_of(address),
        account_proof,
        storage_proof,
    })
}
