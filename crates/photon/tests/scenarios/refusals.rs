//! Bad input by the API, and scenario 21: each a clear refusal with a code, and nothing changes.

use crate::harness::api::{balances, payment};
use crate::harness::{Api, ChainKind, Node, Town, eventually};
use reqwest::Method;
use serde_json::{Value, json};

/// 2^96, the first amount that is too much.
const TOO_MUCH: &str = "79228162514264337593543950336";

/// Names and values.
type Headers<'a> = &'a [(&'a str, &'a str)];

/// A-B with 100 of A's, and nothing paid yet.
async fn pair() -> (Town, [Node; 2], String) {
    let town = Town::new(ChainKind::DEVCHAIN).await;
    let nodes: [Node; 2] = town.row().await;
    let channel = nodes[0].open(&town.token, &nodes[1], 100).await;
    (town, nodes, channel)
}

/// All that may not change by a refusal.
async fn all_of(node: &Api) -> Vec<Value> {
    let mut all = Vec::new();
    for path in ["/channels", "/payments", "/receipts", "/invoices", "/transactions", "/fees"] {
        all.push(node.get(path).await);
    }
    all
}

#[tokio::test]
async fn payments_that_make_no_sense_are_refused() {
    let (town, [a, b], ab) = pair().await;
    let before = [all_of(&a).await, all_of(&b).await];
    let nobody = "0x00000000000000000000000000000000DeaDBeef";
    let good = || payment(&town.token, &b.account, 20, "any");
    let changed = |field: &str, value: Value| {
        let mut body = good();
        body[field] = value;
        body
    };
    let cases = [
        (changed("amount", json!("0")), 400, "bad_amount"),
        (changed("amount", json!("-5")), 400, "bad_amount"),
        (changed("amount", json!(-5)), 400, "bad_amount"),
        (changed("amount", json!("1.5")), 400, "bad_amount"),
        (changed("amount", json!(1.5)), 400, "bad_amount"),
        (changed("amount", json!("1e3")), 400, "bad_amount"),
        (changed("amount", json!("twenty")), 400, "bad_amount"),
        (changed("amount", json!("")), 400, "bad_amount"),
        (changed("amount", json!(20)), 400, "bad_amount"),
        (changed("amount", json!(TOO_MUCH)), 400, "bad_amount"),
        (changed("amount", json!("9".repeat(60))), 400, "bad_amount"),
        (changed("amount", json!([])), 400, "malformed"),
        (changed("amount", json!("101")), 422, "insufficient_balance"),
        (changed("max_fee", json!("-1")), 400, "bad_amount"),
        (changed("target", json!(nobody)), 422, "no_route"),
        (changed("target", json!(a.account)), 400, "pay_to_self"),
        (changed("target", json!(format!("0x{:040}", 0))), 400, "zero_address"),
        (changed("target", json!("0x1234")), 400, "bad_address"),
        (changed("target", json!(b.account.replace('c', "g"))), 400, "bad_address"),
        (changed("token", json!(nobody)), 422, "no_channels"),
        (changed("token", json!("TEST")), 400, "bad_address"),
        (changed("token", Value::Null), 400, "malformed"),
        (changed("way", json!("around")), 400, "malformed"),
        (changed("note", json!("n".repeat(257))), 400, "note_too_long"),
        (changed("wait_seconds", json!(601)), 400, "malformed"),
        (changed("idempotency_key", json!("")), 400, "bad_idempotency_key"),
        (changed("idempotency_key", json!("k".repeat(129))), 400, "bad_idempotency_key"),
        (changed("amuont", json!("20")), 400, "unknown_field"),
        (changed("invoice", json!("photon1nonsense")), 400, "malformed"),
        (json!({ "invoice": "photon1nonsense" }), 400, "invoice_unreadable"),
        (json!({}), 400, "malformed"),
        (json!([]), 400, "malformed"),
    ];
    for (body, status, code) in cases {
        let reply = a.post("/payments", body.clone()).await;
        assert_eq!((reply.status, reply.code()), (status, code), "{body}: {}", reply.body);
        assert!(reply.body["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
    }
    assert_eq!(before, [all_of(&a).await, all_of(&b).await]);
    a.pays(&town.token, &b, 100, "any").await;
    balances(&ab, (&a, 0), (&b, 100)).await;
}

#[tokio::test]
async fn channels_that_make_no_sense_are_refused() {
    let (town, [a, b], ab) = pair().await;
    let before = [all_of(&a).await, all_of(&b).await];
    let stranger = &town.accounts[3];
    let open = |field: &str, value: Value| {
        let mut body = json!({ "token": town.token, "partner": stranger, "deposit": "5" });
        body[field] = value;
        ("/channels".to_owned(), body)
    };
    let of = |path: &str, body: Value| (format!("/channels/{ab}/{path}"), body);
    let unknown = format!("/channels/0x{:064x}", 1);
    let cases = [
        (open("partner", json!(a.account)), 400, "partner_is_self"),
        (open("partner", json!(format!("0x{:040}", 0))), 400, "zero_address"),
        (open("partner", json!("me")), 400, "bad_address"),
        (open("partner", json!(b.account)), 409, "channel_exists"),
        (open("settle_timeout", json!(4)), 400, "settle_timeout_out_of_bounds"),
        (open("settle_timeout", json!(100_001)), 400, "settle_timeout_out_of_bounds"),
        (open("settle_timeout", json!(-1)), 400, "malformed"),
        (open("deposit", json!("-1")), 400, "bad_amount"),
        (open("deposit", json!(TOO_MUCH)), 400, "bad_amount"),
        (open("deposit", json!("1000000001")), 422, "insufficient_tokens"),
        (open("token", json!(stranger)), 422, "not_a_token"),
        (open("deposits", json!("5")), 400, "unknown_field"),
        (of("deposits", json!({ "amount": "0" })), 400, "bad_amount"),
        (of("deposits", json!({ "amount": "1.0" })), 400, "bad_amount"),
        (of("deposits", json!({ "amount": "1000000001" })), 422, "insufficient_tokens"),
        (of("deposits", json!({ "amount": "1", "participant": stranger })), 422, "not_partner"),
        (of("settle", json!({})), 409, "not_closed"),
        ((format!("{unknown}/close"), json!({})), 404, "unknown_channel"),
        ((format!("{unknown}/deposits"), json!({ "amount": "1" })), 404, "unknown_channel"),
        (("/channels/0x12/close".to_owned(), json!({})), 400, "bad_hash"),
    ];
    for ((path, body), status, code) in cases {
        let reply = a.post(&path, body.clone()).await;
        assert_eq!((reply.status, reply.code()), (status, code), "{path} {body}: {}", reply.body);
    }
    assert_eq!(before, [all_of(&a).await, all_of(&b).await]);
    assert_eq!(town.in_contract().await, 100);
}

#[tokio::test]
async fn invoices_that_cannot_be_paid_are_refused() {
    let (town, [a, b], ab) = pair().await;
    let make = async |node: &Api, token: &str, valid_for: u64| {
        let body = json!({ "token": token, "amount": "7", "valid_for": valid_for });
        let made = node.post("/invoices", body).await;
        assert_eq!(made.status, 201, "{}", made.body);
        made.body["text"].as_str().unwrap().to_owned()
    };
    let other_town = Town::with_chain_id(ChainKind::DEVCHAIN, 2022).await;
    let stranger = other_town.node(1, &[]).await;
    let foreign = make(&stranger, &town.token, 3_600).await;
    let own = make(&a, &town.token, 3_600).await;
    let short = make(&b, &town.token, 30).await;
    let long = make(&b, &town.token, 36_000).await;
    let open = b.post("/invoices", json!({ "token": town.token })).await.body["text"].clone();
    town.advance(60, &[&a, &b]).await;
    let before = [all_of(&a).await, all_of(&b).await];

    let mut garbled = long.clone().into_bytes();
    garbled[20] = if garbled[20] == b'q' { b'p' } else { b'q' };
    let garbled = String::from_utf8(garbled).unwrap();
    let cases = [
        (json!({ "invoice": foreign }), 422, "invoice_foreign"),
        (json!({ "invoice": own }), 409, "invoice_own"),
        (json!({ "invoice": short }), 422, "invoice_expired"),
        (json!({ "invoice": garbled }), 400, "invoice_unreadable"),
        (json!({ "invoice": long, "amount": "8" }), 422, "invoice_amount"),
        (json!({ "invoice": long, "token": town.token }), 400, "malformed"),
        (json!({ "invoice": open }), 400, "amount_missing"),
        (json!({ "invoice": open, "amount": "101" }), 422, "insufficient_balance"),
        (json!({ "invoice": open, "amount": "0" }), 400, "bad_amount"),
    ];
    for (body, status, code) in cases {
        for path in ["/payments", "/quotes"] {
            let reply = a.post(path, body.clone()).await;
            let own_quote = path == "/quotes" && code == "invoice_own";
            let expected = if own_quote { (400, "pay_to_self") } else { (status, code) };
            assert_eq!((reply.status, reply.code()), expected, "{path} {body}: {}", reply.body);
        }
    }
    let make = [
        (json!({ "token": town.token, "amount": "0" }), 400, "bad_amount"),
        (json!({ "token": town.token, "valid_for": 0 }), 400, "expiry_out_of_bounds"),
        (json!({ "token": town.token, "valid_for": 1_000_000_000 }), 400, "expiry_out_of_bounds"),
        (
            json!({ "token": town.token, "description": "d".repeat(201) }),
            400,
            "description_too_long",
        ),
    ];
    for (body, status, code) in make {
        a.post("/invoices", body).await.refused(status, code);
    }
    assert_eq!(before, [all_of(&a).await, all_of(&b).await]);

    let paid = a.post("/payments", json!({ "invoice": long })).await.done();
    eventually("the invoice is paid", async || {
        let made = b.get(&format!("/invoices/{}", paid["invoice"].as_str().unwrap())).await;
        (made["state"] == "paid" && made["paid"] == "7").then_some(())
    })
    .await;
    a.post("/payments", json!({ "invoice": open, "amount": "3" })).await.done();
    balances(&ab, (&a, 90), (&b, 10)).await;
    let again = a.post("/payments", json!({ "invoice": long })).await;
    again.refused(409, "payment_exists");
    balances(&ab, (&a, 90), (&b, 10)).await;
}

/// Scenario 21.
#[tokio::test]
async fn only_who_may_is_answered() {
    let (town, [a, b], _) = pair().await;
    let before = all_of(&a).await;
    let url = format!("{}/api/v1/payments", a.url);
    let body = payment(&town.token, &b.account, 20, "any").to_string();
    let send = async |headers: &[(&str, &str)], body: &str| {
        let mut request = a.client.request(Method::POST, &url).body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        (status, response.json::<Value>().await.unwrap()["code"].as_str().unwrap().to_owned())
    };
    let bearer = format!("Bearer {}", a.token);
    let token = ("authorization", &*bearer);
    let json_type = ("content-type", "application/json");
    let cases: [(Headers<'_>, u16, &str); 7] = [
        (&[json_type], 401, "unauthorized"),
        (&[json_type, ("authorization", "Bearer 0123")], 401, "unauthorized"),
        (&[json_type, token, ("origin", "https://evil.example")], 403, "origin_forbidden"),
        (&[json_type, token, ("origin", "null")], 403, "origin_forbidden"),
        (&[json_type, token, ("host", "evil.example")], 403, "host_forbidden"),
        (&[token, ("content-type", "text/plain")], 415, "unsupported_media_type"),
        (&[token], 415, "unsupported_media_type"),
    ];
    for (headers, status, code) in cases {
        assert_eq!(send(headers, &body).await, (status, code.to_owned()), "{headers:?}");
    }
    let large = format!("{{\"note\":\"{}\"}}", "n".repeat(1_100_000));
    assert_eq!(send(&[json_type, token], &large).await, (413, "body_too_large".to_owned()));
    assert_eq!(send(&[json_type, token], "{").await, (400, "malformed".to_owned()));
    let nested = "[".repeat(100_000);
    assert_eq!(send(&[json_type, token], &nested).await, (400, "malformed".to_owned()));

    a.look("/nothing").await.refused(404, "not_found");
    a.look("/payments?limit=many").await.refused(400, "malformed");
    a.look("/payments?colour=red").await.refused(400, "unknown_field");
    a.look(&format!("/payments/{}", "0".repeat(32))).await.refused(404, "unknown_payment");
    let wrong_method = a.ask(Method::DELETE, "/payments", None).await.unwrap();
    wrong_method.refused(405, "method_not_allowed");
    assert_eq!(before, all_of(&a).await);
    a.pays(&town.token, &b, 20, "any").await;
}
