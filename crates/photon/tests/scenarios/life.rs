//! Channels from opening to settling: scenarios 1, 2 and 5.

use crate::harness::api::{amount, balances};
use crate::harness::{Api, ChainKind, Node, PATIENCE, Town, eventually};
use serde_json::json;

#[tokio::test]
async fn deposits_of_all_kinds_on_the_devchain() {
    deposits_of_all_kinds(ChainKind::DEVCHAIN).await;
}

#[tokio::test]
async fn the_first_story_on_the_devchain() {
    the_first_story(ChainKind::DEVCHAIN).await;
}

#[tokio::test]
async fn the_first_story_on_an_old_devchain() {
    the_first_story(ChainKind::OLD_DEVCHAIN).await;
}

#[tokio::test]
async fn three_lives_of_a_channel_on_the_devchain() {
    three_lives_of_a_channel(ChainKind::DEVCHAIN).await;
}

#[tokio::test]
async fn a_payer_closes_over_a_lock_that_is_taken_on_the_devchain() {
    a_lock_is_taken_in_a_dispute(ChainKind::DEVCHAIN, Closer::Payer).await;
}

#[tokio::test]
async fn a_payee_closes_over_a_lock_that_is_taken_on_the_devchain() {
    a_lock_is_taken_in_a_dispute(ChainKind::DEVCHAIN, Closer::Payee).await;
}

#[tokio::test]
async fn a_channel_is_closed_over_a_lock_that_nobody_takes_on_the_devchain() {
    a_lock_is_left_in_a_dispute(ChainKind::DEVCHAIN).await;
}

#[cfg(feature = "anvil")]
mod on_anvil {
    use super::*;

    #[tokio::test]
    async fn deposits_of_all_kinds_on_anvil() {
        deposits_of_all_kinds(ChainKind::ANVIL).await;
    }

    #[tokio::test]
    async fn deposits_of_all_kinds_on_old_anvil() {
        deposits_of_all_kinds(ChainKind::OLD_ANVIL).await;
    }

    #[tokio::test]
    async fn the_first_story_on_anvil() {
        the_first_story(ChainKind::ANVIL).await;
    }

    #[tokio::test]
    async fn the_first_story_on_old_anvil() {
        the_first_story(ChainKind::OLD_ANVIL).await;
    }

    #[tokio::test]
    async fn three_lives_of_a_channel_on_anvil() {
        three_lives_of_a_channel(ChainKind::ANVIL).await;
    }

    #[tokio::test]
    async fn three_lives_of_a_channel_on_old_anvil() {
        three_lives_of_a_channel(ChainKind::OLD_ANVIL).await;
    }

    #[tokio::test]
    async fn a_payer_closes_over_a_lock_that_is_taken_on_anvil() {
        a_lock_is_taken_in_a_dispute(ChainKind::ANVIL, Closer::Payer).await;
    }

    #[tokio::test]
    async fn a_payee_closes_over_a_lock_that_is_taken_on_old_anvil() {
        a_lock_is_taken_in_a_dispute(ChainKind::OLD_ANVIL, Closer::Payee).await;
    }
}

/// Scenario 1.
async fn deposits_of_all_kinds(kind: ChainKind) {
    let town = Town::new(kind).await;
    let [a, b, c] = town.row().await;
    let token = &town.token;

    let ab = a.open(token, &b, 100).await;
    a.deposit(&ab, None, 10).await;
    b.deposit(&ab, None, 20).await;
    a.deposit(&ab, None, 1).await;
    b.deposit(&ab, None, 30).await;
    a.deposit(&ab, Some(&b), 7).await;
    let epoch = a.channel(&ab).await.unwrap()["epoch"].as_u64().unwrap();
    town.third_party_deposit((&a, &b), epoch, 5).await;
    a.is_up(&b, &ab, 173).await;
    for (side, ours, theirs) in [(&a, "116", "57"), (&b, "57", "116")] {
        let view = side.channel(&ab).await.unwrap();
        assert_eq!(
            (&view["ours"]["deposit"], &view["theirs"]["deposit"]),
            (&json!(ours), &json!(theirs))
        );
        assert_eq!(
            (&view["ours"]["balance"], &view["ours"]["spendable"]),
            (&json!(ours), &json!(ours))
        );
        assert_eq!(view["state"], "open");
    }

    let bc = b.open(token, &c, 0).await;
    c.deposit(&bc, None, 40).await;
    c.is_up(&b, &bc, 40).await;
    c.pays(token, &b, 15, "any").await;
    balances(&bc, (&b, 15), (&c, 25)).await;
    a.pays(token, &b, 116, "any").await;
    balances(&ab, (&a, 0), (&b, 173)).await;
    assert_eq!(town.in_contract().await, 213);
}

/// Scenario 2, and 18 where the chain is old.
async fn the_first_story(kind: ChainKind) {
    let town = Town::new(kind).await;
    let [a, b, c] = town.row().await;
    let token = &town.token;
    let before = [town.tokens_of(&a).await, town.tokens_of(&b).await];

    let ab = a.open(token, &b, 100).await;
    let bc = b.open(token, &c, 80).await;
    town.at_head(&[&a, &b, &c]).await;

    let direct = a.pays(token, &b, 30, "any").await;
    assert_eq!((&direct["direct"], &direct["fee"]), (&json!(true), &json!("0")));
    balances(&ab, (&a, 70), (&b, 30)).await;

    let routed = a.pays(token, &c, 20, "any").await;
    assert_eq!(routed["route"], json!([a.account, b.account, c.account]));
    assert_eq!(routed["proof"].as_str().unwrap().len(), 66, "{routed}");
    balances(&ab, (&a, 50), (&b, 50)).await;
    balances(&bc, (&b, 60), (&c, 20)).await;
    let receipts = c.get("/receipts").await;
    assert_eq!(receipts["items"][0]["payment"], routed["id"], "{receipts}");
    assert_eq!(
        (&receipts["items"][0]["amount"], &receipts["items"][1]),
        (&json!("20"), &json!(null))
    );

    a.close(&ab).await;
    town.is_claimed(&ab, &a.account, 50).await;
    town.is_settled(&ab, &[&a, &b]).await;
    is_paid_out(&a, &ab, 50, 50).await;
    is_paid_out(&b, &ab, 50, 50).await;
    assert_eq!(town.tokens_of(&a).await, before[0] - 100 + 50);
    assert_eq!(town.tokens_of(&b).await, before[1] - 80 + 50);
    assert_eq!(town.in_contract().await, 80);

    a.pay(token, &b, 1, "any").await.refused(422, "no_channels");
    balances(&bc, (&b, 60), (&c, 20)).await;
    b.pays(token, &c, 1, "locked").await;
    balances(&bc, (&b, 59), (&c, 21)).await;
}

/// Scenario 5 without locks: closed with no proof, with the other's, and with one each; each time
/// by another side, and opened again.
async fn three_lives_of_a_channel(kind: ChainKind) {
    let town = Town::new(kind).await;
    let [a, b] = town.row().await;
    let token = &town.token;
    let before = [town.tokens_of(&a).await, town.tokens_of(&b).await];

    let ab = a.open(token, &b, 100).await;
    b.deposit(&ab, None, 50).await;
    a.is_up(&b, &ab, 150).await;
    b.close(&ab).await;
    town.is_settled(&ab, &[&a, &b]).await;
    is_paid_out(&a, &ab, 100, 50).await;

    assert_eq!(b.open(token, &a, 60).await, ab);
    b.pays(token, &a, 25, "any").await;
    balances(&ab, (&a, 25), (&b, 35)).await;
    a.close(&ab).await;
    town.is_settled(&ab, &[&a, &b]).await;
    let paid_out = [before[0] + 25, before[1] - 25];
    assert_eq!([town.tokens_of(&a).await, town.tokens_of(&b).await], paid_out);

    a.open(token, &b, 100).await;
    a.pays(token, &b, 70, "any").await;
    b.pays(token, &a, 10, "locked").await;
    balances(&ab, (&a, 40), (&b, 60)).await;
    assert_eq!(a.channel(&ab).await.unwrap()["epoch"], 3);
    b.close(&ab).await;
    town.is_claimed(&ab, &b.account, 10).await;
    town.is_settled(&ab, &[&a, &b]).await;
    let paid_out = [paid_out[0] - 60, paid_out[1] + 60];
    assert_eq!([town.tokens_of(&a).await, town.tokens_of(&b).await], paid_out);
    assert_eq!(town.in_contract().await, 0);
}

/// Which side of a channel closes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Closer {
    Payer,
    Payee,
}

/// A row whose last node is frozen, with a payment from the first to the last on the way.
struct Held {
    town: Town,
    nodes: [Node; 3],
    channels: [String; 2],
    payment: String,
}

async fn held_payment(kind: ChainKind) -> Held {
    let town = Town::new(kind).await;
    let nodes: [Node; 3] = town.row().await;
    let [a, b, c] = &nodes;
    let ab = a.open(&town.token, b, 100).await;
    let bc = b.open(&town.token, c, 80).await;
    town.at_head(&[a, b, c]).await;
    a.pays(&town.token, c, 1, "any").await;
    balances(&bc, (b, 79), (c, 1)).await;
    c.freeze();
    let payment = a.begins_to_pay(&town.token, c, 20).await;
    a.has_locks(&ab, 1, 0).await;
    b.has_locks(&ab, 0, 1).await;
    b.has_locks(&bc, 1, 0).await;
    Held { channels: [ab, bc], nodes, payment, town }
}

/// Scenario 5 with a lock whose secret comes during the dispute: claimed on the chain, by itself.
async fn a_lock_is_taken_in_a_dispute(kind: ChainKind, closer: Closer) {
    let Held { town, nodes: [a, b, c], channels: [ab, bc], payment } = held_payment(kind).await;
    let before = [town.tokens_of(&a).await, town.tokens_of(&b).await];
    match closer {
        Closer::Payer => {
            a.close(&ab).await;
            town.is_claimed(&ab, &a.account, 1).await;
        }
        Closer::Payee => b.close(&ab).await,
    }
    c.thaw();
    b.event("B claims the lock on the chain", |event| {
        event["kind"] == "unlocked" && event["channel"] == *ab && event["amount"] == "20"
    })
    .await;
    balances(&bc, (&b, 59), (&c, 21)).await;
    town.is_settled(&ab, &[&a, &b]).await;
    is_paid_out(&a, &ab, 79, 21).await;
    assert_eq!(town.tokens_of(&a).await, before[0] + 79);
    assert_eq!(town.tokens_of(&b).await, before[1] + 21);
    assert_eq!(a.end_of(&payment).await["status"], "paid");
}

/// Scenario 5 with a lock whose secret nobody learns: it goes back to its payer.
async fn a_lock_is_left_in_a_dispute(kind: ChainKind) {
    let Held { town, nodes: [a, b, mut c], channels: [ab, bc], payment } = held_payment(kind).await;
    let before = [town.tokens_of(&a).await, town.tokens_of(&b).await];
    c.kill();
    a.close(&ab).await;
    town.is_claimed(&ab, &a.account, 1).await;
    town.is_settled(&ab, &[&a, &b]).await;
    is_paid_out(&a, &ab, 99, 1).await;
    assert_eq!(town.tokens_of(&a).await, before[0] + 99);
    assert_eq!(town.tokens_of(&b).await, before[1] + 1);
    assert_eq!(a.end_of(&payment).await["status"], "failed");
    b.has_locks(&bc, 0, 0).await;
    c.restart().await;
    balances(&bc, (&b, 79), (&c, 1)).await;
}

/// A node was told how much each side got in the end.
async fn is_paid_out(node: &Api, channel: &str, ours: u128, theirs: u128) {
    let event = node
        .event("the channel is settled", |event| {
            event["kind"] == "channel_settled" && event["channel"] == channel
        })
        .await;
    assert_eq!((amount(&event["ours"]), amount(&event["theirs"])), (ours, theirs), "{event}");
}

#[tokio::test]
async fn a_channel_settles_while_its_closer_is_down() {
    let town = Town::new(ChainKind::DEVCHAIN).await;
    let [mut a, b] = town.row().await;
    let before = [town.tokens_of(&a).await, town.tokens_of(&b).await];
    let ab = a.open(&town.token, &b, 100).await;
    a.pays(&town.token, &b, 40, "any").await;
    balances(&ab, (&a, 60), (&b, 40)).await;
    let body = json!({ "wait_seconds": PATIENCE.as_secs() });
    a.post(&format!("/channels/{ab}/close"), body).await.done();
    a.kill();
    town.is_claimed(&ab, &a.account, 40).await;
    town.is_settled(&ab, &[&b]).await;
    assert_eq!(town.tokens_of(&a).await, before[0] - 40);
    assert_eq!(town.tokens_of(&b).await, before[1] + 40);
    a.restart().await;
    eventually("who was away learns of it", async || a.channel(&ab).await.is_none().then_some(()))
        .await;
    is_paid_out(&a, &ab, 60, 40).await;
}

#[tokio::test]
async fn a_payee_that_was_away_updates_when_it_is_back() {
    let town = Town::new(ChainKind::DEVCHAIN).await;
    let [a, mut b] = town.row().await;
    let before = [town.tokens_of(&a).await, town.tokens_of(&b).await];
    let ab = a.open(&town.token, &b, 100).await;
    a.pays(&town.token, &b, 40, "any").await;
    balances(&ab, (&a, 60), (&b, 40)).await;
    b.kill();
    a.close(&ab).await;
    town.advance(30, &[&a]).await;
    b.restart().await;
    town.is_claimed(&ab, &a.account, 40).await;
    town.is_settled(&ab, &[&a, &b]).await;
    is_paid_out(&b, &ab, 40, 60).await;
    assert_eq!(town.tokens_of(&a).await, before[0] - 40);
    assert_eq!(town.tokens_of(&b).await, before[1] + 40);
}
