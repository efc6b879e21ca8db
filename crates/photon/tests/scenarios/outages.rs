//! A chain that is silent or slow: scenarios 17 and 18.

use crate::harness::api::balances;
use crate::harness::chain::number;
use crate::harness::{Api, Chain, ChainKind, Town, View, eventually};
use reqwest::Method;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};

/// Scenario 17.
#[tokio::test]
async fn without_the_chain_direct_payments_go_on() {
    let town = Town::new(ChainKind::DEVCHAIN).await;
    let [a, mut b] = town.row().await;
    let ab = a.open(&town.token, &b, 100).await;
    a.pays(&town.token, &b, 1, "locked").await;

    town.chain.freeze();
    sees_the_chain(&a, false).await;
    sees_the_chain(&b, false).await;
    let health: serde_json::Value =
        a.client.get(format!("{}/health", a.url)).send().await.unwrap().json().await.unwrap();
    assert_eq!(health["status"], "degraded");
    a.pays(&town.token, &b, 30, "any").await;
    b.pays(&town.token, &a, 10, "direct").await;
    balances(&ab, (&a, 79), (&b, 21)).await;
    a.pay(&town.token, &b, 1, "locked").await.refused(503, "chain_unavailable");
    balances(&ab, (&a, 79), (&b, 21)).await;

    // Nor does a node need the chain to start again and be paid.
    b.restart().await;
    a.is_up(&b, &ab, 100).await;
    a.pays(&town.token, &b, 1, "direct").await;
    b.pays(&town.token, &a, 1, "direct").await;
    balances(&ab, (&a, 79), (&b, 21)).await;

    town.chain.thaw();
    sees_the_chain(&a, true).await;
    sees_the_chain(&b, true).await;
    a.pays(&town.token, &b, 9, "locked").await;
    balances(&ab, (&a, 70), (&b, 30)).await;
    a.deposit(&ab, None, 5).await;
    a.is_up(&b, &ab, 105).await;
}

/// Scenario 17 with a witness: A's knows another chain, B's knows the same one.
#[tokio::test]
async fn while_two_endpoints_disagree_only_direct_payments_go_on() {
    let town = Town::new(ChainKind::DEVCHAIN).await;
    let folder = tempfile::tempdir().unwrap();
    let other = Chain::start(ChainKind::DEVCHAIN, 1337, folder.path()).await;
    let a = town.witnessed_node(0, &[], &[&other.url]).await;
    let b = town.witnessed_node(1, &[&a], &[&town.chain.url]).await;
    let ab = a.open(&town.token, &b, 100).await;

    // Were both begun in the same second, their first blocks would be the same.
    let (height, _) = town.chain.head().await;
    other.rpc("anvil_mine", json!([format!("{:#x}", height + 10)])).await;
    sees_the_chain(&a, false).await;
    let status = a.get("/node").await;
    let trouble = status["chain_trouble"].as_str().unwrap();
    let disagree = format!("{} and {} disagree: block ", town.chain.url, other.url);
    assert!(trouble.starts_with(&disagree), "{trouble}");
    a.pays(&town.token, &b, 30, "any").await;
    b.pays(&town.token, &a, 10, "direct").await;
    a.pay(&town.token, &b, 1, "locked").await.refused(503, "chain_unavailable");
    balances(&ab, (&a, 80), (&b, 20)).await;

    // B's endpoints agree, so it knows of no trouble.
    let status = b.get("/node").await;
    assert_eq!(status["chain_reachable"], true, "{status}");
    assert!(status["chain_trouble"].is_null(), "{status}");
}

/// Scenario 17 with witnesses that agree.
#[tokio::test]
async fn a_witness_of_the_same_chain_changes_nothing() {
    let town = Town::new(ChainKind::DEVCHAIN).await;
    let witness = town.chain.url.replace("http://", "ws://");
    let a = town.witnessed_node(0, &[], &[&town.chain.url, &witness]).await;
    let b = town.node(1, &[&a]).await;
    let ab = a.open(&town.token, &b, 100).await;
    town.chain.advance(1).await;
    a.pays(&town.token, &b, 30, "locked").await;
    b.pays(&town.token, &a, 10, "locked").await;
    balances(&ab, (&a, 80), (&b, 20)).await;
    assert_eq!(a.get("/node").await["chain_reachable"], true);
}

/// Scenario 17 with an endpoint that dies and another one that stands in for it.
#[tokio::test]
async fn another_endpoint_stands_in_for_one_that_is_gone() {
    let town = Town::new(ChainKind::DEVCHAIN).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let relay_url = format!("http://{}", listener.local_addr().unwrap());
    let chain = town.chain.url.trim_start_matches("http://").to_owned();
    let relay = tokio::spawn(async move {
        let mut streams = tokio::task::JoinSet::new();
        while let Ok((mut near, _)) = listener.accept().await {
            let chain = chain.clone();
            streams.spawn(async move {
                let Ok(mut far) = TcpStream::connect(chain).await else { return };
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
    let witnesses: &[&str] = &[&town.chain.url];
    let view = View { witnesses, ..View::of(&relay_url) };
    let a = town.node_seeing(0, &[], view).await;
    let b = town.node(1, &[&a]).await;
    let ab = a.open(&town.token, &b, 100).await;
    a.pays(&town.token, &b, 10, "locked").await;
    relay.abort();
    let _ = relay.await;

    a.pays(&town.token, &b, 10, "locked").await;
    a.deposit(&ab, None, 5).await;
    a.is_up(&b, &ab, 105).await;
    let status = a.get("/node").await;
    assert_eq!(status["chain_reachable"], true, "{status}");
    balances(&ab, (&a, 85), (&b, 20)).await;
}

async fn sees_the_chain(node: &Api, reachable: bool) {
    eventually("the node notices whether the chain answers", async || {
        (node.get("/node").await["chain_reachable"] == reachable).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_stuck_transaction_offers_more_until_it_is_mined_on_the_devchain() {
    a_stuck_transaction_offers_more_until_it_is_mined(ChainKind::DEVCHAIN).await;
}

#[tokio::test]
async fn a_stuck_transaction_offers_more_until_it_is_mined_on_an_old_devchain() {
    a_stuck_transaction_offers_more_until_it_is_mined(ChainKind::OLD_DEVCHAIN).await;
}

#[cfg(feature = "anvil")]
mod on_anvil {
    use super::*;

    #[tokio::test]
    async fn a_stuck_transaction_offers_more_until_it_is_mined_on_anvil() {
        a_stuck_transaction_offers_more_until_it_is_mined(ChainKind::ANVIL).await;
    }

    #[tokio::test]
    async fn a_stuck_transaction_offers_more_until_it_is_mined_on_old_anvil() {
        a_stuck_transaction_offers_more_until_it_is_mined(ChainKind::OLD_ANVIL).await;
    }

    /// Scenario 17 with a chain that is gone, not only silent.
    #[tokio::test]
    async fn a_chain_that_comes_back_is_taken_up_again() {
        let mut town = Town::new(ChainKind::ANVIL).await;
        let [a, b] = town.row().await;
        let ab = a.open(&town.token, &b, 100).await;
        a.pays(&town.token, &b, 1, "locked").await;
        balances(&ab, (&a, 99), (&b, 1)).await;
        town.chain.stop();
        sees_the_chain(&a, false).await;
        sees_the_chain(&b, false).await;
        a.pays(&town.token, &b, 9, "any").await;
        a.pay(&town.token, &b, 1, "locked").await.refused(503, "chain_unavailable");
        let body = json!({ "amount": "5", "wait_seconds": 5 });
        let refused = a.post(&format!("/channels/{ab}/deposits"), body).await;
        refused.refused(503, "chain_unavailable");
        balances(&ab, (&a, 90), (&b, 10)).await;
        town.chain.start_again().await;
        sees_the_chain(&a, true).await;
        sees_the_chain(&b, true).await;
        a.pays(&town.token, &b, 10, "locked").await;
        a.close(&ab).await;
        town.is_claimed(&ab, &a.account, 20).await;
        town.is_settled(&ab, &[&a, &b]).await;
        assert_eq!(town.in_contract().await, 0);
    }
}

/// Scenario 18: blocks stay away; what waits is replaced with a greater offer.
async fn a_stuck_transaction_offers_more_until_it_is_mined(kind: ChainKind) {
    let town = Town::new(kind).await;
    let [a, b] = town.row().await;
    town.chain.rpc("evm_setAutomine", json!([false])).await;
    let filter = town.chain.rpc("eth_newPendingTransactionFilter", json!([])).await;
    let body = json!({ "token": town.token, "partner": b.account, "deposit": "100" });
    let opening = a.ask(Method::POST, "/channels", Some(&body)).await.unwrap();
    assert_eq!(opening.status, 202, "{}", opening.body);

    let mut offers = Vec::new();
    eventually("the offer for the gas grows", async || {
        let hashes = town.chain.rpc("eth_getFilterChanges", json!([filter])).await;
        for hash in hashes.as_array().unwrap() {
            let sent = town.chain.rpc("eth_getTransactionByHash", json!([hash])).await;
            if sent["from"].as_str()?.eq_ignore_ascii_case(&a.account) {
                let price = if sent["maxFeePerGas"].is_null() {
                    &sent["gasPrice"]
                } else {
                    &sent["maxFeePerGas"]
                };
                offers.push((number(&sent["nonce"]), number(price)));
            }
        }
        (offers.len() >= 2).then_some(())
    })
    .await;
    assert!(offers.iter().all(|(nonce, _)| *nonce == offers[0].0), "one transaction: {offers:?}");
    assert!(offers.windows(2).all(|pair| pair[1].1 > pair[0].1), "offers rise: {offers:?}");
    let transaction = a.get("/transactions").await[0].clone();
    assert_eq!(transaction["state"], "sending", "{transaction}");

    town.chain.rpc("evm_setAutomine", json!([true])).await;
    town.chain.rpc("evm_mine", json!([])).await;
    let channel = opening.body["channel_id"].as_str().unwrap();
    a.is_up(&b, channel, 100).await;
    eventually("the transaction is done", async || {
        (a.get("/transactions").await[0]["state"] == "done").then_some(())
    })
    .await;
    a.pays(&town.token, &b, 60, "any").await;
    balances(channel, (&a, 40), (&b, 60)).await;
}
