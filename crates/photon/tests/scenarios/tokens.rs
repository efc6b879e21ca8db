//! Odd tokens, and what is no token: scenario 19.

use crate::harness::api::balances;
use crate::harness::chain::word;
use crate::harness::{Api, ChainKind, Node, PATIENCE, Town};
use serde_json::{Value, json};

#[tokio::test]
async fn a_channel_in_what_is_no_token_is_refused() {
    let town = Town::new(ChainKind::DEVCHAIN).await;
    let [a, b] = town.row().await;
    let nobody = format!("0x{:040x}", 0xdead);
    for token in [&a.account, &town.contract, &nobody] {
        a.post("/channels", opening(token, &b)).await.refused(422, "not_a_token");
        a.look(&format!("/tokens/{token}")).await.refused(422, "not_a_token");
    }
    assert_eq!(a.get("/channels").await, json!([]));
    assert_eq!(a.get("/transactions").await, json!([]));
}

#[tokio::test]
async fn a_token_that_returns_nothing_works() {
    let (town, [a, b]) = with_token("SilentToken").await;
    let before = [town.tokens_of(&a).await, town.tokens_of(&b).await];
    let ab = a.open(&town.token, &b, 100).await;
    pays_and_closes(&town, &a, &b, &ab, 100).await;
    let after = [town.tokens_of(&a).await, town.tokens_of(&b).await];
    assert_eq!(after, [before[0] - 30, before[1] + 30]);
}

/// Only what arrives counts, on both sides.
#[tokio::test]
async fn a_token_that_keeps_a_part_is_credited_with_what_arrives() {
    let (town, [a, b]) = with_token("FeeToken").await;
    let before = [town.tokens_of(&a).await, town.tokens_of(&b).await];
    let mut body = opening(&town.token, &b);
    a.post("/channels", body.clone()).await.refused(422, "token_fee");
    body["accept_token_fee"] = json!(true);
    let opened = a.post("/channels", body).await.done();
    let ab = opened["channel_id"].as_str().unwrap();
    a.is_up(&b, ab, 90).await;
    pays_and_closes(&town, &a, &b, ab, 90).await;
    let after = [town.tokens_of(&a).await, town.tokens_of(&b).await];
    assert_eq!(after, [before[0] - 100 + 60, before[1] + 30]);
}

/// A token that says no: nothing is opened, and the chain's reason is told.
#[tokio::test]
async fn a_token_that_denies_a_deposit_opens_nothing() {
    let (town, [a, b]) = with_token("DenyingToken").await;
    set(&town, &format!("0x31899ee4{:064x}", 1)).await;
    let refused = a.post("/channels", opening(&town.token, &b)).await;
    let refused = refused.refused(422, "odd_token");
    assert_eq!(refused["oddity"], "returns_false");
    assert_eq!(a.get("/transactions").await, json!([]), "nothing was sent");
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.to_lowercase().contains("token"), "{detail}");
    assert_eq!(a.get("/channels").await, json!([]));
    assert_eq!(town.in_contract().await, 0);

    set(&town, &format!("0x31899ee4{:064x}", 0)).await;
    let ab = a.open(&town.token, &b, 100).await;
    pays_and_closes(&town, &a, &b, &ab, 100).await;
}

/// A token that does not pay one side, or burns all gas when it should, does not hold the other.
#[tokio::test]
async fn a_payout_that_is_refused_does_not_hold_the_other() {
    for (contract, selector) in [("BlockingToken", "000af2a1"), ("GreedyToken", "d63125db")] {
        let (town, [a, b]) = with_token(contract).await;
        let before = town.tokens_of(&b).await;
        let ab = a.open(&town.token, &b, 100).await;
        let on = u64::from(contract == "BlockingToken");
        set(&town, &format!("0x{selector}{}{on:064x}", word(&a.account))).await;
        pays_and_closes(&town, &a, &b, &ab, 100).await;
        assert_eq!(town.tokens_of(&b).await, before + 30, "{contract}");
        assert_eq!(town.in_contract().await, 70, "{contract}: the credit of who was not paid");
    }
}

fn opening(token: &str, partner: &Api) -> Value {
    json!({
        "token": token, "partner": partner.account, "deposit": "100",
        "wait_seconds": PATIENCE.as_secs(),
    })
}

/// Two nodes in a town whose token is this one.
async fn with_token(contract: &str) -> (Town, [Node; 2]) {
    let mut town = Town::new(ChainKind::DEVCHAIN).await;
    town.token = town.deploy_token(contract, "").await;
    let nodes = town.row().await;
    (town, nodes)
}

/// Tells the token how to misbehave.
async fn set(town: &Town, data: &str) {
    town.chain.send(&town.accounts[5], Some(&town.token), data).await;
}

/// A pays B 30 both ways, and the channel is closed and settled.
async fn pays_and_closes(town: &Town, a: &Api, b: &Api, channel: &str, deposit: u128) {
    a.pays(&town.token, b, 20, "direct").await;
    a.pays(&town.token, b, 10, "locked").await;
    balances(channel, (a, deposit - 30), (b, 30)).await;
    a.close(channel).await;
    town.is_claimed(channel, &a.account, 30).await;
    town.is_settled(channel, &[a, b]).await;
    let settled =
        a.event("the channel is settled", |event| event["kind"] == "channel_settled").await;
    assert_eq!(
        (&settled["ours"], &settled["theirs"]),
        (&json!((deposit - 30).to_string()), &json!("30"))
    );
}
