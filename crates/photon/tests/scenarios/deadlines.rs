//! Locks whose time runs out: scenarios 13 and 14.

use crate::harness::api::balances;
use crate::harness::{ChainKind, Node, Town, eventually};
use std::time::{Duration, Instant};

/// `development`: from a payment to its lock's expiration, and what is needed to register.
const LOCK_DURATION: u64 = 40;
const REVEAL_TIMEOUT: u64 = 10;

/// How long the target's own part of a payment takes at most.
const TAKEN_IN: Duration = Duration::from_secs(3);

/// A-B 100 and B-C 80, and A has paid C 1.
async fn street() -> (Town, [Node; 3], [String; 2]) {
    let town = Town::new(ChainKind::DEVCHAIN).await;
    let nodes: [Node; 3] = town.row().await;
    let [a, b, c] = &nodes;
    let ab = a.open(&town.token, b, 100).await;
    let bc = b.open(&town.token, c, 80).await;
    town.at_head(&[a, b, c]).await;
    a.pays(&town.token, c, 1, "any").await;
    balances(&ab, (a, 99), (b, 1)).await;
    balances(&bc, (b, 79), (c, 1)).await;
    (town, nodes, [ab, bc])
}

/// Scenario 13: the payer of the last hop is gone when the target shows the secret. The target
/// makes it public in time, and nobody closes a channel for it.
#[tokio::test]
async fn a_secret_that_nobody_hears_is_registered_in_time() {
    let (town, [a, mut b, c], [ab, bc]) = street().await;
    let mut paid = 1;
    let held = loop {
        c.freeze();
        let held = a.begins_to_pay(&town.token, &c, 20).await;
        b.has_locks(&bc, 1, 0).await;
        b.freeze();
        c.thaw();
        // The lock may still be in B's memory: then this payment goes its usual way.
        let begin = Instant::now();
        let arrived = loop {
            let view = c.channel(&bc).await.unwrap();
            if view["theirs"]["locks"] == 1 || begin.elapsed() > TAKEN_IN {
                break view["theirs"]["locks"] == 1;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        if arrived {
            break held;
        }
        b.thaw();
        assert_eq!(a.end_of(&held).await["status"], "paid");
        paid += 20;
        assert!(paid < 80, "the lock never arrives");
    };
    b.kill();
    let is_registration = |event: &serde_json::Value| event["kind"] == "secrets_registered";

    town.advance(LOCK_DURATION - REVEAL_TIMEOUT + 1, &[&a, &c]).await;
    c.event("C registers the secret", is_registration).await;
    b.restart().await;
    let ended = a.end_of(&held).await;
    assert_eq!(ended["status"], "paid", "{ended}");
    paid += 20;
    balances(&ab, (&a, 100 - paid), (&b, paid)).await;
    balances(&bc, (&b, 80 - paid), (&c, paid)).await;
    for (node, channel) in [(&a, &ab), (&c, &bc)] {
        assert_eq!(node.channel(channel).await.unwrap()["state"], "open");
    }
    let receipts = c.get("/receipts").await;
    assert_eq!(receipts["items"][0]["payment"], *held, "{receipts}");
    a.pays(&town.token, &c, 1, "any").await;
}

/// Scenario 13 for a mediator: it has paid the target, and its own payer is gone.
#[tokio::test]
async fn a_mediator_whose_payer_is_gone_registers_in_time() {
    let (town, [mut a, b, c], [ab, bc]) = street().await;
    c.freeze();
    let held = a.begins_to_pay(&town.token, &c, 20).await;
    b.has_locks(&bc, 1, 0).await;
    a.kill();
    c.thaw();
    balances(&bc, (&b, 59), (&c, 21)).await;
    b.has_locks(&ab, 0, 1).await;

    town.advance(LOCK_DURATION - REVEAL_TIMEOUT + 1, &[&b, &c]).await;
    b.event("B registers the secret", |event| event["kind"] == "secrets_registered").await;
    // Now the lock may become as old as it likes.
    town.advance(LOCK_DURATION, &[&b, &c]).await;
    a.restart().await;
    let ended = a.end_of(&held).await;
    assert_eq!(ended["status"], "paid", "{ended}");
    balances(&ab, (&a, 79), (&b, 21)).await;
    assert_eq!(b.channel(&ab).await.unwrap()["state"], "open");
    a.is_up(&b, &ab, 100).await;
    a.pays(&town.token, &c, 1, "any").await;
}

/// Scenario 14.
#[tokio::test]
async fn an_expired_lock_leaves_every_hop() {
    let (town, [a, b, mut c], [ab, bc]) = street().await;
    c.freeze();
    let held = a.begins_to_pay(&town.token, &c, 20).await;
    b.has_locks(&bc, 1, 0).await;
    c.kill();
    let short = a.pay(&town.token, &b, 80, "any").await.refused(422, "insufficient_balance");
    assert_eq!(short["spendable"], "79");

    town.advance(LOCK_DURATION / 2, &[&a, &b]).await;
    assert_eq!(a.get(&format!("/payments/{held}")).await["status"], "pending");
    a.has_locks(&ab, 1, 0).await;
    b.has_locks(&bc, 1, 0).await;

    town.advance(LOCK_DURATION, &[&a, &b]).await;
    let ended = a.end_of(&held).await;
    let failure = &ended["failure"];
    assert_eq!(ended["status"], "failed", "{ended}");
    // A sees it itself, or hears it first from B, who says who did not take the payment.
    match failure["code"].as_str().unwrap() {
        "payment_expired" => {}
        "payment_failed" => assert_eq!(failure["hop"], *c.account, "{ended}"),
        code => panic!("{code}"),
    }
    balances(&ab, (&a, 99), (&b, 1)).await;
    b.has_locks(&bc, 0, 0).await;

    c.restart().await;
    b.is_up(&c, &bc, 80).await;
    balances(&bc, (&b, 79), (&c, 1)).await;
    town.at_head(&[&a, &b, &c]).await;
    eventually("the street is open again", async || {
        let paid = a.pay(&town.token, &c, 79, "any").await;
        (paid.status == 200).then_some(())
    })
    .await;
    balances(&ab, (&a, 20), (&b, 80)).await;
    balances(&bc, (&b, 0), (&c, 80)).await;
}
