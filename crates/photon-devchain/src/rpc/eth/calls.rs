//! Calls that change nothing, and how much gas they would take.

use alloy::{
    consensus::Header,
    eips::BlockId,
    primitives::{TxKind, U64, U256},
    rpc::types::{
        BlockOverrides, TransactionRequest,
        state::{AccountOverride, StateOverride},
    },
};
use revm::context::{
    TxEnv,
    either::Either,
    result::{ExecutionResult, HaltReason},
};
use serde_json::{Value, json};

use crate::{
    error::Refusal,
    execute::{Outcome, Rules},
    node::Node,
    rpc::{Method, Params, RpcError},
    state::State,
};

pub(super) const METHODS: &[Method] = &[("eth_call", call), ("eth_estimateGas", estimate_gas)];

/// The most gas that one call may use.
const CALL_GAS_CAP: u64 = 50_000_000;

/// What a call without data to an account without code takes.
const TRANSFER_GAS: u64 = 21_000;

/// An estimate may be above the least gas by this much, in thousandths.
const TOLERANCE: u64 = 15;

/// Where a call runs.
pub(super) struct Place {
    pub(super) rules: Rules,
    pub(super) header: Header,
    pub(super) state: State,
}

impl Place {
    pub(super) fn run(&self, call: TxEnv) -> Result<Outcome, RpcError> {
        Ok(self.rules.call(&self.state, &self.header, call)?)
    }
}

/// `eth_call(request, block, state overrides, block overrides)`.
fn call(node: &Node, params: &Params) -> Result<Value, RpcError> {
    let request: TransactionRequest = params.required(0, "call")?;
    let place = place(node, params, BlockId::latest())?;
    let gas = gas_of(&request);
    let call = call_env(place.rules, request, gas)?;
    let output = RpcError::output_of(place.run(call)?.result)?;
    Ok(json!(output))
}

/// The gas that a call may use.
pub(super) fn gas_of(request: &TransactionRequest) -> u64 {
    request.gas.unwrap_or(CALL_GAS_CAP).min(CALL_GAS_CAP)
}

/// `eth_estimateGas(request, block, state overrides)`, by default on the pending block: that is
/// the earliest in which the transaction can be.
fn estimate_gas(node: &Node, params: &Params) -> Result<Value, RpcError> {
    let request: TransactionRequest = params.required(0, "call")?;
    let place = place(node, params, BlockId::pending())?;
    Ok(json!(U64::from(estimate_at(&place, request)?)))
}

/// The gas for a transaction in the next block.
pub(super) fn estimate_for(node: &Node, request: TransactionRequest) -> Result<u64, RpcError> {
    estimate_at(&place_of(node, BlockId::pending())?, request)
}

fn estimate_at(place: &Place, request: TransactionRequest) -> Result<u64, RpcError> {
    let cap = place.header.gas_limit.min(place.rules.transaction_gas_cap());
    let gas = request.gas.unwrap_or(cap).min(cap);
    estimate(place, call_env(place.rules, request, gas)?)
}

/// The chain is locked only while the state is copied, which costs nothing.
fn place_of(node: &Node, id: BlockId) -> Result<Place, RpcError> {
    let mut chain = node.chain();
    let place = chain.place(id).ok_or_else(|| chain.header_not_found(id))?;
    let context = chain.context(&place);
    let (header, state) = context.ok_or_else(|| chain.state_not_kept(chain.number_at(&place)))?;
    Ok(Place { rules: chain.rules, header, state })
}

/// The place that the second parameter names, changed as the third and the fourth say.
pub(super) fn place(node: &Node, params: &Params, default: BlockId) -> Result<Place, RpcError> {
    let id = params.optional(1, "block")?.unwrap_or(default);
    let accounts: Option<StateOverride> = params.optional(2, "state overrides")?;
    let block: Option<BlockOverrides> = params.optional(3, "block overrides")?;
    let mut place = place_of(node, id)?;
    if let Some(accounts) = accounts {
        check_overrides(&accounts)?;
        place.state.override_with(accounts);
    }
    if let Some(block) = block {
        override_header(&mut place.header, block)?;
    }
    Ok(place)
}

fn check_overrides(accounts: &StateOverride) -> Result<(), RpcError> {
    let refused = |address, why: &str| {
        let why = format!("invalid argument 2 (state overrides): account {address} {why}");
        Err(RpcError::invalid_params(why))
    };
    for (address, account) in accounts {
        let AccountOverride { state, state_diff, move_precompile_to, .. } = account;
        if state.is_some() && state_diff.is_some() {
            return refused(address, "has both 'state' and 'stateDiff'");
        }
        if move_precompile_to.is_some() {
            return refused(address, "has 'movePrecompileToAddress', which is not supported");
        }
    }
    Ok(())
}

fn override_header(header: &mut Header, block: BlockOverrides) -> Result<(), RpcError> {
    let small = |name: &str, value: U256| {
        u64::try_from(value).map_err(|_| {
            let why = format!("invalid argument 3 (block overrides): {name} {value} is too large");
            RpcError::invalid_params(why)
        })
    };
    if let Some(number) = block.number {
        header.number = small("number", number)?;
    }
    if let Some(base_fee) = block.base_fee {
        header.base_fee_per_gas = Some(small("baseFeePerGas", base_fee)?);
    }
    header.difficulty = block.difficulty.unwrap_or(header.difficulty);
    header.timestamp = block.time.unwrap_or(header.timestamp);
    header.gas_limit = block.gas_limit.unwrap_or(header.gas_limit);
    header.beneficiary = block.coinbase.unwrap_or(header.beneficiary);
    header.mix_hash = block.random.unwrap_or(header.mix_hash);
    Ok(())
}

pub(super) fn call_env(
    rules: Rules,
    request: TransactionRequest,
    gas: u64,
) -> Result<TxEnv, RpcError> {
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
    let allowance = affordable(place, &call)?;
    if allowance < TRANSFER_GAS {
        return Err(RpcError::gas_above(allowance));
    }
    call.gas_limit = call.gas_limit.min(allowance);
    if is_transfer(place, &call) {
        let gas = TxEnv { gas_limit: TRANSFER_GAS, ..call.clone() };
        if place.run(gas).is_ok_and(|outcome| outcome.result.is_success()) {
            return Ok(TRANSFER_GAS);
        }
    }
    let mut enough = call.gas_limit;
    let first = place.run(call.clone())?.result;
    let spent = first.gas().total_gas_spent();
    if let ExecutionResult::Halt { reason: HaltReason::OutOfGas(_), .. } = &first {
        return Err(RpcError::gas_above(enough));
    }
    RpcError::output_of(first)?;
    let mut too_little = spent.saturating_sub(1);
    let mut guess = spent.saturating_add(2_300).saturating_mul(64) / 63;
    while too_little + 1 < enough && (enough - too_little) > enough * TOLERANCE / 1_000 {
        let gas = guess.clamp(too_little + 1, enough - 1);
        let tried = place.run(TxEnv { gas_limit: gas, ..call.clone() });
        if tried.is_ok_and(|outcome| outcome.result.is_success()) {
            enough = gas;
        } else {
            too_little = gas;
        }
        guess = too_little + (enough - too_little) / 2;
    }
    Ok(enough)
}

/// The gas that the caller can pay for at the price offered; anything if none is offered.
fn affordable(place: &Place, call: &TxEnv) -> Result<u64, RpcError> {
    let (address, balance) = (call.caller, place.state.balance_of(call.caller));
    let Some(left) = balance.checked_sub(call.value) else {
        let cost = call.value;
        return Err(Refusal::InsufficientFunds { address, balance, cost }.into());
    };
    Ok(left.checked_div(U256::from(call.gas_price)).map_or(u64::MAX, |gas| gas.saturating_to()))
}

fn is_transfer(place: &Place, call: &TxEnv) -> bool {
    let TxKind::Call(to) = call.kind else { return false };
    call.data.is_empty() && place.state.code_of(to).is_empty() && call.gas_limit >= TRANSFER_GAS
}
