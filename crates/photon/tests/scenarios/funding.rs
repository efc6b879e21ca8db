//! How tokens and coins get into channels: every kind of token by its cheapest way, coins wrapped,
//! and without a coin through somebody's relay. Scenarios 1 and 19.

use crate::harness::api::{amount, balances};
use crate::harness::chain::number;
use crate::harness::{Api, ChainKind, Node, PATIENCE, Town, eventually, free_port};
use serde_json::{Value, json};

/// Less than any transaction costs.
const NO_COINS: &str = "0x0";

fn opening(token: &str, partner: &Api) -> Value {
    json!({
        "token": token, "partner": partner.account, "deposit": "100",
        "wait_seconds": PATIENCE.as_secs(),
    })
}

/// The opening with one more field.
fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

async fn transactions_of(town: &Town, node: &Api) -> u64 {
    number(&town.chain.rpc("eth_getTransactionCount", json!([node.account, "latest"])).await)
}

#[tokio::test]
async fn every_kind_of_token_finds_its_way() {
    let mut town = Town::new(ChainKind::DEVCHAIN).await;
    let [a, b] = town.row().await;
    for (contract, ways) in [
        ("TestToken", &["allowance"][..]),
        ("SilentToken", &["allowance"]),
        ("Erc223Token", &["erc223"]),
        ("Erc1363Token", &["erc1363"]),
        ("Erc677Token", &["erc677"]),
        ("ApproveAndCallToken", &["allowance", "approve-and-call"]),
        ("PermitToken", &["permit"]),
        ("AuthorizationToken", &["receive-with-authorization"]),
    ] {
        town.token = match contract {
            "TestToken" => town.new_token().await,
            other => town.deploy_token(other, "").await,
        };
        let before = transactions_of(&town, &a).await;
        let opened = a.post("/channels", opening(&town.token, &b)).await.done();
        let way = opened["way"].as_str().unwrap();
        assert!(ways.contains(&way), "{contract}: {opened}");
        let sent = transactions_of(&town, &a).await - before;
        assert_eq!(sent, if way == "allowance" { 2 } else { 1 }, "{contract}");
        assert!(opened["gas_estimate"].as_u64().is_some_and(|gas| gas > 21_000), "{opened}");
        let channel = opened["channel_id"].as_str().unwrap();
        a.is_up(&b, channel, 100).await;
        let done = a.get(&format!("/transactions/{}", opened["transaction"])).await;
        assert_eq!(done["way"], way, "{done}");
        let deposit = json!({ "amount": "5", "wait_seconds": PATIENCE.as_secs() });
        let deposited = a.post(&format!("/channels/{channel}/deposits"), deposit).await.done();
        assert_eq!(amount(&deposited["channel"]["ours"]["deposit"]), 105, "{contract}");
        assert_eq!(town.in_contract().await, 105, "{contract}");
    }
}

#[tokio::test]
async fn a_way_can_be_forced_and_one_that_the_token_has_not_is_refused() {
    let mut town = Town::new(ChainKind::DEVCHAIN).await;
    let [a, b] = town.row().await;
    town.token = town.deploy_token("Erc1363Token", "").await;
    let body = opening(&town.token, &b);
    let before = transactions_of(&town, &a).await;
    let refused = a.post("/channels", with(body.clone(), "way", json!("erc223"))).await;
    let refused = refused.refused(422, "no_such_way");
    assert!(refused["offered"].as_array().unwrap().contains(&json!("erc1363")), "{refused}");
    a.post("/channels", with(body.clone(), "way", json!("carrier pigeon")))
        .await
        .refused(400, "malformed");
    assert_eq!(transactions_of(&town, &a).await, before, "nothing was sent");
    let opened = a.post("/channels", with(body, "way", json!("allowance"))).await.done();
    assert_eq!(opened["way"], "allowance");
    assert_eq!(transactions_of(&town, &a).await, before + 2);
    town.token = town.deploy_token("ApproveAndCallToken", "").await;
    let body = with(opening(&town.token, &b), "way", json!("approve-and-call"));
    assert_eq!(a.post("/channels", body).await.done()["way"], "approve-and-call");
    assert_eq!(transactions_of(&town, &a).await, before + 3);
    assert_eq!(town.in_contract().await, 100);
}

#[tokio::test]
async fn a_token_that_keeps_a_part_is_shown_and_asked_about() {
    let mut town = Town::new(ChainKind::DEVCHAIN).await;
    let [a, b] = town.row().await;
    town.token = town.deploy_token("FeeToken", "").await;
    let body = opening(&town.token, &b);
    let before = transactions_of(&town, &a).await;
    let refused = a.post("/channels", body.clone()).await.refused(422, "token_fee");
    assert_eq!((&refused["sent"], &refused["arrives"]), (&json!("100"), &json!("90")));
    assert_eq!(transactions_of(&town, &a).await, before, "nothing was sent");
    let examined = a.get(&format!("/tokens/{}/examination?amount=100", town.token)).await;
    assert_eq!(examined["oddities"][0]["code"], "takes_fee", "{examined}");
    let opened = a.post("/channels", with(body, "accept_token_fee", json!(true))).await.done();
    a.is_up(&b, opened["channel_id"].as_str().unwrap(), 90).await;
}

/// What a node that was killed after its opening asks again, before it has seen the event.
#[tokio::test]
async fn a_channel_that_the_chain_has_and_the_node_not_yet_is_told_as_such() {
    let town = Town::new(ChainKind::DEVCHAIN).await;
    let a = town.configured_node(0, &[], "").await;
    let b = town.accounts[1].clone();
    let word = crate::harness::chain::word;
    // open(token, partner, settleTimeout, amount), by the partner.
    let open = format!("0x7c8e4c9a{}{}{:064x}{:064x}", word(&town.token), word(&a.account), 100, 0);
    let body = json!({ "token": town.token, "partner": b, "deposit": "5" });
    town.chain.send(&b, Some(&town.contract), &open).await;
    let refused = a.post("/channels", body).await;
    assert_eq!((refused.status, refused.code()), (409, "channel_exists"), "{refused:?}");
}

#[tokio::test]
async fn an_account_without_gas_sends_nothing_and_is_told_so() {
    let town = Town::new(ChainKind::DEVCHAIN).await;
    let [a, b] = town.row().await;
    town.chain.rpc("anvil_setBalance", json!([a.account, NO_COINS])).await;
    for deposit in ["100", "0"] {
        let body = with(opening(&town.token, &b), "deposit", json!(deposit));
        let refused = a.post("/channels", body).await.refused(422, "insufficient_coins");
        assert_eq!(refused["held"], "0", "{refused}");
    }
    let body = with(opening(&town.token, &b), "gasless", json!(true));
    a.post("/channels", body).await.refused(422, "no_relayer");
    assert_eq!(transactions_of(&town, &a).await, 0);
    assert_eq!(a.get("/transactions").await, json!([]));
}

/// A has tokens and no coin; C's node is a relay, and B the partner.
struct Poor {
    town: Town,
    a: Node,
    b: Node,
    relay: Node,
}

impl Poor {
    async fn new(kind: ChainKind, contract: &str) -> Self {
        let mut town = Town::new(kind).await;
        town.token = town.deploy_token(contract, "").await;
        let port = free_port();
        let relay = town
            .configured_node(2, &[], &format!("[relay]\nlisten = \"127.0.0.1:{port}\"\n"))
            .await;
        let b = town.node(1, &[]).await;
        let settings = format!("[relayer]\nurl = \"http://127.0.0.1:{port}\"\n");
        let a = town.configured_node(0, &[&b], &settings).await;
        town.chain.rpc("anvil_setBalance", json!([a.account, NO_COINS])).await;
        Self { town, a, b, relay }
    }

    async fn coins(&self) -> String {
        let asked = json!([self.a.account, "latest"]);
        self.town.chain.rpc("eth_getBalance", asked).await.as_str().unwrap().to_owned()
    }

    /// Opens, funds, pays, and is settled by the other side, all without a coin.
    async fn lives(&self) {
        let Self { town, a, b, .. } = self;
        let before = town.tokens_of(a).await;
        let body = with(opening(&town.token, b), "gasless", json!(true));
        let opened = a.post("/channels", body.clone()).await.done();
        assert_eq!(opened["relayed"]["state"].as_str().map(|it| it != "failed"), Some(true));
        assert!(opened["transaction"].is_null(), "{opened}");
        let channel = opened["channel_id"].as_str().unwrap();
        a.is_up(b, channel, 100).await;
        a.post("/channels", body).await.refused(409, "channel_exists");
        let deposit =
            json!({ "amount": "20", "gasless": true, "wait_seconds": PATIENCE.as_secs() });
        a.post(&format!("/channels/{channel}/deposits"), deposit).await.done();
        a.is_up(b, channel, 120).await;
        a.pays(&town.token, b, 30, "direct").await;
        balances(channel, (a, 90), (b, 30)).await;
        assert_eq!(self.coins().await, NO_COINS);
        // Who has coins ends it; what the poor one said last is in the proof.
        b.close(channel).await;
        town.is_settled(channel, &[a, b]).await;
        assert_eq!(town.tokens_of(a).await, before - 30);
        assert_eq!(self.coins().await, NO_COINS);
    }
}

#[tokio::test]
async fn who_owns_no_coin_opens_pays_and_gets_the_rest_back() {
    for contract in ["AuthorizationToken", "PermitToken"] {
        Poor::new(ChainKind::DEVCHAIN, contract).await.lives().await;
    }
}

#[cfg(feature = "anvil")]
#[tokio::test]
async fn who_owns_no_coin_opens_pays_and_gets_the_rest_back_on_anvil() {
    Poor::new(ChainKind::ANVIL, "AuthorizationToken").await.lives().await;
    Poor::new(ChainKind::OLD_ANVIL, "PermitToken").await.lives().await;
}

#[tokio::test]
async fn what_no_relay_can_carry_is_refused_before_it_is_signed() {
    let mut poor = Poor::new(ChainKind::DEVCHAIN, "PermitToken").await;
    let plain = poor.town.new_token().await;
    let body = with(opening(&plain, &poor.b), "gasless", json!(true));
    poor.a.post("/channels", body).await.refused(422, "no_gasless_way");
    let body = with(opening(&poor.town.token, &poor.b), "gasless", json!(true));
    poor.relay.kill();
    poor.a.post("/channels", body.clone()).await.refused(503, "relay_silent");
    poor.a.post("/channels", body).await.refused(409, "already_pending");
    assert_eq!(transactions_of(&poor.town, &poor.a).await, 0);
}

/// Killed after it signed: what it signed is offered again after the start, and is done once.
#[tokio::test]
async fn what_was_signed_goes_on_after_a_kill() {
    let mut poor = Poor::new(ChainKind::DEVCHAIN, "AuthorizationToken").await;
    poor.relay.freeze();
    let mut body = with(opening(&poor.town.token, &poor.b), "gasless", json!(true));
    body["wait_seconds"] = json!(0);
    let asking = poor.a.clone();
    let asked = tokio::spawn(async move {
        let url = format!("{}/api/v1/channels", asking.url);
        asking.client.post(url).bearer_auth(&asking.token).json(&body).send().await.is_ok()
    });
    eventually("the authorization is written down", async || {
        let length = std::fs::metadata(poor.a.data_dir().join("authorizations")).ok()?.len();
        (length > 100).then_some(())
    })
    .await;
    poor.a.kill();
    asked.await.unwrap();
    poor.relay.thaw();
    poor.a.restart().await;
    let channel = eventually("the channel is open", async || {
        let channels = poor.a.get("/channels").await;
        Some(channels[0]["id"].as_str()?.to_owned())
    })
    .await;
    poor.a.is_up(&poor.b, &channel, 100).await;
    assert_eq!(poor.town.in_contract().await, 100);
}

#[tokio::test]
async fn a_relay_does_what_is_signed_once_and_nothing_else() {
    let poor = Poor::new(ChainKind::DEVCHAIN, "PermitToken").await;
    let relay_url = poor.a.relayer_url();
    let client = &poor.a.client;
    let about: Value =
        client.get(format!("{relay_url}/relay/v1")).send().await.unwrap().json().await.unwrap();
    assert_eq!(about["account"], poor.relay.account);
    let good = json!({
        "chain_id": 1337, "contract": poor.town.contract, "token": poor.town.token,
        "participant": poor.a.account, "partner": poor.b.account, "settle_timeout": 100,
        "amount": "5", "nonce": format!("0x{:064x}", 7), "means": "allowance",
        "valid_until": std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() + 300,
        "signature": format!("0x{}", "11".repeat(65)),
    });
    for (field, value, status, code) in [
        ("chain_id", json!(1), 422, "relay_other_network"),
        ("valid_until", json!(1), 422, "relay_validity"),
        ("valid_until", json!(9_000_000_000_u64), 422, "relay_validity"),
        ("partner", json!(poor.a.account), 400, "malformed"),
        ("epoch", json!(1), 400, "malformed"),
        ("signature", json!("0x11"), 400, "malformed"),
        ("amount", json!("-1"), 400, "bad_amount"),
        ("colour", json!("red"), 400, "unknown_field"),
        ("amount", json!("6"), 422, "relay_reverts"),
    ] {
        let url = format!("{relay_url}/relay/v1/authorizations");
        let body = with(good.clone(), field, value.clone());
        let response = client.post(url).json(&body).send().await.unwrap();
        let got = response.status().as_u16();
        let problem: Value = response.json().await.unwrap();
        assert_eq!((got, problem["code"].as_str()), (status, Some(code)), "{field}: {problem}");
    }
    let large = client.post(format!("{relay_url}/relay/v1/authorizations"));
    let large = large.header("content-type", "application/json").body(" ".repeat(100_000));
    assert_eq!(large.send().await.unwrap().status(), 413);
    // The connection of a body that is too large is closed: another one.
    let fresh = reqwest::Client::new();
    let outside = fresh.get(format!("{relay_url}/api/v1/node")).send().await.unwrap();
    assert_eq!(outside.status(), 404, "the owner's API is not on this port");
    assert_eq!(transactions_of(&poor.town, &poor.relay).await, 0);
}

#[tokio::test]
async fn coins_go_in_wrapped_and_come_out_as_the_token() {
    let town = Town::with_wrapped_native(ChainKind::DEVCHAIN).await;
    let [a, b] = town.row().await;
    let wrapped = a.get("/node").await["wrapped_native"].as_str().unwrap().to_owned();
    let refused = a.post("/channels", opening(&wrapped, &b)).await;
    refused.refused(422, "insufficient_tokens");
    let body = with(opening(&wrapped, &b), "way", json!("native"));
    let opened = a.post("/channels", body).await.done();
    assert_eq!(opened["way"], "native");
    let channel = opened["channel_id"].as_str().unwrap();
    a.is_up(&b, channel, 100).await;
    let deposit = json!({ "amount": "7", "way": "native", "wait_seconds": PATIENCE.as_secs() });
    a.post(&format!("/channels/{channel}/deposits"), deposit).await.done();
    a.is_up(&b, channel, 107).await;
    a.pays(&wrapped, &b, 30, "direct").await;
    a.close(channel).await;
    town.is_claimed(channel, &a.account, 30).await;
    town.is_settled(channel, &[&a, &b]).await;
    assert_eq!(town.chain.tokens_of(&wrapped, &a.account).await, 77);
    assert_eq!(town.chain.tokens_of(&wrapped, &b.account).await, 30);
    let too_much = with(opening(&wrapped, &b), "deposit", json!("70000000000000000000000000"));
    let too_much = a.post("/channels", with(too_much, "way", json!("native"))).await;
    assert!(["no_such_way", "insufficient_coins"].contains(&too_much.code()), "{too_much:?}");
}
