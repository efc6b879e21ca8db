//! What both sides agree on, and what an owner holds: scenarios 3, 4, 6 and 11.

use crate::harness::api::{amount, balances};
use crate::harness::{Api, ChainKind, Node, PATIENCE, Town, eventually};
use photon_wire::Secret;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_channel_is_settled_together_on_the_devchain() {
    settled_together(ChainKind::DEVCHAIN).await;
}

#[tokio::test]
async fn a_part_is_withdrawn_on_the_devchain() {
    withdrawn(ChainKind::DEVCHAIN).await;
}

#[tokio::test]
async fn a_held_payment_is_released_or_cancelled_on_the_devchain() {
    held(ChainKind::DEVCHAIN).await;
}

#[cfg(feature = "anvil")]
mod on_anvil {
    use super::*;

    #[tokio::test]
    async fn a_channel_is_settled_together_on_anvil() {
        settled_together(ChainKind::ANVIL).await;
    }

    #[tokio::test]
    async fn a_part_is_withdrawn_on_anvil() {
        withdrawn(ChainKind::ANVIL).await;
    }
}

fn waiting() -> Value {
    json!({ "wait_seconds": PATIENCE.as_secs() })
}

/// Scenario 3.
async fn settled_together(kind: ChainKind) {
    let town = Town::new(kind).await;
    let [a, b] = town.row::<2>().await;
    let token = &town.token;
    let before = [town.tokens_of(&a).await, town.tokens_of(&b).await];
    let ab = a.open(token, &b, 100).await;
    a.pays(token, &b, 40, "any").await;
    b.pays(token, &a, 10, "locked").await;
    balances(&ab, (&a, 70), (&b, 30)).await;

    let path = format!("/channels/{ab}/settle-cooperatively");
    let done = a.post(&path, waiting()).await.done();
    assert_eq!((&done["done"], &done["channel"]), (&json!(true), &Value::Null), "{done}");
    eventually("both sides see the end", async || {
        let gone = a.channel(&ab).await.is_none() && b.channel(&ab).await.is_none();
        gone.then_some(())
    })
    .await;
    let after = [town.tokens_of(&a).await, town.tokens_of(&b).await];
    assert_eq!(after, [before[0] - 30, before[1] + 30]);
    assert_eq!(town.in_contract().await, 0);

    // The partner is gone: said clearly, and nothing has changed.
    a.open(token, &b, 50).await;
    drop(b);
    eventually("the partner is gone", async || {
        (a.channel(&ab).await?["partner_online"] == false).then_some(())
    })
    .await;
    a.post(&path, waiting()).await.refused(422, "partner_offline");
    assert_eq!(a.channel(&ab).await.unwrap()["state"], "open");
}

/// Scenario 4.
async fn withdrawn(kind: ChainKind) {
    let town = Town::new(kind).await;
    let [a, b] = town.row::<2>().await;
    let token = &town.token;
    let ab = a.open(token, &b, 100).await;
    b.deposit(&ab, None, 50).await;
    a.is_up(&b, &ab, 150).await;
    let before = [town.tokens_of(&a).await, town.tokens_of(&b).await];

    let path = format!("/channels/{ab}/withdraw");
    let ask = |much: u128| json!({ "amount": much.to_string(), "wait_seconds": 60 });
    let done = a.post(&path, ask(60)).await.done();
    let ours = &done["channel"]["ours"];
    assert_eq!((&ours["withdrawn"], &ours["balance"]), (&json!("60"), &json!("40")), "{done}");
    assert_eq!(town.tokens_of(&a).await, before[0] + 60);
    a.post(&path, ask(41)).await.refused(422, "insufficient_balance");

    // A partner who has not yet seen the last withdrawal declines the next one.
    eventually("the partner has seen it", async || {
        (b.channel(&ab).await?["theirs"]["withdrawn"] == "60").then_some(())
    })
    .await;
    // Both at once: both win.
    let (one, other) = tokio::join!(a.post(&path, ask(30)), b.post(&path, ask(50)));
    one.done();
    other.done();
    assert_eq!(town.in_contract().await, 10);
    a.pays(token, &b, 4, "any").await;
    balances(&ab, (&a, 6), (&b, 4)).await;
    b.close(&ab).await;
    town.is_settled(&ab, &[&a, &b]).await;
    assert_eq!(town.tokens_of(&a).await, before[0] + 96);
    assert_eq!(town.tokens_of(&b).await, before[1] + 54);
    assert_eq!(town.in_contract().await, 0);
}

/// An invoice of `who` for the hash of this secret: its text, and the hash.
pub(crate) async fn invoice(who: &Api, token: &str, secret: &Secret) -> (String, String) {
    let hash = secret.hash().0.to_string();
    let body = json!({ "token": token, "amount": "20", "secret_hash": hash });
    let made = who.post("/invoices", body).await;
    assert_eq!(made.status, 201, "{}", made.body);
    (made.body["text"].as_str().unwrap().to_owned(), hash)
}

/// Scenario 11.
async fn held(kind: ChainKind) {
    let town = Town::new(kind).await;
    let [a, b, c]: [Node; 3] = town.row().await;
    let token = &town.token;
    let ab = a.open(token, &b, 100).await;
    let bc = b.open(token, &c, 80).await;
    town.at_head(&[&a, &b, &c]).await;
    // The target's record has come round once this has arrived.
    a.pays(token, &c, 1, "any").await;

    for release in [true, false] {
        let secret = Secret([if release { 7 } else { 8 }; 32]);
        let (text, hash) = invoice(&c, token, &secret).await;
        let paying = a.post("/payments", json!({ "invoice": text, "wait_seconds": 0 })).await;
        assert_eq!(paying.status, 202, "{}", paying.body);
        let payment = paying.body["id"].as_str().unwrap().to_owned();
        c.event("the payment is held", |event| {
            event["kind"] == "payment_held" && event["invoice"] == json!(hash)
        })
        .await;
        assert_eq!(a.get(&format!("/payments/{payment}")).await["status"], "pending");
        c.has_locks(&bc, 0, 1).await;
        if release {
            let body = json!({ "secret": photon_wire::B256::new(secret.0).to_string() });
            assert_eq!(c.post("/invoices/release", body).await.status, 204);
            assert_eq!(a.end_of(&payment).await["status"], "paid");
            balances(&ab, (&a, 79), (&b, 21)).await;
        } else {
            let path = format!("/invoices/{hash}");
            assert_eq!(c.ask(Method::DELETE, &path, None).await.unwrap().status, 204);
            assert_eq!(a.end_of(&payment).await["status"], "failed");
            assert_eq!(c.get(&path).await["state"], "cancelled");
            balances(&ab, (&a, 79), (&b, 21)).await;
        }
    }
    let view = c.channel(&bc).await.unwrap();
    assert_eq!(amount(&view["ours"]["balance"]), 21);
}
