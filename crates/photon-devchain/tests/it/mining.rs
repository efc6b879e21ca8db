//! When blocks are made.

use std::time::Duration;

use alloy::{
    primitives::{Address, U256, address},
    providers::Provider as _,
    rpc::types::TransactionRequest,
};
use futures::StreamExt as _;
use photon_devchain::{Config, DevChain, Hardfork, Mining};
use serde_json::json;

use crate::support::{http, rpc, start, start_with, ws};

const STRANGER: Address = address!("0x00000000000000000000000000000000000a11ce");

fn transfer() -> TransactionRequest {
    TransactionRequest::default().to(STRANGER).value(U256::ONE)
}

#[tokio::test]
async fn blocks_come_on_time_even_when_empty() {
    let interval = Mining::Interval(Duration::from_millis(40));
    let chain = start_with(interval, Hardfork::Osaka).await;
    let provider = ws(&chain, 0).await;
    let mut heads = provider.subscribe_blocks().await.unwrap().into_stream();
    let first = heads.next().await.unwrap();
    let second = heads.next().await.unwrap();
    assert_eq!(second.number, first.number + 1);
    assert!(second.timestamp > first.timestamp);
    let receipt = provider.send_transaction(transfer()).await.unwrap().get_receipt().await.unwrap();
    assert!(receipt.status());
}

#[tokio::test]
async fn a_block_takes_all_that_waits_in_the_order_of_arrival() {
    let chain = start_with(Mining::Manual, Hardfork::Osaka).await;
    let mut sent = Vec::new();
    for index in [2, 0, 1, 0, 2] {
        let provider = http(&chain, index);
        sent.push(*provider.send_transaction(transfer()).await.unwrap().tx_hash());
    }
    let provider = http(&chain, 0);
    let pending = provider.get_block_by_number("pending".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(pending.transactions.hashes().collect::<Vec<_>>(), sent);
    assert_eq!(provider.get_balance(STRANGER).pending().await.unwrap(), U256::from(5));
    assert_eq!(provider.get_balance(STRANGER).await.unwrap(), U256::ZERO);
    assert_eq!(rpc(&chain, "txpool_status", json!([])).await.unwrap()["pending"], "0x5");
    chain.mine(1);
    let block = provider.get_block_by_number(1.into()).await.unwrap().unwrap();
    assert_eq!(block.transactions.hashes().collect::<Vec<_>>(), sent);
    let receipts = provider.get_block_receipts(1.into()).await.unwrap().unwrap();
    assert_eq!(receipts[4].inner.cumulative_gas_used(), 5 * 21_000);
}

#[tokio::test]
async fn what_does_not_fit_goes_into_the_next_block() {
    let config = Config { mining: Mining::Manual, block_gas_limit: 50_000, ..Config::default() };
    let chain = DevChain::start(config).await.unwrap();
    for index in 0..3 {
        let request = transfer().gas_limit(21_000);
        let _ = http(&chain, index).send_transaction(request).await.unwrap();
    }
    chain.mine(2);
    let provider = http(&chain, 0);
    for (number, expected) in [(1, 2), (2, 1)] {
        let block = provider.get_block_by_number(number.into()).await.unwrap().unwrap();
        assert_eq!(block.transactions.len(), expected);
    }
    let fee_of = async |number: u64| {
        let block = provider.get_block_by_number(number.into()).await.unwrap().unwrap();
        block.header.base_fee_per_gas.unwrap()
    };
    assert!(fee_of(2).await > fee_of(1).await, "a full block raises the base fee");
}

#[tokio::test]
async fn the_mode_is_changed_while_it_runs() {
    let chain = start().await;
    let provider = http(&chain, 0);
    rpc(&chain, "evm_setAutomine", json!([false])).await.unwrap();
    let sent = provider.send_transaction(transfer()).await.unwrap();
    assert_eq!(chain.block_number(), 0);
    rpc(&chain, "evm_setAutomine", json!([true])).await.unwrap();
    assert_eq!(sent.get_receipt().await.unwrap().block_number, Some(1));
    chain.set_mining(Mining::Manual).unwrap();
    let mut sent = Vec::new();
    for _ in 0..3 {
        sent.push(provider.send_transaction(transfer()).await.unwrap());
    }
    chain.set_mining(Mining::Instant).unwrap();
    for (sent, number) in sent.into_iter().zip(2..) {
        assert_eq!(sent.get_receipt().await.unwrap().block_number, Some(number));
    }
    rpc(&chain, "evm_setIntervalMining", json!([1])).await.unwrap();
    let sent = provider.send_transaction(transfer()).await.unwrap();
    assert_eq!(sent.get_receipt().await.unwrap().block_number, Some(5));
    assert!(chain.set_mining(Mining::Interval(Duration::ZERO)).is_err());
}
