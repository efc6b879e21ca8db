//! Blocks that vanish: scenario 16.

use crate::harness::api::balances;
use crate::harness::{ChainKind, Town, View, eventually};
use serde_json::json;
use std::time::Duration;
use tokio::time::sleep;

/// More than the ten blocks that vanish.
const CONFIRMATIONS: u64 = 12;

async fn mine(town: &Town, blocks: u64) {
    for _ in 0..blocks {
        town.chain.rpc("evm_mine", json!([])).await;
    }
}

/// How often the contract has said something.
async fn said(town: &Town) -> usize {
    let filter = json!([{ "fromBlock": "earliest", "address": town.contract }]);
    town.chain.rpc("eth_getLogs", filter).await.as_array().unwrap().len()
}

/// Blocks come, one after the other, while this goes on.
async fn with_blocks<T>(town: &Town, work: impl Future<Output = T>) -> T {
    let blocks = async {
        loop {
            mine(town, 1).await;
            sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        done = work => done,
        () = blocks => unreachable!("blocks come for ever"),
    }
}

/// Once the contract has said something because of this, `meanwhile` is done; then ten blocks are
/// replaced by others in which it has not, and blocks come until it is through after all.
async fn through_a_reorganisation<T>(
    town: &Town,
    work: impl Future<Output = T>,
    meanwhile: impl Future<Output = ()>,
) -> T {
    mine(town, CONFIRMATIONS).await;
    let before = said(town).await;
    let mut vanished = false;
    let blocks = async {
        while said(town).await == before {
            mine(town, 1).await;
            sleep(Duration::from_millis(100)).await;
        }
        meanwhile.await;
        mine(town, 3).await;
        sleep(Duration::from_millis(300)).await;
        town.chain.rpc("anvil_reorg", json!([10, []])).await;
        assert_eq!(said(town).await, before);
        vanished = true;
        loop {
            mine(town, 1).await;
            sleep(Duration::from_millis(100)).await;
        }
    };
    let done = tokio::select! {
        done = work => done,
        () = blocks => unreachable!("blocks come for ever"),
    };
    assert!(vanished);
    done
}

async fn ten_blocks_vanish_under_an_opening_a_deposit_and_a_close(kind: ChainKind) {
    let town = Town::new(kind).await;
    let deep = || View { confirmations: CONFIRMATIONS, ..View::of(&town.chain.url) };
    let a = town.node_seeing(0, &[], deep()).await;
    let b = town.node_seeing(1, &[&a], deep()).await;

    let ab = through_a_reorganisation(&town, a.open(&town.token, &b, 100), async {}).await;
    assert_eq!(town.in_contract().await, 100);
    through_a_reorganisation(&town, a.deposit(&ab, None, 20), async {}).await;
    with_blocks(&town, a.is_up(&b, &ab, 120)).await;
    assert_eq!(town.in_contract().await, 120);
    a.pays(&town.token, &b, 30, "direct").await;
    balances(&ab, (&a, 90), (&b, 30)).await;

    // In the newest block alone the close stops updates already.
    let stops = async {
        eventually("B takes no update any more", async || {
            let state = b.channel(&ab).await?["state"].clone();
            (state != "open").then_some(())
        })
        .await;
        let reply = b.pay(&town.token, &a, 1, "direct").await;
        assert!(reply.status >= 400, "{}", reply.body);
    };
    through_a_reorganisation(&town, a.close(&ab), stops).await;
    with_blocks(&town, town.is_claimed(&ab, &a.account, 30)).await;
    eventually("the channel is settled", async || {
        town.chain.advance(5).await;
        let there = a.channel(&ab).await.is_some() || b.channel(&ab).await.is_some();
        (!there).then_some(())
    })
    .await;
    assert_eq!(town.in_contract().await, 0);
    let (of_a, of_b) = (town.tokens_of(&a).await, town.tokens_of(&b).await);
    assert_eq!(of_a + 30, of_b - 30);
}

#[tokio::test]
async fn ten_blocks_vanish_under_a_channels_life_on_the_devchain() {
    ten_blocks_vanish_under_an_opening_a_deposit_and_a_close(ChainKind::DEVCHAIN).await;
}

#[cfg(feature = "anvil")]
#[tokio::test]
async fn ten_blocks_vanish_under_a_channels_life_on_anvil() {
    ten_blocks_vanish_under_an_opening_a_deposit_and_a_close(ChainKind::ANVIL).await;
}
