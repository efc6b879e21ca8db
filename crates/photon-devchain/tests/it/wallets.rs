//! What wallets and libraries ask for besides the most common.

use alloy::{
    consensus::{TrieAccount, constants::KECCAK_EMPTY, proofs::state_root_unhashed},
    eips::eip2718::Encodable2718 as _,
    network::EthereumWallet,
    network::{NetworkTransactionBuilder as _, TransactionBuilder as _},
    primitives::{Address, B256, Bytes, U256, address, keccak256},
    providers::Provider as _,
    rpc::types::TransactionRequest,
};
use futures::StreamExt as _;
use photon_devchain::{DevChain, Hardfork, Mining};
use serde_json::{Value, json};

use crate::support::{http, rpc, signer, start, start_with, token, ws};

const STRANGER: Address = address!("0x00000000000000000000000000000000000a11ce");

async fn raw(chain: &DevChain, request: TransactionRequest) -> Bytes {
    let wallet = EthereumWallet::from(signer(chain, 0));
    let request = request
        .gas_limit(21_000)
        .max_fee_per_gas(20_000_000_000)
        .max_priority_fee_per_gas(1)
        .with_chain_id(chain.chain_id());
    request.build(&wallet).await.unwrap().encoded_2718().into()
}

fn pay(nonce: u64, amount: u64) -> TransactionRequest {
    TransactionRequest::default().to(STRANGER).nonce(nonce).value(U256::from(amount))
}

#[tokio::test]
async fn the_state_root_is_that_of_all_accounts() {
    let chain = start().await;
    let rich = U256::from(10_000) * U256::from(10).pow(U256::from(18));
    let mut accounts: std::collections::BTreeMap<Address, TrieAccount> = chain
        .accounts()
        .into_iter()
        .map(|(address, _)| (address, TrieAccount { balance: rich, ..TrieAccount::default() }))
        .collect();
    let root = async |number: &str| {
        let block = rpc(&chain, "eth_getBlockByNumber", json!([number, false])).await.unwrap();
        block["stateRoot"].as_str().unwrap().parse::<B256>().unwrap()
    };
    assert_eq!(root("0x0").await, state_root_unhashed(accounts.clone()));
    let sent = http(&chain, 0).send_raw_transaction(&raw(&chain, pay(0, 7)).await).await.unwrap();
    let receipt = sent.get_receipt().await.unwrap();
    for address in [STRANGER, Address::ZERO, chain.accounts()[0].0] {
        let balance = http(&chain, 0).get_balance(address).await.unwrap();
        let nonce = u64::from(address == receipt.from);
        let account =
            TrieAccount { balance, nonce, code_hash: KECCAK_EMPTY, ..TrieAccount::default() };
        accounts.insert(address, account);
    }
    assert_eq!(root("0x1").await, state_root_unhashed(accounts));
}

#[tokio::test]
async fn a_proof_begins_at_the_state_root_and_has_the_slots_at_its_end() {
    let chain = start().await;
    let token = token(&chain, &http(&chain, 0)).await;
    let data = token.balanceOf(chain.accounts()[0].0).calldata().clone();
    let call = json!({ "to": token.address(), "data": data });
    let list = rpc(&chain, "eth_createAccessList", json!([call])).await.unwrap();
    let slot = &list["accessList"][0]["storageKeys"][0];
    let proof =
        rpc(&chain, "eth_getProof", json!([token.address(), [slot, "0x99"]])).await.unwrap();
    let block = rpc(&chain, "eth_getBlockByNumber", json!(["latest", false])).await.unwrap();
    let hash = |node: &Value| json!(keccak256(node.as_str().unwrap().parse::<Bytes>().unwrap()));
    assert_eq!(hash(&proof["accountProof"][0]), block["stateRoot"]);
    assert_eq!(hash(&proof["storageProof"][0]["proof"][0]), proof["storageHash"]);
    assert_eq!(proof["storageProof"][0]["value"], "0x3e8");
    assert_eq!(proof["storageProof"][1]["value"], "0x0");
    let last = proof["storageProof"][0]["proof"].as_array().unwrap().last().unwrap();
    assert!(last.as_str().unwrap().ends_with("8203e8"), "a leaf ends with the value: {last}");
    let nobody = rpc(&chain, "eth_getProof", json!([STRANGER, []])).await.unwrap();
    assert_eq!(nobody["codeHash"], json!(KECCAK_EMPTY));
    let many = vec!["0x0"; 1_025];
    let refused = rpc(&chain, "eth_getProof", json!([STRANGER, many])).await.unwrap_err();
    assert_eq!(refused["message"], "too many slots: 1025 asked for, at most 1024");
}

#[tokio::test]
async fn an_access_list_makes_the_call_no_dearer_than_it_says() {
    let chain = start().await;
    let token = token(&chain, &http(&chain, 0)).await;
    let from = chain.accounts()[0].0;
    let call = json!({
        "from": from, "to": token.address(),
        "data": token.transfer(STRANGER, U256::ONE).calldata(),
    });
    let list = rpc(&chain, "eth_createAccessList", json!([call])).await.unwrap();
    assert_eq!(list["accessList"].as_array().unwrap().len(), 1);
    assert_eq!(list["accessList"][0]["storageKeys"].as_array().unwrap().len(), 2);
    let mut with = call.clone();
    with["accessList"] = list["accessList"].clone();
    with["gas"] = list["gasUsed"].clone();
    rpc(&chain, "eth_call", json!([with])).await.unwrap();
    let failing = json!({
        "from": STRANGER, "to": token.address(),
        "data": token.transfer(from, U256::ONE).calldata(),
    });
    let list = rpc(&chain, "eth_createAccessList", json!([failing])).await.unwrap();
    assert_eq!(list["error"], "execution reverted");
}

#[tokio::test]
async fn an_impersonated_contract_sends_until_it_is_stopped() {
    let chain = start().await;
    let token = token(&chain, &http(&chain, 0)).await;
    let from = *token.address();
    chain.set_balance(from, U256::from(10).pow(U256::from(18)));
    let request = json!([{ "from": from, "to": STRANGER, "value": "0x5" }]);
    let refused = rpc(&chain, "eth_sendTransaction", request.clone()).await.unwrap_err();
    assert!(refused["message"].as_str().unwrap().starts_with("unknown account"));
    rpc(&chain, "anvil_impersonateAccount", json!([from])).await.unwrap();
    let hash = rpc(&chain, "eth_sendTransaction", request.clone()).await.unwrap();
    let receipt = rpc(&chain, "eth_getTransactionReceipt", json!([hash])).await.unwrap();
    assert_eq!((&receipt["status"], &receipt["from"]), (&json!("0x1"), &json!(from)));
    rpc(&chain, "anvil_stopImpersonatingAccount", json!([from])).await.unwrap();
    rpc(&chain, "eth_sendTransaction", request.clone()).await.unwrap_err();
    rpc(&chain, "eth_sendUnsignedTransaction", request.clone()).await.unwrap();
    rpc(&chain, "anvil_autoImpersonateAccount", json!([true])).await.unwrap();
    rpc(&chain, "eth_sendTransaction", request).await.unwrap();
    assert_eq!(http(&chain, 0).get_balance(STRANGER).await.unwrap(), U256::from(15));
}

#[tokio::test]
async fn overrides_of_the_block_hold_for_one_call() {
    let chain = start().await;
    // Returns number, timestamp and base fee.
    let code = "0x43600052426020524860405260606000f3";
    let overrides = json!({ STRANGER.to_string(): { "code": code } });
    let block = json!({ "number": "0x11", "time": "0x22", "baseFeePerGas": "0x33" });
    let params = json!([{ "to": STRANGER }, "latest", overrides, block]);
    let output = rpc(&chain, "eth_call", params).await.unwrap();
    let words: Bytes = output.as_str().unwrap().parse().unwrap();
    assert_eq!((words[31], words[63], words[95]), (0x11, 0x22, 0x33));
    let both = json!({ STRANGER.to_string(): { "state": {}, "stateDiff": {} } });
    let params = json!([{ "to": STRANGER }, "latest", both]);
    let refused = rpc(&chain, "eth_call", params).await.unwrap_err();
    assert_eq!(refused["code"], -32602);
}

#[tokio::test]
async fn what_waits_is_shown_by_sender_and_nonce() {
    let chain = start_with(Mining::Manual, Hardfork::Osaka).await;
    let provider = http(&chain, 0);
    for nonce in [0, 1, 5] {
        let _ = provider.send_raw_transaction(&raw(&chain, pay(nonce, 1)).await).await.unwrap();
    }
    let status = rpc(&chain, "txpool_status", json!([])).await.unwrap();
    assert_eq!(status, json!({ "pending": "0x2", "queued": "0x1" }));
    let content = rpc(&chain, "txpool_content", json!([])).await.unwrap();
    let sender = chain.accounts()[0].0.to_string().to_lowercase();
    assert_eq!(content["pending"][&sender]["1"]["nonce"], "0x1");
    assert_eq!(content["queued"][&sender]["5"]["nonce"], "0x5");
    let inspect = rpc(&chain, "txpool_inspect", json!([])).await.unwrap();
    let summary = inspect["queued"][&sender]["5"].as_str().unwrap();
    assert!(summary.ends_with(": 1 wei + 21000 gas × 20000000000 wei"), "{summary}");
}

#[tokio::test]
async fn a_reorganisation_with_transactions_is_tried_before_anything_is_dropped() {
    let chain = start().await;
    let provider = http(&chain, 0);
    let transfer = raw(&chain, pay(0, 1)).await;
    let old = *provider.send_raw_transaction(&transfer).await.unwrap().tx_hash();
    let head = provider.get_block_by_number(1.into()).await.unwrap().unwrap().header.hash;
    // Another one with the same nonce takes its place, a second follows in the block after.
    let (other, next) = (raw(&chain, pay(0, 2)).await, raw(&chain, pay(1, 4)).await);
    for impossible in [vec![(next.clone(), 0)], vec![(other.clone(), 2)], vec![(Bytes::new(), 0)]] {
        chain.reorg_with(1, &impossible).unwrap_err();
    }
    let again = provider.get_block_by_number(1.into()).await.unwrap().unwrap().header.hash;
    assert_eq!(again, head, "nothing was dropped");

    let live = ws(&chain, 0).await;
    let mut heads = live.subscribe_blocks().await.unwrap().into_stream();
    chain.reorg_with(1, &[(other, 0), (next.clone(), 1)]).unwrap();
    assert_eq!(chain.block_number(), 2);
    for number in [1, 2] {
        assert_eq!(heads.next().await.unwrap().number, number);
    }
    assert_eq!(provider.get_balance(STRANGER).await.unwrap(), U256::from(6));
    assert!(provider.get_transaction_by_hash(old).await.unwrap().is_none(), "its nonce is used");
    let receipt = provider.get_transaction_receipt(keccak256(&next)).await.unwrap().unwrap();
    assert_eq!(receipt.block_number, Some(2));
    // As anvil takes it.
    let params = json!([{ "depth": 1, "txBlockPairs": [[next, 0]] }]);
    rpc(&chain, "anvil_reorg", params).await.unwrap();
    assert_eq!(chain.block_number(), 3);
    rpc(&chain, "anvil_rollback", json!([2])).await.unwrap();
    assert_eq!(chain.block_number(), 1);
    assert_eq!(provider.get_balance(STRANGER).await.unwrap(), U256::from(2));
}
