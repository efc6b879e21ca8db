//! A disposed lock that is claimed on the chain: scenario 10. Nobody here is told to cheat: a node
//! that is put back from an older copy does not know that it gave the lock back.

use crate::agreements::invoice;
use crate::harness::api::balances;
use crate::harness::{ChainKind, Node, Town, eventually};
use photon_wire::Secret;
use reqwest::Method;
use serde_json::json;
use std::fs;
use std::path::Path;

#[tokio::test]
async fn a_disposed_lock_that_is_claimed_is_punished_on_the_devchain() {
    punished(ChainKind::DEVCHAIN).await;
}

#[cfg(feature = "anvil")]
#[tokio::test]
async fn a_disposed_lock_that_is_claimed_is_punished_on_anvil() {
    punished(ChainKind::ANVIL).await;
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

async fn punished(kind: ChainKind) {
    let town = Town::new(kind).await;
    let [mut a, mut b, mut c]: [Node; 3] = town.row().await;
    let token = &town.token;
    let before = [town.tokens_of(&a).await, town.tokens_of(&b).await];
    let ab = a.open(token, &b, 100).await;
    b.deposit(&ab, None, 50).await;
    a.is_up(&b, &ab, 150).await;
    let bc = b.open(token, &c, 80).await;
    town.at_head(&[&a, &b, &c]).await;
    // C's record has come round once this has arrived.
    a.pays(token, &c, 1, "any").await;
    balances(&ab, (&a, 99), (&b, 51)).await;

    // C holds a payment. A copy of B is made, which knows of the lock and nothing of its end.
    let secret = Secret([9; 32]);
    let (text, hash) = invoice(&c, token, &secret).await;
    let paying = a.post("/payments", json!({ "invoice": text, "wait_seconds": 0 })).await;
    let payment = paying.body["id"].as_str().unwrap().to_owned();
    c.event("the payment is held", |event| event["kind"] == "payment_held").await;
    a.has_locks(&ab, 1, 0).await;
    b.kill();
    let older = b.data_dir().with_extension("older");
    copy(b.data_dir(), &older);
    b.restart().await;
    eventually("B is there again", async || {
        let there = a.channel(&ab).await?["partner_online"] == true
            && c.channel(&bc).await?["partner_online"] == true;
        there.then_some(())
    })
    .await;
    c.ask(Method::DELETE, &format!("/invoices/{hash}"), None).await.unwrap();
    assert_eq!(a.end_of(&payment).await["status"], "failed");
    balances(&ab, (&a, 99), (&b, 51)).await;

    // The copy closes with A's proof of that time, hears the secret from the chain, and claims.
    a.kill();
    b.kill();
    c.kill();
    fs::remove_dir_all(b.data_dir()).unwrap();
    copy(&older, b.data_dir());
    b.restart().await;
    b.close(&ab).await;
    let one = format!("{:064x}{:064x}", 0x20, 1);
    let secret = photon_wire::B256::new(secret.0);
    let register = format!("0x81030fb4{one}{}", secret.to_string().trim_start_matches("0x"));
    town.chain.send(&town.accounts[5], Some(&town.contract), &register).await;
    b.event("the lock is claimed", |event| event["kind"] == "unlocked").await;

    a.restart().await;
    let punished = a.event("the claim is punished", |event| event["kind"] == "punished").await;
    assert_eq!((&punished["payer"], &punished["amount"]), (&json!(a.account), &json!("20")));
    town.is_settled(&ab, &[&a, &b]).await;
    assert_eq!(town.tokens_of(&a).await, before[0] + 19, "the lock, and as much again");
    assert_eq!(town.tokens_of(&b).await, before[1] - 80 - 19);
}
