//! Logs: asked for, polled and subscribed to.

use alloy::{
    primitives::{Address, U256, address},
    providers::Provider as _,
    rpc::types::{Filter, Log},
    sol_types::SolEvent as _,
};
use futures::StreamExt as _;
use photon_devchain::DevChain;
use serde_json::json;

use crate::support::{TestToken, Token, http, rpc, start, token, ws};

const ALICE: Address = address!("0x00000000000000000000000000000000000a11ce");
const BOB: Address = address!("0x0000000000000000000000000000000000000b0b");

async fn pay(token: &Token, to: Address, amount: u64) {
    let sent = token.transfer(to, U256::from(amount)).send().await.unwrap();
    assert!(sent.get_receipt().await.unwrap().status());
}

fn amounts(logs: &[Log]) -> Vec<u64> {
    let amount = |log: &Log| TestToken::Transfer::decode_log(&log.inner).unwrap().amount.to();
    logs.iter().map(amount).collect()
}

/// A token with three transfers, the first in block 3.
async fn paid(chain: &DevChain) -> Token {
    let token = token(chain, &http(chain, 0)).await;
    for (to, amount) in [(ALICE, 1), (BOB, 2), (ALICE, 3)] {
        pay(&token, to, amount).await;
    }
    token
}

#[tokio::test]
async fn logs_are_found_by_address_topics_and_blocks() {
    let chain = start().await;
    let token = paid(&chain).await;
    let provider = http(&chain, 0);
    let all = Filter::new().from_block(3).address(*token.address());
    let block_4 = provider.get_block_by_number(4.into()).await.unwrap().unwrap().header.hash;
    let cases = [
        (all.clone(), vec![1, 2, 3]),
        (all.clone().to_block(4), vec![1, 2]),
        (all.clone().topic2(ALICE.into_word()), vec![1, 3]),
        (all.clone().topic2(vec![ALICE.into_word(), BOB.into_word()]), vec![1, 2, 3]),
        (all.clone().address(vec![ALICE, *token.address()]), vec![1, 2, 3]),
        (all.clone().address(ALICE), vec![]),
        (all.event_signature(alloy::primitives::B256::repeat_byte(7)), vec![]),
        (Filter::new().at_block_hash(block_4), vec![2]),
        (Filter::new().event("Transfer(address,address,uint256)"), vec![3]),
    ];
    for (filter, expected) in cases {
        let logs = provider.get_logs(&filter).await.unwrap();
        assert_eq!(amounts(&logs), expected, "{filter:?}");
    }
    let backwards = json!([{ "fromBlock": "0x4", "toBlock": "0x3" }]);
    let error = rpc(&chain, "eth_getLogs", backwards).await.unwrap_err();
    assert_eq!(error["message"], "invalid block range params");
}

#[tokio::test]
async fn filters_tell_what_is_new_since_the_last_question() {
    let chain = start().await;
    let provider = http(&chain, 0);
    let token = token(&chain, &provider).await;
    let logs = provider.new_filter(&Filter::new().address(*token.address())).await.unwrap();
    let blocks = provider.new_block_filter().await.unwrap();
    let pending = provider.new_pending_transactions_filter(false).await.unwrap();
    for round in 1..=2 {
        pay(&token, ALICE, round).await;
        let new: Vec<Log> = provider.get_filter_changes(logs).await.unwrap();
        assert_eq!(amounts(&new), [round]);
        for id in [blocks, pending] {
            let hashes: Vec<alloy::primitives::B256> =
                provider.get_filter_changes(id).await.unwrap();
            assert_eq!(hashes.len(), 1);
        }
    }
    let all = provider.get_filter_logs(logs).await.unwrap();
    assert_eq!(amounts(&all), [2], "without a range the filter is about the newest block");
    assert!(provider.uninstall_filter(logs).await.unwrap());
    assert!(!provider.uninstall_filter(logs).await.unwrap());
    let gone = provider.get_filter_changes::<Log>(logs).await.unwrap_err();
    assert!(gone.to_string().contains("filter not found"));
}

#[tokio::test]
async fn heads_logs_and_pending_transactions_are_pushed() {
    let chain = start().await;
    let provider = ws(&chain, 0).await;
    let token = token(&chain, &provider).await;
    let mut heads = provider.subscribe_blocks().await.unwrap().into_stream();
    let filter = Filter::new().address(*token.address()).topic2(ALICE.into_word());
    let mut logs = provider.subscribe_logs(&filter).await.unwrap().into_stream();
    let mut pending = provider.subscribe_pending_transactions().await.unwrap().into_stream();
    let sent = token.transfer(BOB, U256::from(4)).send().await.unwrap();
    let hash = *sent.tx_hash();
    sent.get_receipt().await.unwrap();
    pay(&token, ALICE, 5).await;
    assert_eq!(heads.next().await.unwrap().number, 3);
    assert_eq!(heads.next().await.unwrap().number, 4);
    assert_eq!(pending.next().await.unwrap(), hash);
    let log = logs.next().await.unwrap();
    assert_eq!((amounts(std::slice::from_ref(&log)), log.removed), (vec![5], false));
}

#[tokio::test]
async fn a_reorganisation_is_told_as_removed_logs_and_new_heads() {
    let chain = start().await;
    let provider = ws(&chain, 0).await;
    let token = token(&chain, &provider).await;
    let filter = Filter::new().address(*token.address());
    let polled = provider.new_filter(&filter).await.unwrap();
    let mut heads = provider.subscribe_blocks().await.unwrap().into_stream();
    let mut logs = provider.subscribe_logs(&filter).await.unwrap().into_stream();
    pay(&token, ALICE, 1).await;
    pay(&token, ALICE, 2).await;
    chain.reorg(2).unwrap();
    let mut told = Vec::new();
    for _ in 0..4 {
        let log = logs.next().await.unwrap();
        told.push((amounts(std::slice::from_ref(&log))[0], log.removed));
    }
    assert_eq!(told, [(1, false), (2, false), (2, true), (1, true)]);
    let mut numbers = Vec::new();
    for _ in 0..5 {
        numbers.push(heads.next().await.unwrap().number);
    }
    assert_eq!(numbers, [3, 4, 3, 4, 5]);
    let polled: Vec<Log> = provider.get_filter_changes(polled).await.unwrap();
    let removed: Vec<bool> = polled.iter().map(|log| log.removed).collect();
    assert_eq!(removed, [false, false, true, true]);
    // The dropped payments wait; the next block takes them.
    chain.mine(1);
    assert_eq!(amounts(&[logs.next().await.unwrap(), logs.next().await.unwrap()]), [1, 2]);
    assert_eq!(token.balanceOf(ALICE).call().await.unwrap(), U256::from(3));
}

#[tokio::test]
async fn a_subscription_ends_when_it_is_cancelled() {
    let chain = start().await;
    let provider = ws(&chain, 0).await;
    // Alloy cancels with request id 1, which must not be that of a request it waits for.
    provider.get_chain_id().await.unwrap();
    let subscription = provider.subscribe_blocks().await.unwrap();
    provider.unsubscribe(*subscription.local_id()).await.unwrap();
    chain.mine(3);
    assert_eq!(provider.get_block_number().await.unwrap(), 3);
    assert!(subscription.is_empty());
    let over_http = rpc(&chain, "eth_subscribe", json!(["newHeads"])).await.unwrap_err();
    assert_eq!(over_http["code"], -32601);
}
