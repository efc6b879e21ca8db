//! Calls that change nothing, and how much gas they would take.

use alloy::{
    consensus::Header,
    eips::BlockId,
    primitives::{TxKind, U64, U256},
    rpc::types::{TransactionRequest, state::StateOverride},
};
use revm::context::{TxEnv, either::Either, result::ExecutionResult};
use serde_json::{Value, json};

use crate::{
    execute::Rules,
    node::Node,
    rpc::{Params, RpcError},
    state::State,
};

/// The most gas that one call may use.
const CALL_GAS_CAP: u64 = 50_000_000;

/// What a call without data to an account without code takes.
const TRANSFER_GAS: u64 = 21_000;

/// An estimate may be above the least gas by this much, in thousandths.
const TOLERANCE: u64 = 15;

/// Where a call runs.
struct Place {
    rules: Rules,
    header: Header,
    state: State,
}

impl Place {
    fn run(&self, call: TxEnv) -> Result<ExecutionResult, RpcError> {
        let outcome = self.rules.call(&self.state, &self.header, call)?;
        Ok(outcome.result)
    }
}

/// `eth_call(request, block, state overrides)`.
pub(super) fn call(node: &Node, params: &Params) -> Result<Value, RpcError> {
    let request: TransactionRequest = params.required(0, "call")?;
    let place = place(node, params, BlockId::latest())?;
    let gas = request.gas.unwrap_or(CALL_GAS_CAP).min(CALL_GAS_CAP);
    let call = call_env(place.rules, request, gas)?;
    let output = RpcError::output_of(place.run(call)?)?;
    Ok(json!(output))
}

/// `eth_estimateGas(request, block, state overrides)`, by default on the pending block: that is
/// the earliest in which the transaction can be.
pub(super) fn estimate_gas(node: &Node, params: &Params) -> Result<Value, RpcError> {
    let request: TransactionRequest = params.required(0, "call")?;
    let place = place(node, params, BlockId::pending())?;
    let cap = place.header.gas_limit.min(place.rules.transaction_gas_cap());
    let call = call_env(place.rules, request.clone(), request.gas.unwrap_or(cap).min(cap))?;
    estimate(&place, call).map(|gas| json!(U64::from(gas)))
}

/// The chain is locked only while the state is copied, which costs nothing.
fn place(node: &Node, params: &Params, default: BlockId) -> Result<Place, RpcError> {
    let id = params.optional(1, "block")?.unwrap_or(default);
    let overrides: Option<StateOverride> = params.optional(2, "state overrides")?;
    let mut chain = node.chain();
    let rules = chain.rules;
    let place = chain.place(id).ok_or_else(RpcError::header_not_found)?;
    let (header, mut state) = chain.context(&place).ok_or_else(RpcError::state_not_kept)?;
    drop(chain);
    if let Some(overrides) = overrides {
        state.override_with(overrides);
    }
    Ok(Place { rules, header, state })
}

fn call_env(rules: Rules, request: TransactionRequest, gas: u64) -> Result<TxEnv, RpcError> {
    if request.gas_price.is_some() && request.max_fee_per_gas.is_some() {
        let why = "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified";
        return Err(RpcError::invalid_params(why));
    }
    if let Some(got) = request.chain_id.filter(|id| *id != rules.chain_id) {
        let why = format!("chainId does not match node's (have={got}, want={})", rules.chain_id);
        return Err(RpcError::invalid_params(why));
    }
    let mut call = TxEnv {
        caller: request.from.unwrap_or_default(),
        gas_limit: gas,
        gas_price: request.gas_price.or(request.max_fee_per_gas).unwrap_or_default(),
        gas_priority_fee: request.max_priority_fee_per_gas,
        kind: request.to.unwrap_or(TxKind::Create),
        value: request.value.unwrap_or_default(),
        data: request.input.input().cloned().unwrap_or_default(),
        nonce: 0,
        chain_id: Some(rules.chain_id),
        access_list: request.access_list.unwrap_or_default(),
        authorization_list: request
            .authorization_list
            .unwrap_or_default()
            .into_iter()
            .map(Either::Left)
            .collect(),
        ..TxEnv::default()
    };
    call.derive_tx_type().map_err(|cause| RpcError::invalid_params(cause.to_string()))?;
    Ok(call)
}

/// The least gas with which the call succeeds, or a little more.
///
/// What it uses is not enough: refunds come at the end, and a call inside gets at most 63/64 of
/// what is left. So the answer is searched for between two limits.
fn estimate(place: &Place, mut call: TxEnv) -> Result<u64, RpcError> {
    call.gas_limit = call.gas_limit.min(affordable(place, &call));
    if is_transfer(place, &call) {
        let gas = TxEnv { gas_limit: TRANSFER_GAS, ..call.clone() };
        if place.run(gas).is_ok_and(|result| result.is_success()) {
            return Ok(TRANSFER_GAS);
        }
    }
    let mut enough = call.gas_limit;
    let first = place.run(call.clone())?;
    let spent = first.gas().total_gas_spent();
    RpcError::output_of(first)?;
    let mut too_little = spent.saturating_sub(1);
    let mut guess = spent.saturating_add(2_300).saturating_mul(64) / 63;
    while too_little + 1 < enough && (enough - too_little) > enough * TOLERANCE / 1_000 {
        let gas = guess.clamp(too_little + 1, enough - 1);
        let tried = place.run(TxEnv { gas_limit: gas, ..call.clone() });
        if tried.is_ok_and(|result| result.is_success()) {
            enough = gas;
        } else {
            too_little = gas;
        }
        guess = too_little + (enough - too_little) / 2;
    }
    Ok(enough)
}

/// The gas that the caller can pay for at the price offered; anything if none is offered.
fn affordable(place: &Place, call: &TxEnv) -> u64 {
    if call.gas_price == 0 {
        return u64::MAX;
    }
    let left = place.state.balance_of(call.caller).saturating_sub(call.value);
    (left / U256::from(call.gas_price)).saturating_to()
}

fn is_transfer(place: &Place, call: &TxEnv) -> bool {
    let TxKind::Call(to) = call.kind else { return false };
    call.data.is_empty() && place.state.code_of(to).is_empty() && call.gas_limit >= TRANSFER_GAS
}
