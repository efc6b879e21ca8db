//! The first story with nodes killed at random moments: it ends right.

use crate::harness::api::{amount, payment};
use crate::harness::{Api, ChainKind, Node, Town, eventually_within};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use reqwest::Method;
use serde_json::{Value, json};
use std::cell::Cell;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Stories, each in a token of its own.
const ROUNDS: usize = 6;
/// Kills in each.
const KILLS: usize = 8;
/// Who pay at once while nodes are killed, and for how long.
const CALLERS: usize = 16;
const CALLING: Duration = Duration::from_secs(5);
/// More than they can pay in that time.
const DEPOSIT: u128 = 1_000_000;
/// Longer than one story with all its kills takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// Kill -9 of any node at any moment; `PHOTON_SEED` replays the moments of a run.
#[tokio::test]
async fn the_first_story_survives_kills() {
    let mut dice = dice();
    let town = Town::new(ChainKind::DEVCHAIN).await;
    let mut nodes: [Node; 3] = town.row().await;
    for round in 0..ROUNDS {
        let token = town.new_token().await;
        let actors = nodes.each_ref().map(|node| Actor(Api::clone(node)));
        let is_told = Cell::new(false);
        println!("round {round}, token {token}");
        let telling = async {
            tell(&town, &token, &actors).await;
            is_told.set(true);
        };
        tokio::join!(telling, kill_at_random(&mut nodes, &mut dice, &is_told));
    }
}

/// Payments without a pause while all nodes are killed in turn: each ends, one way, everywhere.
#[tokio::test]
async fn payments_on_their_way_survive_kills() {
    let mut dice = dice();
    let town = Town::new(ChainKind::DEVCHAIN).await;
    let mut nodes: [Node; 3] = town.row().await;
    let [a, b, c] = nodes.each_ref().map(|node| Actor(Api::clone(node)));
    let ab = a.opens(&town.token, &b, DEPOSIT).await;
    let bc = b.opens(&town.token, &c, DEPOSIT).await;
    a.pays(&town.token, &c, 1).await;
    let is_told = Cell::new(false);
    let mut asked = Vec::new();
    let paying = async {
        // Sixteen callers; each pays again and again, and asks about nothing that it cannot know.
        let mut callers = JoinSet::new();
        for caller in 0..CALLERS {
            let (api, token, target) = (a.0.clone(), town.token.clone(), c.0.account.clone());
            callers.spawn(async move { call(Actor(api), &token, &target, caller).await });
        }
        while let Some(keys) = callers.join_next().await {
            asked.extend(keys.unwrap());
        }
        is_told.set(true);
    };
    tokio::join!(paying, kill_at_random(&mut nodes, &mut dice, &is_told));

    let mut paid = 1;
    for payment in &asked {
        let ended = insist("a payment ends", async || {
            let payment = a.get(&format!("/payments/{payment}")).await?;
            (payment["status"] != "pending").then_some(payment)
        })
        .await;
        paid += u128::from(ended["status"] == "paid");
    }
    println!("{paid} of {} paid", asked.len() + 1);
    for (actor, channel, ours, theirs) in [
        (&a, &ab, DEPOSIT - paid, paid),
        (&b, &ab, paid, DEPOSIT - paid),
        (&b, &bc, DEPOSIT - paid, paid),
        (&c, &bc, paid, DEPOSIT - paid),
    ] {
        actor.sees(channel, ours, theirs).await;
    }
    a.pays(&town.token, &c, 1).await;
}

/// Pays 1 with fresh keys; returns the payments that the node said it had taken on.
async fn call(payer: Actor, token: &str, target: &str, caller: usize) -> Vec<String> {
    let mut taken = Vec::new();
    let begin = Instant::now();
    let mut number = 0;
    while begin.elapsed() < CALLING {
        let mut body = payment(token, target, 1, "any");
        body["idempotency_key"] = json!(format!("{caller} {number}"));
        body["wait_seconds"] = json!(2);
        let (status, answer) = payer.insists_to_post("/payments", &body).await;
        match status {
            200 | 202 => taken.push(answer["id"].as_str().unwrap().to_owned()),
            422 if answer["payment"].is_string() => {
                taken.push(answer["payment"].as_str().unwrap().to_owned());
            }
            422 | 503 => tokio::time::sleep(Duration::from_millis(10)).await,
            _ => panic!("{status} {answer}"),
        }
        number += 1;
    }
    taken
}

/// The same moments again where `PHOTON_SEED` says so.
fn dice() -> StdRng {
    let seed = match std::env::var("PHOTON_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => rand::rng().random(),
    };
    println!("PHOTON_SEED={seed}");
    StdRng::seed_from_u64(seed)
}

async fn kill_at_random(nodes: &mut [Node; 3], dice: &mut StdRng, is_told: &Cell<bool>) {
    for _ in 0..KILLS {
        let victim = dice.random_range(0..nodes.len());
        let moments = [dice.random_range(0..300), dice.random_range(0..200)];
        let [before, after] = moments.map(Duration::from_millis);
        tokio::time::sleep(before).await;
        if is_told.get() {
            return;
        }
        nodes[victim].kill();
        tokio::time::sleep(after).await;
        nodes[victim].restart().await;
    }
}

/// A node that may be down whenever it is asked.
struct Actor(Api);

impl Actor {
    async fn get(&self, path: &str) -> Option<Value> {
        let reply = self.0.ask(Method::GET, path, None).await.ok()?;
        (reply.status == 200).then_some(reply.body)
    }

    /// Whether the node says that there is no such channel.
    async fn has_no(&self, channel: &str) -> bool {
        let path = format!("/channels/{channel}");
        self.0.ask(Method::GET, &path, None).await.is_ok_and(|reply| reply.status == 404)
    }

    /// Asks for something; none where it is not known whether the node heard it.
    async fn post(&self, path: &str, body: &Value) -> Option<(u16, Value)> {
        let reply = self.0.ask(Method::POST, path, Some(body)).await.ok()?;
        Some((reply.status, reply.body))
    }

    /// Asks until it is known that the node heard it.
    async fn insists_to_post(&self, path: &str, body: &Value) -> (u16, Value) {
        let begin = Instant::now();
        loop {
            if let Some(answer) = self.post(path, body).await {
                return answer;
            }
            assert!(begin.elapsed() < PATIENCE, "no answer from {path}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn opens(&self, token: &str, partner: &Self, deposit: u128) -> String {
        let body = json!({
            "token": token, "partner": partner.0.account, "deposit": deposit.to_string(),
            "wait_seconds": 2,
        });
        insist("a channel is opened", async || {
            let channels = self.get("/channels").await?;
            let is_it = |channel: &&Value| {
                channel["token"].as_str().unwrap().eq_ignore_ascii_case(token)
                    && channel["partner"] == *partner.0.account
            };
            if let Some(channel) = channels.as_array().unwrap().iter().find(is_it) {
                assert_eq!(amount(&channel["ours"]["deposit"]), deposit, "{channel}");
                return Some(channel["id"].as_str().unwrap().to_owned());
            }
            let (status, answer) = self.post("/channels", &body).await?;
            // Asked for again after a kill, it may be open already without the node knowing.
            let is_open = answer["code"] == "transaction_failed"
                && answer["detail"].as_str().unwrap().contains("the channel is open");
            assert!(is_open || matches!(status, 200 | 202 | 409 | 503 | 504), "{answer}");
            None
        })
        .await
    }

    /// Pays once, however often it has to be asked for.
    async fn pays(&self, token: &str, to: &Self, amount: u128) {
        let mut order = 0;
        insist("a payment is made", async || {
            let mut body = payment(token, &to.0.account, amount, "any");
            body["idempotency_key"] = json!(format!("{token} {} {order}", to.0.account));
            body["wait_seconds"] = json!(3);
            let (status, answer) = self.post("/payments", &body).await?;
            let code = answer["code"].as_str().unwrap_or_default();
            match (status, code) {
                (200, _) => return Some(()),
                (202, _) | (503, _) => {}
                // Refused before anything was promised.
                (422, "partner_offline" | "unknown_target" | "no_route" | "no_channels") => {}
                // It is over, and every token is back: another try is another payment.
                (422, "payment_failed" | "payment_expired") => order += 1,
                _ => panic!("{status} {answer}"),
            }
            None
        })
        .await;
    }

    async fn closes(&self, channel: &str) {
        insist("a channel is closed", async || {
            let path = format!("/channels/{channel}");
            if self.get(&path).await?["state"] == "closed" {
                return Some(());
            }
            let (status, answer) = self.post(&format!("{path}/close"), &json!({})).await?;
            assert!(matches!(status, 200 | 202 | 409 | 503), "{answer}");
            None
        })
        .await;
    }

    async fn sees(&self, channel: &str, ours: u128, theirs: u128) {
        insist("the balances are right", async || {
            let view = self.get(&format!("/channels/{channel}")).await?;
            let right = amount(&view["ours"]["balance"]) == ours
                && amount(&view["theirs"]["balance"]) == theirs
                && view["ours"]["locks"] == 0
                && view["theirs"]["locks"] == 0;
            right.then_some(())
        })
        .await;
    }

    /// What it received in a token.
    async fn receipts(&self, token: &str) -> Vec<u128> {
        let page = insist("the receipts are told", async || {
            self.get(&format!("/receipts?token={token}")).await
        })
        .await;
        page["items"].as_array().unwrap().iter().map(|item| amount(&item["amount"])).collect()
    }
}

async fn insist<T>(what: &str, question: impl AsyncFnMut() -> Option<T>) -> T {
    eventually_within(PATIENCE, what, question).await
}

/// Scenario 2, by people who ask again.
async fn tell(town: &Town, token: &str, [a, b, c]: &[Actor; 3]) {
    let held = async |actor: &Actor| town.chain.tokens_of(token, &actor.0.account).await;
    let before = [held(a).await, held(b).await];
    let ab = a.opens(token, b, 100).await;
    let bc = b.opens(token, c, 80).await;
    a.pays(token, b, 30).await;
    a.sees(&ab, 70, 30).await;
    b.sees(&ab, 30, 70).await;
    a.pays(token, c, 20).await;
    for (actor, channel, ours, theirs) in
        [(a, &ab, 50, 50), (b, &ab, 50, 50), (b, &bc, 60, 20), (c, &bc, 20, 60)]
    {
        actor.sees(channel, ours, theirs).await;
    }
    assert_eq!([b.receipts(token).await, c.receipts(token).await], [vec![30], vec![20]]);

    a.closes(&ab).await;
    town.is_claimed(&ab, &a.0.account, 50).await;
    insist("the channel is settled", async || {
        let gone = [a.has_no(&ab).await, b.has_no(&ab).await];
        if gone != [true, true] {
            town.chain.advance(5).await;
        }
        (gone == [true, true]).then_some(())
    })
    .await;
    assert_eq!(held(a).await, before[0] - 50);
    assert_eq!(held(b).await, before[1] - 80 + 50);
    assert_eq!(town.chain.tokens_of(token, &town.contract).await, 80);
    b.sees(&bc, 60, 20).await;
    c.sees(&bc, 20, 60).await;
}
