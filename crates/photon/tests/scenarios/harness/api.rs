//! A node's HTTP API, and what tests read off it.

use super::{PATIENCE, eventually};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;

/// An answer of the API.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Reply {
    /// The body of what was done.
    #[track_caller]
    pub(crate) fn done(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body
    }

    /// The body of what was refused with this status and code.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) -> Value {
        assert_eq!((self.status, self.code()), (status, code), "{}", self.body);
        assert_eq!(self.body["status"], status);
        self.body
    }

    /// The code of a problem; empty of anything else.
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

/// One node's API, with its token.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    pub(crate) client: reqwest::Client,
    pub(crate) url: String,
    pub(crate) token: String,
    pub(crate) account: String,
}

impl Api {
    /// Asks; an error where the node is not there.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Reply, reqwest::Error> {
        let url = format!("{}/api/v1{path}", self.url);
        let mut request = self.client.request(method, url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Reply { status, body })
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.ask(Method::POST, path, Some(&body)).await.unwrap()
    }

    pub(crate) async fn look(&self, path: &str) -> Reply {
        self.ask(Method::GET, path, None).await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.look(path).await.done()
    }

    /// A channel of this node; none where there is none.
    pub(crate) async fn channel(&self, channel: &str) -> Option<Value> {
        let reply = self.look(&format!("/channels/{channel}")).await;
        if reply.status == 404 { None } else { Some(reply.done()) }
    }

    /// Opens a channel and waits for it.
    pub(crate) async fn open(&self, token: &str, partner: &Self, deposit: u128) -> String {
        let body = json!({
            "token": token, "partner": partner.account, "deposit": deposit.to_string(),
            "wait_seconds": PATIENCE.as_secs(),
        });
        let opened = self.post("/channels", body).await.done();
        assert_eq!(opened["done"], true, "{opened}");
        let channel = opened["channel_id"].as_str().unwrap().to_owned();
        self.is_up(partner, &channel, deposit).await;
        channel
    }

    /// Waits until both sides see a channel with these deposits in all, and each other.
    pub(crate) async fn is_up(&self, partner: &Self, channel: &str, deposits: u128) {
        for side in [self, partner] {
            eventually("both sides see the channel", async || {
                let view = side.channel(channel).await?;
                let sum = amount(&view["ours"]["deposit"]) + amount(&view["theirs"]["deposit"]);
                (view["partner_online"] == true && sum == deposits).then_some(())
            })
            .await;
        }
    }

    /// Adds to somebody's deposit and waits for it.
    pub(crate) async fn deposit(&self, channel: &str, whose: Option<&Self>, amount: u128) {
        let mut body = json!({ "amount": amount.to_string(), "wait_seconds": PATIENCE.as_secs() });
        if let Some(whose) = whose {
            body["participant"] = json!(whose.account);
        }
        let deposited = self.post(&format!("/channels/{channel}/deposits"), body).await.done();
        assert_eq!(deposited["done"], true, "{deposited}");
    }

    /// Closes a channel and waits for it.
    pub(crate) async fn close(&self, channel: &str) {
        let body = json!({ "wait_seconds": PATIENCE.as_secs() });
        let closed = self.post(&format!("/channels/{channel}/close"), body).await.done();
        assert_eq!(closed["done"], true, "{closed}");
        assert_eq!(closed["channel"]["state"], "closed", "{closed}");
    }

    /// Pays, waiting for the end; again where the target's record has not come round yet.
    pub(crate) async fn pay(&self, token: &str, to: &Self, amount: u128, way: &str) -> Reply {
        let body = payment(token, &to.account, amount, way);
        eventually("the record of the target comes round", async || {
            let reply = self.post("/payments", body.clone()).await;
            (reply.code() != "unknown_target").then_some(reply)
        })
        .await
    }

    /// Pays, and it succeeds.
    pub(crate) async fn pays(&self, token: &str, to: &Self, amount: u128, way: &str) -> Value {
        let paid = self.pay(token, to, amount, way).await.done();
        assert_eq!(paid["status"], "paid", "{paid}");
        paid
    }

    /// Begins to pay, and does not wait; returns the payment's name.
    pub(crate) async fn begins_to_pay(&self, token: &str, to: &Self, amount: u128) -> String {
        let mut body = payment(token, &to.account, amount, "any");
        body["wait_seconds"] = json!(0);
        let reply = self.post("/payments", body).await;
        assert_eq!((reply.status, &reply.body["status"]), (202, &json!("pending")));
        reply.body["id"].as_str().unwrap().to_owned()
    }

    /// Waits for the end of a payment.
    pub(crate) async fn end_of(&self, payment: &str) -> Value {
        eventually("a payment ends", async || {
            let payment = self.get(&format!("/payments/{payment}")).await;
            (payment["status"] != "pending").then_some(payment)
        })
        .await
    }

    /// Waits until this side has so many locks pending, its own and the partner's.
    pub(crate) async fn has_locks(&self, channel: &str, ours: u64, theirs: u64) {
        eventually("the locks are there", async || {
            let view = self.channel(channel).await?;
            (view["ours"]["locks"] == ours && view["theirs"]["locks"] == theirs).then_some(())
        })
        .await;
    }

    /// Reads all events so far and to come until one fits, and returns it.
    pub(crate) async fn event(&self, what: &str, fits: impl FnMut(&Value) -> bool) -> Value {
        self.events_until(what, "start", fits).await.pop().unwrap()
    }

    /// Reads events after this one until one fits, which is the last of those returned.
    pub(crate) async fn events_until(
        &self,
        what: &str,
        after: &str,
        mut fits: impl FnMut(&Value) -> bool,
    ) -> Vec<Value> {
        let mut seen = Vec::new();
        let reading = async {
            let url = format!("{}/api/v1/events?after={after}", self.url);
            let mut stream = self.client.get(url).bearer_auth(&self.token).send().await.unwrap();
            assert_eq!(stream.status(), 200);
            let mut text = String::new();
            while let Some(chunk) = stream.chunk().await.unwrap() {
                text.push_str(std::str::from_utf8(&chunk).unwrap());
                while let Some(end) = text.find("\n\n") {
                    let event: String = text.drain(..end + 2).collect();
                    let Some(event) = event_of(&event) else { continue };
                    seen.push(event.clone());
                    if fits(&event) {
                        return;
                    }
                }
            }
            panic!("the events ended before: {what}");
        };
        let in_time = timeout(PATIENCE, reading).await.is_ok();
        assert!(in_time, "no event in time: {what}; seen: {seen:#?}");
        seen
    }
}

/// What one server-sent event says; none of a comment.
fn event_of(text: &str) -> Option<Value> {
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let event: Value = serde_json::from_str(field("data:")?).unwrap();
    assert_eq!(field("id:").unwrap(), event["number"].to_string());
    assert_eq!(field("event:").unwrap(), event["what"]["kind"]);
    Some(event["what"].clone())
}

/// The body of a payment to an account.
pub(crate) fn payment(token: &str, target: &str, amount: u128, way: &str) -> Value {
    json!({ "token": token, "target": target, "amount": amount.to_string(), "way": way })
}

/// An amount of the API.
pub(crate) fn amount(value: &Value) -> u128 {
    let text = value.as_str().unwrap_or_else(|| panic!("{value} is no amount"));
    text.parse().unwrap()
}

/// Waits until both sides of a channel see these balances and no locks.
pub(crate) async fn balances(channel: &str, one: (&Api, u128), other: (&Api, u128)) {
    let mut seen = Vec::new();
    let begin = std::time::Instant::now();
    loop {
        let mut right = true;
        seen.clear();
        for ((side, ours), theirs) in [(one, other.1), (other, one.1)] {
            let Some(view) = side.channel(channel).await else {
                panic!("{} has no channel {channel}", side.account)
            };
            right &= amount(&view["ours"]["balance"]) == ours
                && amount(&view["theirs"]["balance"]) == theirs
                && view["ours"]["locks"] == 0
                && view["theirs"]["locks"] == 0;
            seen.push(view);
        }
        if right {
            return;
        }
        assert!(begin.elapsed() < PATIENCE, "expected {} and {}: {seen:#?}", one.1, other.1);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
