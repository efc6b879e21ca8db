//! Calls, estimates, and the state at past blocks.

use alloy::{
    eips::BlockId,
    primitives::{Address, Bytes, U256, address, bytes},
    providers::Provider as _,
    rpc::types::{TransactionRequest, state::AccountOverride},
};
use photon_devchain::{Config, DevChain};
use serde_json::json;

use crate::support::{TestToken, address, http, rpc, start, token};

const STRANGER: Address = address!("0x00000000000000000000000000000000000a11ce");

#[tokio::test]
async fn a_revert_carries_its_data_and_is_decoded() {
    let chain = start().await;
    let token = token(&chain, &http(&chain, 0)).await;
    let failed = token.transfer(STRANGER, U256::from(1_001)).call().await.unwrap_err();
    let error = failed.as_decoded_error::<TestToken::InsufficientBalance>().unwrap();
    assert_eq!(error.balance, U256::from(1_000));
    let payload = failed.as_revert_data().unwrap();
    let call = json!({
        "from": address(&chain, 0), "to": token.address(),
        "data": token.transfer(STRANGER, U256::from(1_001)).calldata(),
    });
    for method in ["eth_call", "eth_estimateGas"] {
        let raw = rpc(&chain, method, json!([call])).await.unwrap_err();
        assert_eq!(raw["code"], 3);
        assert_eq!(raw["message"], "execution reverted");
        assert_eq!(raw["data"], json!(payload));
    }
}

#[tokio::test]
async fn calls_at_past_blocks_see_their_state() {
    let chain = start().await;
    let provider = http(&chain, 0);
    let token = token(&chain, &provider).await;
    let before = chain.block_number();
    let _ = token.transfer(STRANGER, U256::from(10)).send().await.unwrap();
    let balance_at =
        async |block| token.balanceOf(STRANGER).block(BlockId::number(block)).call().await.unwrap();
    assert_eq!(balance_at(before).await, U256::ZERO);
    assert_eq!(balance_at(before + 1).await, U256::from(10));
    let code = provider.get_code_at(*token.address()).block_id(0.into()).await.unwrap();
    assert!(code.is_empty());
}

#[tokio::test]
async fn the_state_of_a_block_too_old_is_refused() {
    let chain = DevChain::start(Config { history: 4, ..Config::default() }).await.unwrap();
    chain.mine(10);
    let account = address(&chain, 0);
    let ask = |block: &'static str| rpc(&chain, "eth_getBalance", json!([account, block]));
    assert!(ask("0x7").await.is_ok());
    let words = "missing trie node: the state of block 6 is not kept any more, \
                 the oldest is that of 7";
    assert_eq!(ask("0x6").await.unwrap_err()["message"], words);
    let words = "header not found: block 0xb, the head is 10";
    assert_eq!(ask("0xb").await.unwrap_err()["message"], words);
}

#[tokio::test]
async fn overrides_hold_for_one_call() {
    let chain = start().await;
    let provider = http(&chain, 0);
    // Returns the balance of the account itself: SELFBALANCE PUSH1 0 MSTORE PUSH1 32 PUSH1 0 RETURN
    let code: Bytes = bytes!("4760005260206000f3");
    let account = AccountOverride {
        balance: Some(U256::from(77)),
        code: Some(code),
        ..AccountOverride::default()
    };
    let call = TransactionRequest::default().to(STRANGER);
    let output = provider.call(call.clone()).account_override(STRANGER, account).await.unwrap();
    assert_eq!(U256::from_be_slice(&output), U256::from(77));
    assert!(provider.call(call).await.unwrap().is_empty());
}

/// Calls itself with all the gas it has until the depth in the calldata is reached, then writes a
/// word: so that each level keeps back a 64th.
#[tokio::test]
async fn an_estimate_is_enough_when_calls_keep_back_a_64th() {
    let chain = start().await;
    let provider = http(&chain, 0);
    let runtime = bytes!(
        "6000358015601d57" // the depth; if it is 0, go on at 0x1d
        "60019003600052" // one less
        "5f5f60205f5f305af1" // call itself with that
        "1560245700" // if it failed, go on at 0x24
        "5b600160005500" // 0x1d: write a word
        "5b5f5ffd" // 0x24: revert
    );
    let mut init = vec![0x60, u8::try_from(runtime.len()).unwrap(), 0x60, 0x0a, 0x5f, 0x39];
    init.extend([0x60, u8::try_from(runtime.len()).unwrap(), 0x5f, 0xf3]);
    init.extend_from_slice(&runtime);
    let create = TransactionRequest::default().create().input(init.into());
    let sent = provider.send_transaction(create).await.unwrap();
    let contract = sent.get_receipt().await.unwrap().contract_address.unwrap();
    let depth = U256::from(20).to_be_bytes::<32>();
    let call = TransactionRequest::default()
        .from(address(&chain, 0))
        .to(contract)
        .input(Bytes::from(depth).into());
    let gas = provider.estimate_gas(call.clone()).await.unwrap();
    let sent = provider.send_transaction(call.clone().gas_limit(gas)).await.unwrap();
    let receipt = sent.get_receipt().await.unwrap();
    assert!(receipt.status());
    assert!(gas > receipt.gas_used, "{gas} is no more than was used");
    // What was used is not enough, in the same place.
    let before = BlockId::number(receipt.block_number.unwrap() - 1);
    let tried = provider.call(call.gas_limit(receipt.gas_used)).block(before).await;
    assert!(tried.unwrap_err().to_string().contains("execution reverted"));
}

#[tokio::test]
async fn a_plain_transfer_is_estimated_exactly() {
    let chain = start().await;
    let provider = http(&chain, 0);
    let transfer =
        TransactionRequest::default().from(address(&chain, 0)).to(STRANGER).value(U256::ONE);
    assert_eq!(provider.estimate_gas(transfer.clone()).await.unwrap(), 21_000);
    let poor = provider.estimate_gas(transfer.from(STRANGER)).await.unwrap_err();
    assert!(poor.to_string().contains("insufficient funds"), "{poor}");
}

#[tokio::test]
async fn fees_follow_the_blocks() {
    let chain = start().await;
    let provider = http(&chain, 0);
    chain.mine(2);
    let history = provider.get_fee_history(10, "latest".parse().unwrap(), &[20.0]).await.unwrap();
    assert_eq!(history.oldest_block, 0);
    let fees = [1_000_000_000, 875_000_000, 765_625_000, 669_921_875];
    assert_eq!(history.base_fee_per_gas, fees);
    assert_eq!(history.reward.unwrap(), vec![vec![0]; 3]);
    assert_eq!(provider.get_gas_price().await.unwrap(), 1_669_921_875);
}
