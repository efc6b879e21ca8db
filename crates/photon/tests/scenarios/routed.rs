//! Payments: scenarios 7, 8, 12 and 15.

use crate::harness::api::{amount, balances, payment};
use crate::harness::{Api, ChainKind, Node, Town, eventually};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

#[tokio::test]
async fn payments_over_two_and_three_hops_on_the_devchain() {
    payments_over_two_and_three_hops(ChainKind::DEVCHAIN).await;
}

#[cfg(feature = "anvil")]
mod on_anvil {
    use super::*;

    #[tokio::test]
    async fn payments_over_two_and_three_hops_on_anvil() {
        payments_over_two_and_three_hops(ChainKind::ANVIL).await;
    }

    #[tokio::test]
    async fn payments_over_two_and_three_hops_on_old_anvil() {
        payments_over_two_and_three_hops(ChainKind::OLD_ANVIL).await;
    }
}

/// A row of nodes with channels between neighbours, in which each side has deposited so much.
async fn row<const N: usize>(kind: ChainKind, deposit: u128) -> (Town, [Node; N], Vec<String>) {
    let town = Town::new(kind).await;
    let nodes: [Node; N] = town.row().await;
    let mut channels = Vec::new();
    for pair in nodes.windows(2) {
        let channel = pair[0].open(&town.token, &pair[1], deposit).await;
        pair[1].deposit(&channel, None, deposit).await;
        pair[0].is_up(&pair[1], &channel, 2 * deposit).await;
        channels.push(channel);
    }
    let apis: Vec<&Api> = nodes.iter().map(|node| &**node).collect();
    town.at_head(&apis).await;
    (town, nodes, channels)
}

/// Scenario 7.
async fn payments_over_two_and_three_hops(kind: ChainKind) {
    let (town, [a, b, c, d], channels) = row::<4>(kind, 1_000).await;
    let token = &town.token;
    let [ab, bc, cd] = &channels[..] else { panic!("three channels") };

    let locked = a.pays(token, &b, 5, "locked").await;
    assert_eq!(locked["direct"], false);
    assert_eq!(locked["proof"].as_str().unwrap().len(), 66);
    balances(ab, (&a, 995), (&b, 1_005)).await;

    let two = a.pays(token, &c, 20, "any").await;
    assert_eq!(two["route"], json!([a.account, b.account, c.account]));
    let three = a.pays(token, &d, 30, "any").await;
    assert_eq!(three["route"], json!([a.account, b.account, c.account, d.account]));
    d.pays(token, &a, 7, "any").await;
    balances(ab, (&a, 952), (&b, 1_048)).await;
    balances(bc, (&b, 957), (&c, 1_043)).await;
    balances(cd, (&c, 977), (&d, 1_023)).await;

    // A mediator takes its fee, and the quote says so before.
    b.ask(Method::PUT, "/fees", Some(&json!({ "base": "1", "parts_per_million": 20_000 })))
        .await
        .unwrap()
        .done();
    let body = json!({ "token": token, "target": d.account, "amount": "100" });
    eventually("the fee of B comes round", async || {
        let quote = a.post("/quotes", body.clone()).await.done();
        (quote["fee"] == "3" && quote["total"] == "103").then_some(())
    })
    .await;
    let mut cheap = payment(token, &d.account, 100, "any");
    cheap["max_fee"] = json!("2");
    a.post("/payments", cheap).await.refused(422, "fee_too_high");
    assert_eq!(a.pays(token, &d, 100, "any").await["fee"], "3");
    balances(ab, (&a, 849), (&b, 1_151)).await;
    balances(bc, (&b, 857), (&c, 1_143)).await;
    balances(cd, (&c, 877), (&d, 1_123)).await;
}

/// Scenario 7: many at once, both ways through one mediator; none fails.
#[tokio::test]
async fn a_hundred_payments_at_once_in_both_directions() {
    let (town, [a, b, c], channels) = row::<3>(ChainKind::DEVCHAIN, 1_000).await;
    let [ab, bc] = &channels[..] else { panic!("two channels") };
    a.pays(&town.token, &c, 1, "any").await;
    c.pays(&town.token, &a, 1, "any").await;
    let mut payments = JoinSet::new();
    for number in 0..100 {
        let (from, to) = if number % 2 == 0 { (&a, &c) } else { (&c, &a) };
        let (from, to, token) = (Api::clone(from), to.account.clone(), town.token.clone());
        let amount = if number % 2 == 0 { 3 } else { 2 };
        payments.spawn(
            async move { from.post("/payments", payment(&token, &to, amount, "any")).await },
        );
    }
    while let Some(reply) = payments.join_next().await {
        assert_eq!(reply.unwrap().done()["status"], "paid");
    }
    balances(ab, (&a, 950), (&b, 1_050)).await;
    balances(bc, (&b, 950), (&c, 1_050)).await;
    let page = c.get("/receipts?limit=200").await;
    assert_eq!(page["items"].as_array().unwrap().len(), 51);
}

/// Scenario 8: what cannot be paid is refused with who and why, and no lock is left.
#[tokio::test]
async fn what_cannot_be_paid_is_refused_with_who_and_why() {
    let town = Town::new(ChainKind::DEVCHAIN).await;
    let [a, mut b, mut c, d] = town.row().await;
    let token = &town.token;
    let ab = a.open(token, &b, 100).await;
    let bc = b.open(token, &c, 10).await;
    c.deposit(&bc, None, 50).await;
    b.is_up(&c, &bc, 60).await;
    town.at_head(&[&a, &b, &c, &d]).await;
    a.pays(token, &c, 1, "any").await;
    balances(&ab, (&a, 99), (&b, 1)).await;
    balances(&bc, (&b, 9), (&c, 51)).await;

    a.pay(token, &d, 1, "any").await.refused(422, "no_route");
    d.pay(token, &a, 1, "any").await.refused(422, "no_channels");
    for (to, way, most) in [(&b, "any", "99"), (&b, "locked", "99"), (&c, "any", "60")] {
        let short = a.pay(token, to, 100, way).await.refused(422, "insufficient_balance");
        assert_eq!((&short["spendable"], &short["needed"]), (&json!(most), &json!("100")));
    }

    // C has deposited more than B, so from outside the channel looks as if B could forward.
    let refused = a.pay(token, &c, 10, "any").await.refused(422, "payment_failed");
    failed_at(&refused, &b, "insufficient_balance");
    no_lock_is_left(&a, &b, &c, &ab, &bc).await;

    c.kill();
    eventually("B misses C", async || {
        (b.channel(&bc).await?["partner_online"] == false).then_some(())
    })
    .await;
    let refused = a.pay(token, &c, 1, "any").await.refused(422, "payment_failed");
    failed_at(&refused, &b, "partner_offline");
    let stored = a.get(&format!("/payments/{}", refused["payment"].as_str().unwrap())).await;
    assert_eq!(
        (&stored["status"], &stored["failure"]["hop"]),
        (&json!("failed"), &json!(b.account))
    );
    c.restart().await;
    b.is_up(&c, &bc, 60).await;
    no_lock_is_left(&a, &b, &c, &ab, &bc).await;

    b.kill();
    eventually("A misses B", async || {
        (a.channel(&ab).await?["partner_online"] == false).then_some(())
    })
    .await;
    for way in ["any", "direct"] {
        let refused = a.pay(token, &b, 1, way).await.refused(422, "partner_offline");
        assert_eq!(refused["partner"], *b.account, "{refused}");
    }
    b.restart().await;
    a.is_up(&b, &ab, 100).await;
    b.is_up(&c, &bc, 60).await;
    a.pays(token, &c, 9, "any").await;
    balances(&ab, (&a, 90), (&b, 10)).await;
    balances(&bc, (&b, 0), (&c, 60)).await;
}

#[track_caller]
fn failed_at(refused: &Value, hop: &Api, reason: &str) {
    assert_eq!((&refused["hop"], &refused["reason"]), (&json!(hop.account), &json!(reason)));
}

async fn no_lock_is_left(a: &Api, b: &Api, c: &Api, ab: &str, bc: &str) {
    balances(ab, (a, 99), (b, 1)).await;
    balances(bc, (b, 9), (c, 51)).await;
}

/// Scenario 12.
#[tokio::test]
async fn a_payment_with_the_same_key_is_made_once() {
    let (town, [a, b, c], channels) = row::<3>(ChainKind::DEVCHAIN, 100).await;
    let [ab, bc] = &channels[..] else { panic!("two channels") };
    a.pays(&town.token, &c, 1, "any").await;
    for (to, way) in [(&b, "direct"), (&c, "any")] {
        let body = |amount| {
            let mut body = payment(&town.token, &to.account, amount, way);
            body["idempotency_key"] = json!(format!("order 17 to {}", to.account));
            body
        };
        let mut payments = JoinSet::new();
        for _ in 0..20 {
            let (a, body) = (Api::clone(&a), body(3));
            payments.spawn(async move { a.post("/payments", body).await.done() });
        }
        let first = a.post("/payments", body(3)).await.done();
        assert_eq!(first["status"], "paid");
        while let Some(other) = payments.join_next().await {
            assert_eq!(other.unwrap()["id"], first["id"]);
        }
        a.post("/payments", body(4)).await.refused(409, "payment_exists");
        let again = a.post("/payments", body(3)).await.done();
        assert_eq!(again, first);
    }
    balances(ab, (&a, 93), (&b, 107)).await;
    balances(bc, (&b, 96), (&c, 104)).await;
}

/// Scenario 15.
#[tokio::test]
async fn direct_payments_pass_a_pending_lock() {
    let (town, [a, b, c], channels) = row::<3>(ChainKind::DEVCHAIN, 100).await;
    let [ab, bc] = &channels[..] else { panic!("two channels") };
    a.pays(&town.token, &c, 1, "any").await;
    balances(bc, (&b, 99), (&c, 101)).await;
    c.freeze();
    let held = a.begins_to_pay(&town.token, &c, 20).await;
    b.has_locks(bc, 1, 0).await;
    a.pays(&town.token, &b, 5, "direct").await;
    b.pays(&town.token, &a, 3, "direct").await;
    a.has_locks(ab, 1, 0).await;
    let view = a.channel(ab).await.unwrap();
    assert_eq!(
        (&view["ours"]["balance"], &view["ours"]["spendable"]),
        (&json!("97"), &json!("77"))
    );
    c.thaw();
    assert_eq!(a.end_of(&held).await["status"], "paid");
    balances(ab, (&a, 77), (&b, 123)).await;
    balances(bc, (&b, 79), (&c, 121)).await;
}

/// An invoice brings what it asks for once, however many pay it at once.
#[tokio::test]
async fn an_invoice_is_paid_once() {
    let (town, [a, b, c], channels) = row::<3>(ChainKind::DEVCHAIN, 100).await;
    let [ab, bc] = &channels[..] else { panic!("two channels") };
    for round in 1..=5 {
        let wanted = json!({ "token": town.token, "amount": "5" });
        let invoice = b.post("/invoices", wanted).await.body["text"].clone();
        let mut payments = JoinSet::new();
        for number in 0..6 {
            let payer = Api::clone(if number % 2 == 0 { &a } else { &c });
            let body = json!({ "invoice": invoice, "wait_seconds": 60 });
            payments.spawn(async move { payer.post("/payments", body).await });
        }
        let mut paid = 0;
        while let Some(reply) = payments.join_next().await {
            let reply = reply.unwrap();
            let reason = reply.body["reason"].as_str().unwrap_or_default();
            match (reply.status, reply.code(), reason) {
                (200, ..) => paid += 1,
                // By the target, or by a payer who is paying it already.
                (422, "payment_failed", "unknown_invoice" | "duplicate_lock")
                | (409, "payment_exists", _) => {}
                _ => panic!("{} {}", reply.status, reply.body),
            }
        }
        assert_eq!(paid, 1);
        eventually("the receipts are told", async || {
            let page = b.get("/receipts").await;
            (page["items"].as_array().unwrap().len() == round).then_some(())
        })
        .await;
    }
    let [from_a, from_c] = [received(&b, &a).await, received(&b, &c).await];
    assert_eq!(from_a + from_c, 25);
    balances(ab, (&a, 100 - from_a), (&b, 100 + from_a)).await;
    balances(bc, (&b, 100 + from_c), (&c, 100 - from_c)).await;
}

/// What a node received from a partner.
async fn received(node: &Api, partner: &Api) -> u128 {
    let page = node.get(&format!("/receipts?partner={}", partner.account)).await;
    let items = page["items"].as_array().unwrap();
    items.iter().map(|item| amount(&item["amount"])).sum()
}
