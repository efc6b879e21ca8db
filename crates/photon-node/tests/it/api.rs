//! The HTTP API from outside, over real sockets: who may call, what is refused, and a story.

use crate::town::{PATIENCE, Town, eventually};
use futures::{SinkExt as _, StreamExt as _};
use photon_node::Node;
use photon_node::api::Problem;
use photon_node::api::types::{BulkAnswer, Event, PaymentView};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

/// One node's API, as its owner calls it.
struct Caller {
    base: String,
    token: String,
    client: Client,
}

impl Caller {
    fn of(node: &Node) -> Self {
        let api = node.api().unwrap();
        let base = format!("http://{}", api.address());
        Self { base, token: api.token().to_owned(), client: Client::new() }
    }

    fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    fn call(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, &format!("/api/v1{path}")).bearer_auth(&self.token)
    }

    async fn get(&self, path: &str) -> Value {
        let response = self.call(Method::GET, path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.json().await.unwrap()
    }

    async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let response = self.call(Method::POST, path).json(body).send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    /// Posts and expects a refusal; answers its code.
    async fn refused(&self, path: &str, body: &Value) -> (u16, String) {
        let response = self.call(Method::POST, path).json(body).send().await.unwrap();
        let problem = problem(response).await;
        (problem.status, problem.code)
    }
}

async fn problem(response: Response) -> Problem {
    let status = response.status().as_u16();
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    let text = response.text().await.unwrap();
    assert_eq!(kind, "application/problem+json", "{text}");
    let problem: Problem = serde_json::from_str(&text).unwrap();
    assert_eq!(problem.status, status);
    assert_eq!(problem.kind, format!("urn:photon:problem:{}", problem.code));
    problem
}

async fn code(request: RequestBuilder) -> (u16, String) {
    let problem = problem(request.send().await.unwrap()).await;
    (problem.status, problem.code)
}

async fn node_with_api(town: &Town, index: usize, peers: &[&Node]) -> Node {
    let mut config = town.config(index, peers);
    config.api.enabled = true;
    config.api.listen = "127.0.0.1:0".parse().unwrap();
    Node::start_as(config, town.account(index)).await.unwrap()
}

fn expect(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_owner_may_call() {
    let town = Town::new().await;
    let node = node_with_api(&town, 0, &[]).await;
    let caller = Caller::of(&node);
    let status = || caller.bare(Method::GET, "/api/v1/node");

    assert_eq!(code(status()).await, expect(401, "unauthorized"));
    assert_eq!(code(status().bearer_auth("0".repeat(64))).await, expect(401, "unauthorized"));
    let in_url = caller.bare(Method::GET, &format!("/api/v1/node?token={}", caller.token));
    assert_eq!(code(in_url).await, expect(401, "unauthorized"));
    let foreign = caller.call(Method::GET, "/node").header("origin", "https://evil.example");
    assert_eq!(code(foreign).await, expect(403, "origin_forbidden"));
    let rebound = caller.call(Method::GET, "/node").header("host", "evil.example:5001");
    assert_eq!(code(rebound).await, expect(403, "host_forbidden"));
    let page = caller.call(Method::GET, "/node").header("origin", &caller.base);
    assert_eq!(page.send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(code(caller.bare(Method::GET, "/secret")).await, expect(401, "unauthorized"));
    assert_eq!(code(caller.call(Method::GET, "/secret")).await, expect(404, "not_found"));
    assert_eq!(code(caller.call(Method::DELETE, "/node")).await, expect(405, "method_not_allowed"));
    let preflight = caller
        .bare(Method::OPTIONS, "/api/v1/payments")
        .header("origin", "https://evil.example")
        .header("access-control-request-method", "POST");
    assert_eq!(code(preflight).await, expect(403, "origin_forbidden"));

    let health = caller.bare(Method::GET, "/health").send().await.unwrap();
    assert_eq!(health.json::<Value>().await.unwrap()["status"], "ok");
    assert_eq!(caller.get("/node").await["account"], town.address(0).to_string());
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_to_try_it_loads_nothing_from_elsewhere() {
    let town = Town::new().await;
    let node = node_with_api(&town, 0, &[]).await;
    let caller = Caller::of(&node);
    let page = caller.bare(Method::GET, "/docs/").send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'self'"), "{policy}");
    let text = page.text().await.unwrap();
    assert!(!text.contains("https://"), "{text}");
    for part in ["swagger-ui-bundle.js", "swagger-ui.css", "swagger-initializer.js"] {
        let part = caller.bare(Method::GET, &format!("/docs/{part}")).send().await.unwrap();
        assert_eq!(part.status(), StatusCode::OK);
    }
    let description = caller.bare(Method::GET, "/api/v1/openapi.json").send().await.unwrap();
    assert_eq!(description.json::<Value>().await.unwrap()["openapi"], "3.1.0");
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_refused_with_a_code_and_changes_nothing() {
    let town = Town::new().await;
    let node = node_with_api(&town, 0, &[]).await;
    let caller = Caller::of(&node);
    let (target, token) = (town.address(1).to_string(), town.token.to_string());
    let pay = async |change: Value| {
        let mut body = json!({ "target": target, "token": token, "amount": "20" });
        let fields = body.as_object_mut().unwrap();
        fields.extend(change.as_object().unwrap().clone());
        fields.retain(|_, value| !value.is_null());
        caller.refused("/payments", &body).await
    };
    for amount in [json!("0"), json!("-1"), json!("1.5"), json!("ten"), json!(20), json!(-1)] {
        assert_eq!(pay(json!({ "amount": amount })).await, expect(400, "bad_amount"), "{amount}");
    }
    let above = json!({ "amount": (1_u128 << 96).to_string() });
    assert_eq!(pay(above).await, expect(400, "bad_amount"));
    assert_eq!(pay(json!({ "target": "0x12" })).await, expect(400, "bad_address"));
    assert_eq!(pay(json!({ "target": null })).await, expect(400, "malformed"));
    assert_eq!(pay(json!({ "speed": "fast" })).await, expect(400, "unknown_field"));
    assert_eq!(pay(json!({ "wait_seconds": 601 })).await, expect(400, "malformed"));
    assert_eq!(pay(json!({ "invoice": "photon1" })).await, expect(400, "malformed"));
    assert_eq!(pay(json!({ "idempotency_key": "" })).await, expect(400, "bad_idempotency_key"));
    assert_eq!(pay(json!({ "note": "x".repeat(257) })).await, expect(400, "note_too_long"));
    let own = json!({ "target": town.address(0).to_string() });
    assert_eq!(pay(own).await, expect(400, "pay_to_self"));
    assert_eq!(pay(json!({})).await, expect(422, "no_channels"));
    let invoice = json!({ "invoice": "photon1qqqq" });
    assert_eq!(caller.refused("/payments", &invoice).await, expect(400, "invoice_unreadable"));

    let plain = caller.call(Method::POST, "/payments").body("{}");
    assert_eq!(code(plain).await, expect(415, "unsupported_media_type"));
    let large = json!({ "note": "x".repeat(1024 * 1024) });
    assert_eq!(caller.refused("/payments", &large).await, expect(413, "body_too_large"));

    let open = |partner: &str| json!({ "token": token, "partner": partner, "deposit": "1" });
    let own = open(&town.address(0).to_string());
    assert_eq!(caller.refused("/channels", &own).await, expect(400, "partner_is_self"));
    let no_token = json!({ "token": target, "partner": target, "deposit": "1" });
    assert_eq!(caller.refused("/channels", &no_token).await, expect(422, "not_a_token"));
    let mut short = open(&target);
    short["settle_timeout"] = json!(1);
    let refused = caller.refused("/channels", &short).await;
    assert_eq!(refused, expect(400, "settle_timeout_out_of_bounds"));
    let hash = format!("0x{}", "11".repeat(32));
    for path in ["close", "settle"] {
        let path = format!("/channels/{hash}/{path}");
        assert_eq!(caller.refused(&path, &json!({})).await, expect(404, "unknown_channel"));
    }
    let get = async |path: &str| code(caller.call(Method::GET, path)).await;
    assert_eq!(get(&format!("/channels/{hash}")).await, expect(404, "unknown_channel"));
    assert_eq!(get("/channels/0x12").await, expect(400, "bad_hash"));
    assert_eq!(get(&format!("/payments/{}", "1".repeat(32))).await, expect(404, "unknown_payment"));
    assert_eq!(get(&format!("/invoices/{hash}")).await, expect(404, "unknown_invoice"));
    assert_eq!(get("/transactions/7").await, expect(404, "unknown_transaction"));
    assert_eq!(get("/payments?limit=0").await, expect(400, "malformed"));
    assert_eq!(get("/payments?colour=red").await, expect(400, "unknown_field"));
    assert_eq!(get("/payments?token=0x12").await, expect(400, "bad_address"));
    assert_eq!(get("/events?after=x").await, expect(400, "malformed"));
    assert_eq!(get("/payments/bulk").await, expect(400, "malformed"));

    assert_eq!(caller.get("/channels").await, json!([]));
    assert_eq!(caller.get("/payments").await, json!({ "items": [] }));
    node.shutdown().await;
}

/// Two nodes with a channel in which the first has this much.
async fn two(town: &Town, deposit: u128) -> (Node, Node, Caller, Caller, String) {
    let bob = node_with_api(town, 1, &[]).await;
    let alice = node_with_api(town, 0, &[&bob]).await;
    let (a, b) = (Caller::of(&alice), Caller::of(&bob));
    let body = json!({
        "token": town.token.to_string(), "partner": town.address(1).to_string(),
        "deposit": deposit.to_string(), "wait_seconds": 30,
    });
    let (status, opened) = a.post("/channels", &body).await;
    assert_eq!((status, &opened["done"]), (StatusCode::OK, &json!(true)), "{opened}");
    let channel = opened["channel_id"].as_str().unwrap().to_owned();
    for caller in [&a, &b] {
        eventually(async || {
            let channels = caller.get("/channels").await;
            let channel = channels.get(0)?;
            (channel["partner_online"] == true).then_some(())
        })
        .await;
    }
    (alice, bob, a, b, channel)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_made_once_quoted_and_found_again() {
    let town = Town::new().await;
    let (alice, bob, a, b, channel) = two(&town, 100).await;
    let account = json!({
        "target": town.address(1).to_string(), "token": town.token.to_string(), "amount": "30",
    });
    let (status, quote) = a.post("/quotes", &account).await;
    assert_eq!(
        (status, &quote["total"], &quote["direct"]),
        (StatusCode::OK, &json!("30"), &json!(true))
    );

    let pay = async |amount: &str| {
        let mut body = account.clone();
        body["amount"] = json!(amount);
        body["note"] = json!("for the coffee");
        let request = a.call(Method::POST, "/payments").header("idempotency-key", "coffee");
        request.json(&body).send().await.unwrap()
    };
    let first = pay("30").await;
    assert_eq!(first.status(), StatusCode::OK);
    let place = first.headers()["location"].to_str().unwrap().to_owned();
    let paid: PaymentView = first.json().await.unwrap();
    let again: PaymentView = pay("30").await.json().await.unwrap();
    assert_eq!(again, paid);
    assert_eq!(problem(pay("31").await).await.code, "payment_exists");
    let ours = a.get(&format!("/channels/{channel}")).await;
    assert_eq!(
        (&ours["ours"]["balance"], &ours["theirs"]["balance"]),
        (&json!("70"), &json!("30"))
    );
    let found = a.get(place.trim_start_matches("/api/v1")).await;
    assert_eq!(found["status"], "paid");

    let mut more = account.clone();
    more["amount"] = json!("71");
    let response = a.call(Method::POST, "/payments").json(&more).send().await.unwrap();
    let refused = problem(response).await;
    assert_eq!((refused.status, refused.code.as_str()), (422, "insufficient_balance"));
    assert_eq!(
        (&refused.numbers["spendable"], &refused.numbers["needed"]),
        (&json!("70"), &json!("71"))
    );

    let invoice = json!({ "token": town.token.to_string(), "amount": "20", "description": "tea" });
    let (status, invoice) = b.post("/invoices", &invoice).await;
    assert_eq!(status, StatusCode::CREATED);
    let (_, decoded) = a.post("/invoices/decode", &json!({ "invoice": invoice["text"] })).await;
    assert_eq!(decoded, invoice);
    let (status, paid) = a.post("/payments", &json!({ "invoice": invoice["text"] })).await;
    assert_eq!((status, &paid["status"]), (StatusCode::OK, &json!("paid")), "{paid}");
    assert!(paid["proof"].is_string(), "{paid}");
    let path = format!("/invoices/{}", invoice["secret_hash"].as_str().unwrap());
    eventually(async || (b.get(&path).await["state"] == "paid").then_some(())).await;
    let own = json!({ "invoice": invoice["text"] });
    assert_eq!(b.refused("/payments", &own).await.0, 409);

    let page = a.get("/payments?limit=1&status=paid").await;
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    let next = page["next"].as_str().unwrap();
    let second = a.get(&format!("/payments?limit=1&status=paid&cursor={next}")).await;
    let ids: BTreeSet<_> =
        [&page, &second].map(|page| page["items"][0]["id"].as_str().unwrap().to_owned()).into();
    assert_eq!(ids.len(), 2);
    let receipts = b.get("/receipts").await;
    let receipts = receipts["items"].as_array().unwrap();
    assert_eq!(receipts.len(), 2);
    assert_eq!(receipts[1]["note"], "for the coffee");
    assert_eq!(b.get("/receipts?since=99999999999").await["items"], json!([]));
    alice.shutdown().await;
    bob.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_a_hop_cannot_forward_is_a_problem_with_hop_and_reason() {
    let town = Town::new().await;
    let (alice, bob, a, b, _) = two(&town, 100).await;
    let carol = node_with_api(&town, 2, &[&bob]).await;
    let c = Caller::of(&carol);
    let (token, carols) = (town.token.to_string(), town.address(2).to_string());
    let open = json!({
        "token": token, "partner": carols, "deposit": "80", "wait_seconds": 30,
    });
    assert_eq!(b.post("/channels", &open).await.0, StatusCode::OK);
    let ready = |channel: &Value| channel["partner"] == carols && channel["partner_online"] == true;
    let both = async || b.get("/channels").await.as_array()?.iter().any(ready).then_some(());
    eventually(both).await;
    let pay = |amount: &str| json!({ "target": carols, "token": token, "amount": amount });
    eventually(async || (a.post("/quotes", &pay("20")).await.0 == StatusCode::OK).then_some(()))
        .await;
    assert_eq!(b.post("/payments", &pay("75")).await.0, StatusCode::OK);

    // The deposits still say that it could go; only Bob knows that it cannot.
    let keyed = || {
        let request = a.call(Method::POST, "/payments").header("idempotency-key", "too much");
        request.json(&pay("20"))
    };
    let failed = problem(keyed().send().await.unwrap()).await;
    assert_eq!((failed.status, failed.code.as_str()), (422, "payment_failed"), "{failed:?}");
    assert_eq!(failed.hop.unwrap().0, town.address(1));
    assert_eq!(failed.reason.as_deref(), Some("insufficient_balance"));
    assert_eq!(problem(keyed().send().await.unwrap()).await, failed);
    let found = a.get(&format!("/payments/{}", failed.payment.unwrap())).await;
    assert_eq!(
        (&found["status"], &found["failure"]["code"]),
        (&json!("failed"), &json!("payment_failed"))
    );
    eventually(async || (a.get("/channels").await[0]["ours"]["locks"] == 0).then_some(())).await;
    assert_eq!(a.get("/channels").await[0]["ours"]["balance"], "100");
    assert_eq!(c.get("/receipts").await["items"].as_array().unwrap().len(), 1);
    for node in [alice, bob, carol] {
        node.shutdown().await;
    }
}

/// Reads a stream of events until one of this kind.
async fn read_until(response: &mut Response, kind: &str) -> Vec<Event> {
    let mut text = String::new();
    let read = async {
        loop {
            let events: Vec<Event> = text
                .split("\n\n")
                .filter_map(|block| block.lines().find_map(|line| line.strip_prefix("data: ")))
                .filter_map(|data| serde_json::from_str(data).ok())
                .collect();
            if events.iter().any(|event| event.what.name() == kind) {
                return events;
            }
            let chunk = response.chunk().await.unwrap().expect("the stream goes on");
            text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    };
    timeout(PATIENCE, read).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_replayed_from_a_cursor_and_go_on_live() {
    let town = Town::new().await;
    let (alice, bob, a, b, _) = two(&town, 100).await;
    let mut live = b.call(Method::GET, "/events?after=start").send().await.unwrap();
    assert_eq!(live.headers()["content-type"], "text/event-stream");
    let body = json!({
        "target": town.address(1).to_string(), "token": town.token.to_string(), "amount": "1",
    });
    assert_eq!(a.post("/payments", &body).await.0, StatusCode::OK);
    let events = read_until(&mut live, "payment_received").await;
    assert_eq!(events[0].what.name(), "channel_opened");
    let numbers: Vec<_> = events.iter().map(|event| event.number).collect();
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{numbers:?}");
    let last = events.iter().find(|event| event.what.name() == "channel_opened").unwrap().number;
    let again = b.call(Method::GET, "/events").header("last-event-id", last.to_string());
    let replayed = read_until(&mut again.send().await.unwrap(), "payment_received").await;
    assert!(replayed.iter().all(|event| event.number > last));
    bob.shutdown().await;
    let end = timeout(PATIENCE, async { while let Ok(Some(_)) = live.chunk().await {} }).await;
    assert!(end.is_ok(), "a stream ends with its node");
    alice.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_payments_go_over_one_stream() {
    let town = Town::new().await;
    let (alice, bob, a, b, channel) = two(&town, 1_000).await;
    let address = a.base.trim_start_matches("http://").to_owned();
    let mut request = format!("ws://{address}/api/v1/payments/bulk").into_client_request().unwrap();
    let socket = TcpStream::connect(&address).await.unwrap();
    let refused = tokio_tungstenite::client_async(request.clone(), socket).await;
    assert!(refused.is_err(), "the token is missing");
    request.headers_mut().insert("authorization", format!("Bearer {}", a.token).parse().unwrap());
    let socket = TcpStream::connect(&address).await.unwrap();
    let (mut stream, _) = tokio_tungstenite::client_async(request, socket).await.unwrap();

    let (target, token) = (town.address(1).to_string(), town.token.to_string());
    let (target, token) = (&target, &token);
    let payment = |id: usize| {
        let id = id.to_string();
        json!({ "id": id, "target": target, "token": token, "amount": "1" })
    };
    for first in (0..1_000).step_by(250) {
        let frame: Vec<_> = (first..first + 250).map(payment).collect();
        stream.send(Message::text(serde_json::to_string(&frame).unwrap())).await.unwrap();
    }
    stream.send(Message::text(r#"{"id": "bad", "amount": "x"}"#)).await.unwrap();
    let mut answers: Vec<BulkAnswer> = Vec::new();
    let read = async {
        while answers.len() < 1_001 {
            if let Message::Text(text) = stream.next().await.unwrap().unwrap() {
                answers.extend(serde_json::from_str::<Vec<BulkAnswer>>(&text).unwrap());
            }
        }
    };
    timeout(PATIENCE, read).await.unwrap();
    let paid = answers.iter().filter(|answer| answer.payment.is_some());
    let ids: BTreeSet<_> = paid.map(|answer| answer.id.clone().unwrap()).collect();
    assert_eq!(ids.len(), 1_000);
    let bad = answers.iter().find(|answer| answer.id.as_deref() == Some("bad")).unwrap();
    assert_eq!(bad.problem.as_ref().unwrap().code, "bad_amount");
    let theirs = b.get(&format!("/channels/{channel}")).await;
    assert_eq!(theirs["ours"]["balance"], "1000");
    alice.shutdown().await;
    bob.shutdown().await;
}
