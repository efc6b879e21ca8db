//! What the pool takes, what it refuses, and what comes of it.

use alloy::{
    consensus::Transaction as _,
    eips::eip2718::Encodable2718 as _,
    network::{NetworkTransactionBuilder as _, TransactionBuilder as _},
    primitives::{Address, Bytes, U256, address, bytes},
    providers::Provider as _,
    rpc::types::{AccessList, TransactionRequest},
};
use photon_devchain::{DevChain, Hardfork, Mining};
use serde_json::json;

use crate::support::{http, rpc, signer, start, start_with, token, ws};

const STRANGER: Address = address!("0x00000000000000000000000000000000000a11ce");
const ETHER: U256 = U256::from_limbs([1_000_000_000_000_000_000, 0, 0, 0]);

/// A transfer of one coin that lacks nothing but a signature.
fn transfer(nonce: u64) -> TransactionRequest {
    TransactionRequest::default()
        .to(STRANGER)
        .value(ETHER)
        .nonce(nonce)
        .gas_limit(21_000)
        .max_fee_per_gas(20_000_000_000)
        .max_priority_fee_per_gas(1_000_000_000)
        .with_chain_id(1337)
}

async fn raw(chain: &DevChain, request: TransactionRequest) -> Bytes {
    let wallet = alloy::network::EthereumWallet::from(signer(chain, 0));
    request.build(&wallet).await.unwrap().encoded_2718().into()
}

async fn send(chain: &DevChain, request: TransactionRequest) -> Result<String, String> {
    let sent = rpc(chain, "eth_sendRawTransaction", json!([raw(chain, request).await])).await;
    sent.map(|hash| hash.as_str().unwrap().to_owned())
        .map_err(|error| error["message"].as_str().unwrap().to_owned())
}

async fn refusal(chain: &DevChain, request: TransactionRequest) -> String {
    send(chain, request).await.unwrap_err()
}

#[tokio::test]
async fn the_accounts_are_those_of_the_well_known_mnemonic() {
    let chain = start().await;
    let accounts = chain.accounts();
    assert_eq!(accounts.len(), 10);
    assert_eq!(accounts[0].0, address!("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"));
    assert_eq!(accounts[9].0, address!("0xa0Ee7A142d267C1f36714E4a8F75612F20a79720"));
    let provider = http(&chain, 0);
    assert_eq!(provider.get_accounts().await.unwrap()[9], accounts[9].0);
    let balance = provider.get_balance(accounts[9].0).await.unwrap();
    assert_eq!(balance, U256::from(10_000) * ETHER);
}

#[tokio::test]
async fn alloy_sends_coins_with_dynamic_fees() {
    let chain = start().await;
    let provider = http(&chain, 0);
    let request = TransactionRequest::default().to(STRANGER).value(ETHER);
    let receipt = provider.send_transaction(request).await.unwrap().get_receipt().await.unwrap();
    assert!(receipt.status());
    assert_eq!(receipt.gas_used, 21_000);
    assert_eq!(receipt.block_number, Some(1));
    assert_eq!(provider.get_balance(STRANGER).await.unwrap(), ETHER);
    let found = provider.get_transaction_by_hash(receipt.transaction_hash).await.unwrap().unwrap();
    assert_eq!(found.inner.tx_type() as u8, 2);
    assert_eq!(found.inner.signer(), chain.accounts()[0].0);
}

#[tokio::test]
async fn legacy_and_access_list_transactions_are_taken_too() {
    let chain = start().await;
    let provider = http(&chain, 0);
    let legacy = TransactionRequest::default().to(STRANGER).value(ETHER).gas_price(5_000_000_000);
    let listed = legacy.clone().access_list(AccessList::default());
    for (request, kind) in [(legacy, 0), (listed, 1)] {
        let sent = provider.send_transaction(request).await.unwrap();
        let receipt = sent.get_receipt().await.unwrap();
        assert!(receipt.status());
        assert_eq!(receipt.inner.tx_type() as u8, kind);
        assert_eq!(receipt.effective_gas_price, 5_000_000_000);
    }
}

#[tokio::test]
async fn a_contract_is_deployed_and_called_over_http_and_websocket() {
    let chain = start().await;
    for provider in [http(&chain, 0), ws(&chain, 0).await] {
        let token = token(&chain, &provider).await;
        let sent = token.transfer(STRANGER, U256::from(400)).send().await.unwrap();
        let receipt = sent.get_receipt().await.unwrap();
        assert_eq!(receipt.inner.logs().len(), 1);
        assert_eq!(token.balanceOf(STRANGER).call().await.unwrap(), U256::from(400));
    }
}

#[tokio::test]
async fn the_node_signs_for_its_own_accounts() {
    let chain = start().await;
    let from = chain.accounts()[3].0;
    let request = json!([{ "from": from, "to": STRANGER, "value": "0x1" }]);
    let hash = rpc(&chain, "eth_sendTransaction", request).await.unwrap();
    let receipt = rpc(&chain, "eth_getTransactionReceipt", json!([hash])).await.unwrap();
    assert_eq!(receipt["status"], "0x1");
    let foreign = json!([{ "from": STRANGER, "to": STRANGER }]);
    let error = rpc(&chain, "eth_sendTransaction", foreign).await.unwrap_err();
    let words = format!("unknown account: the chain has no key of {STRANGER}");
    assert_eq!(error["message"], words);
}

#[tokio::test]
async fn what_cannot_be_executed_is_refused_in_the_words_of_geth() {
    let chain = start().await;
    send(&chain, transfer(0)).await.unwrap();
    let words = [
        (transfer(0), "already known"),
        (transfer(0).value(U256::ONE), "nonce too low: next nonce 1, tx nonce 0"),
        (transfer(9_999), "nonce too high"),
        (transfer(1).with_chain_id(1), "invalid chain id for signer: have 1 want 1337"),
        (
            transfer(1).value(ETHER * U256::from(10_000)),
            "insufficient funds for gas * price + value",
        ),
        (transfer(1).gas_limit(20_999), "intrinsic gas too low: gas 20999, minimum needed 21000"),
        (transfer(1).gas_limit(40_000_000), "exceeds block gas limit"),
        (transfer(1).gas_limit(17_000_000), "transaction gas limit too high (cap: 16777216"),
        (
            transfer(1).max_priority_fee_per_gas(21_000_000_000),
            "max priority fee per gas higher than max fee per gas",
        ),
        (
            transfer(1).max_fee_per_gas(1).max_priority_fee_per_gas(0),
            "max fee per gas less than block base fee",
        ),
    ];
    for (request, expected) in words {
        let got = refusal(&chain, request).await;
        assert!(got.starts_with(expected), "{got}, expected {expected}");
    }
    assert_eq!(chain.block_number(), 1);
}

#[tokio::test]
async fn a_transaction_without_replay_protection_is_refused() {
    let chain = start().await;
    let mut request = transfer(0).gas_price(5_000_000_000);
    (request.chain_id, request.max_fee_per_gas, request.max_priority_fee_per_gas) =
        (None, None, None);
    let got = refusal(&chain, request).await;
    assert!(got.starts_with("only replay-protected"), "{got}");
}

#[tokio::test]
async fn a_transaction_after_a_gap_waits_until_the_gap_is_filled() {
    let chain = start().await;
    let provider = http(&chain, 0);
    let account = chain.accounts()[0].0;
    let waiting = send(&chain, transfer(1)).await.unwrap();
    assert_eq!(chain.block_number(), 0);
    assert_eq!(provider.get_transaction_count(account).pending().await.unwrap(), 0);
    let found = provider.get_transaction_by_hash(waiting.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(found.block_hash, None);
    send(&chain, transfer(0)).await.unwrap();
    assert_eq!(chain.block_number(), 2);
    assert_eq!(provider.get_transaction_count(account).await.unwrap(), 2);
}

#[tokio::test]
async fn a_waiting_transaction_is_replaced_by_one_that_pays_a_tenth_more() {
    let chain = start_with(Mining::Manual, Hardfork::Osaka).await;
    let provider = http(&chain, 0);
    let first = send(&chain, transfer(0)).await.unwrap();
    let pays = |fee, tip| transfer(0).max_fee_per_gas(fee).max_priority_fee_per_gas(tip);
    let underpriced = "replacement transaction underpriced";
    assert_eq!(refusal(&chain, pays(21_900_000_000, 1_100_000_000)).await, underpriced);
    assert_eq!(refusal(&chain, pays(22_000_000_000, 1_000_000_000)).await, underpriced);
    let second = send(&chain, pays(22_000_000_000, 1_100_000_000)).await.unwrap();
    chain.mine(1);
    let receipt_of = |hash: &str| provider.get_transaction_receipt(hash.parse().unwrap());
    assert!(receipt_of(&first).await.unwrap().is_none());
    assert!(receipt_of(&second).await.unwrap().is_some());
    assert_eq!(provider.get_balance(STRANGER).await.unwrap(), ETHER);
}

#[tokio::test]
async fn a_transaction_below_the_base_fee_waits_until_the_base_fee_falls() {
    let chain = start_with(Mining::Manual, Hardfork::Osaka).await;
    // The genesis block is empty and had 1 gwei: the first block has 0.875.
    let fee = 600_000_000;
    send(&chain, transfer(0).max_fee_per_gas(fee).max_priority_fee_per_gas(0)).await.unwrap();
    chain.mine(3);
    let provider = http(&chain, 0);
    assert_eq!(provider.get_balance(STRANGER).await.unwrap(), U256::ZERO);
    chain.mine(1);
    assert_eq!(provider.get_balance(STRANGER).await.unwrap(), ETHER);
    let block = provider.get_block_by_number(4.into()).full().await.unwrap().unwrap();
    assert!(u128::from(block.header.base_fee_per_gas.unwrap()) <= fee);
    let transactions = block.transactions.into_transactions_vec();
    assert_eq!(transactions[0].max_fee_per_gas(), fee);
}

#[tokio::test]
async fn a_failed_transaction_has_a_receipt_and_costs_gas() {
    let chain = start().await;
    let provider = http(&chain, 0);
    // PUSH1 0 PUSH1 0 REVERT
    let request = TransactionRequest::default()
        .create()
        .input(bytes!("60006000fd").into())
        .gas_limit(100_000);
    let receipt = provider.send_transaction(request).await.unwrap().get_receipt().await.unwrap();
    assert!(!receipt.status());
    assert_eq!(receipt.contract_address, None);
    assert!(receipt.gas_used > 53_000);
}
