//! `eth_createAccessList`: what a call touches.

use std::collections::{BTreeMap, BTreeSet};

use alloy::{
    eips::BlockId,
    primitives::{Address, B256, TxKind, U256},
    rpc::types::{AccessList, AccessListItem, AccessListResult, TransactionRequest},
};
use revm::{
    context::TxEnv,
    precompile::{PrecompileSpecId, Precompiles},
    state::EvmState,
};
use serde_json::Value;

use super::{
    calls::{self, Place},
    to_json,
};
use crate::{
    config::Hardfork,
    execute::Outcome,
    node::Node,
    rpc::{Method, Params, RpcError},
};

pub(super) const METHODS: &[Method] = &[("eth_createAccessList", create)];

/// How often a call is tried with the list that its last run gave: it may look at the gas left.
const MAX_ROUNDS: usize = 8;

fn create(node: &Node, params: &Params) -> Result<Value, RpcError> {
    let request: TransactionRequest = params.required(0, "call")?;
    if node.chain().rules.hardfork < Hardfork::Berlin {
        return Err(RpcError::not_on_these_rules("eth_createAccessList", Hardfork::Berlin));
    }
    let place = calls::place(node, params, BlockId::latest())?;
    let mut call = calls::call_env(place.rules, request.clone(), calls::gas_of(&request))?;
    let mut rounds = 0;
    loop {
        let Outcome { result, changes } = place.run(call.clone())?;
        let list = touched(&place, &call, changes);
        rounds += 1;
        if list == call.access_list || rounds == MAX_ROUNDS {
            let gas_used = U256::from(result.tx_gas_used());
            let error = RpcError::output_of(result).err().map(|error| error.message().to_owned());
            return to_json(AccessListResult { access_list: list, gas_used, error });
        }
        call.access_list = list;
        call.derive_tx_type().map_err(|cause| RpcError::invalid_params(cause.to_string()))?;
    }
}

/// The accounts and slots that were loaded, without those that cost nothing to begin with.
fn touched(place: &Place, call: &TxEnv, changes: EvmState) -> AccessList {
    let to = match call.kind {
        TxKind::Call(to) => to,
        TxKind::Create => call.caller.create(place.state.nonce_of(call.caller)),
    };
    let precompiles = Precompiles::new(PrecompileSpecId::from_spec_id(place.rules.hardfork.spec()));
    let free = |address: &Address| {
        [call.caller, to, place.header.beneficiary].contains(address)
            || precompiles.contains(address)
    };
    let by_address: BTreeMap<Address, BTreeSet<B256>> = changes
        .into_iter()
        .map(|(address, account)| {
            (address, account.storage.keys().map(|slot| B256::from(*slot)).collect())
        })
        .filter(|(address, slots): &(_, BTreeSet<B256>)| !slots.is_empty() || !free(address))
        .collect();
    AccessList(
        by_address
            .into_iter()
            .map(|(address, slots)| AccessListItem {
                address,
                storage_keys: slots.into_iter().collect(),
            })
            .collect(),
    )
}
