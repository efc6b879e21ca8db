//! Snapshots, reorganisations and time, as tests use them.

use std::time::Duration;

use alloy::{
    primitives::{Address, U256, address},
    providers::Provider as _,
    rpc::types::TransactionRequest,
};
use photon_devchain::{DevChain, Error};
use serde_json::json;

use crate::support::{http, rpc, start};

const STRANGER: Address = address!("0x00000000000000000000000000000000000a11ce");

async fn give(chain: &DevChain, amount: u64) -> alloy::primitives::B256 {
    let request = TransactionRequest::default().to(STRANGER).value(U256::from(amount));
    let provider = http(chain, 0);
    let sent = provider.send_transaction(request).await.unwrap();
    sent.get_receipt().await.unwrap().transaction_hash
}

async fn balance(chain: &DevChain) -> u64 {
    http(chain, 0).get_balance(STRANGER).await.unwrap().to()
}

#[tokio::test]
async fn a_revert_restores_blocks_balances_and_nonces() {
    let chain = start().await;
    give(&chain, 1).await;
    let snapshot = chain.snapshot();
    let later = chain.snapshot();
    let dropped = give(&chain, 2).await;
    assert!(chain.revert(snapshot));
    assert_eq!((chain.block_number(), balance(&chain).await), (1, 1));
    let provider = http(&chain, 0);
    assert!(provider.get_transaction_receipt(dropped).await.unwrap().is_none());
    assert_eq!(provider.get_transaction_count(chain.accounts()[0].0).await.unwrap(), 1);
    assert!(!chain.revert(snapshot), "a snapshot is used up");
    assert!(!chain.revert(later), "and with it the later ones");
    give(&chain, 4).await;
    assert_eq!(balance(&chain).await, 5);
}

#[tokio::test]
async fn a_revert_undoes_a_reorganisation() {
    let chain = start().await;
    let first = give(&chain, 1).await;
    let snapshot = chain.snapshot();
    chain.reorg(1).unwrap();
    chain.mine(1);
    assert!(chain.revert(snapshot));
    assert_eq!((chain.block_number(), balance(&chain).await), (1, 1));
    let receipt = http(&chain, 0).get_transaction_receipt(first).await.unwrap().unwrap();
    assert_eq!(receipt.block_number, Some(1));
}

#[tokio::test]
async fn a_reorganisation_replaces_blocks_and_keeps_transactions_for_later() {
    let chain = start().await;
    let provider = http(&chain, 0);
    give(&chain, 1).await;
    let dropped = give(&chain, 2).await;
    let hash_of = async |number: u64| {
        provider.get_block_by_number(number.into()).await.unwrap().unwrap().header.hash
    };
    let (kept, replaced) = (hash_of(1).await, hash_of(2).await);
    chain.reorg(1).unwrap();
    assert_eq!(chain.block_number(), 3);
    assert_eq!(hash_of(1).await, kept);
    assert_ne!(hash_of(2).await, replaced);
    assert!(provider.get_block_by_hash(replaced).await.unwrap().is_none());
    assert_eq!(balance(&chain).await, 1);
    assert!(provider.get_transaction_receipt(dropped).await.unwrap().is_none());
    assert!(provider.get_transaction_by_hash(dropped).await.unwrap().is_some());
    chain.mine(1);
    let receipt = provider.get_transaction_receipt(dropped).await.unwrap().unwrap();
    assert_eq!(receipt.block_number, Some(4));
    chain.reorg(1).unwrap();
    chain.drop_transactions();
    chain.mine(1);
    assert_eq!(balance(&chain).await, 1, "dropped for good");
}

#[tokio::test]
async fn empty_blocks_differ_after_a_reorganisation() {
    let chain = start().await;
    let provider = http(&chain, 0);
    chain.mine(1);
    let before = provider.get_block_by_number(1.into()).await.unwrap().unwrap();
    chain.set_next_timestamp(before.header.timestamp + 10).unwrap();
    chain.reorg(1).unwrap();
    let after = provider.get_block_by_number(1.into()).await.unwrap().unwrap();
    assert_ne!(before.header.hash, after.header.hash);
    let deep = chain.reorg(99).unwrap_err();
    assert!(matches!(deep, Error::ReorgTooDeep { depth: 99, max: 2 }), "{deep}");
}

#[tokio::test]
async fn time_is_moved_forward_and_always_rises() {
    let chain = start().await;
    let genesis = chain.timestamp();
    chain.mine(3);
    assert!(chain.timestamp() >= genesis + 3);
    chain.increase_time(Duration::from_secs(10_000));
    chain.mine(1);
    let moved = chain.timestamp();
    assert!((genesis + 10_000..genesis + 10_060).contains(&moved), "{moved}");
    chain.set_next_timestamp(moved + 5_000).unwrap();
    chain.mine(2);
    assert!((moved + 5_001..moved + 5_060).contains(&chain.timestamp()));
    assert!(matches!(chain.set_next_timestamp(1), Err(Error::TimestampNotAfterHead { .. })));
    let last = chain.set_next_timestamp(u64::MAX).unwrap_err();
    assert!(matches!(last, Error::TimestampTooLate { .. }), "{last}");
    chain.increase_time(Duration::MAX);
    chain.mine(2);
    assert!(chain.timestamp() > i64::MAX.unsigned_abs());
}

#[tokio::test]
async fn the_same_is_done_over_json_rpc() {
    let chain = start().await;
    let ask = |method: &'static str, params| rpc(&chain, method, params);
    let genesis = chain.timestamp();
    assert_eq!(ask("evm_snapshot", json!([])).await.unwrap(), "0x1");
    ask("evm_mine", json!([])).await.unwrap();
    ask("anvil_mine", json!(["0x3"])).await.unwrap();
    ask("hardhat_mine", json!(["0x2", "0x3c"])).await.unwrap();
    assert_eq!(chain.block_number(), 6);
    ask("evm_increaseTime", json!([100])).await.unwrap();
    ask("evm_setNextBlockTimestamp", json!([genesis + 1_000])).await.unwrap();
    ask("evm_mine", json!([])).await.unwrap();
    assert_eq!(chain.timestamp(), genesis + 1_000);
    ask("evm_mine", json!([{ "timestamp": genesis + 2_000, "blocks": 2 }])).await.unwrap();
    assert!(chain.timestamp() > genesis + 2_000);
    ask("anvil_reorg", json!([2])).await.unwrap();
    assert_eq!(chain.block_number(), 10);
    ask("anvil_setBalance", json!([STRANGER, "0x5"])).await.unwrap();
    assert_eq!(balance(&chain).await, 5);
    ask(
        "hardhat_setStorageAt",
        json!([
            STRANGER,
            "0x1",
            U256::from(9)
                .to_be_bytes::<32>()
                .iter()
                .fold("0x".to_owned(), |text, byte| format!("{text}{byte:02x}"))
        ]),
    )
    .await
    .unwrap();
    let slot = http(&chain, 0).get_storage_at(STRANGER, U256::ONE).await.unwrap();
    assert_eq!(slot, U256::from(9));
    assert_eq!(ask("evm_revert", json!(["0x1"])).await.unwrap(), true);
    assert_eq!(ask("evm_revert", json!(["0x1"])).await.unwrap(), false);
    assert_eq!(chain.block_number(), 0);
}
