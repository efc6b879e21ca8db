//! JSON-RPC itself: batches, errors, limits, two transports on one port.

use std::time::Duration;

use alloy::providers::Provider as _;
use photon_devchain::{Config, DevChain, Error, Mining};
use serde_json::{Value, json};

use crate::support::{http, post, rpc, start, ws};

async fn code(chain: &DevChain, body: &str) -> i64 {
    post(chain, body).await["error"]["code"].as_i64().unwrap()
}

#[tokio::test]
async fn what_is_no_request_gets_the_code_of_its_kind() {
    let chain = start().await;
    let request = |method: &str, params: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#)
    };
    assert_eq!(code(&chain, "{").await, -32700);
    assert_eq!(code(&chain, "").await, -32700);
    assert_eq!(code(&chain, "[]").await, -32600);
    assert_eq!(code(&chain, "7").await, -32600);
    assert_eq!(code(&chain, r#"{"id":1,"method":"eth_chainId"}"#).await, -32600);
    assert_eq!(code(&chain, r#"{"jsonrpc":"2.0","id":{},"method":"eth_chainId"}"#).await, -32600);
    for method in ["eth_nothing", "nothing", "evm_setBalance", "debug_traceCall"] {
        assert_eq!(code(&chain, &request(method, "[]")).await, -32601, "{method}");
    }
    for (method, params) in [
        ("eth_getBalance", "[]"),
        ("eth_getBalance", r#"["0x12"]"#),
        ("eth_getBalance", r#"{"address":"0x12"}"#),
        ("eth_getBlockByNumber", r#"["0x",false]"#),
        ("eth_sendRawTransaction", r#"["0x02c0"]"#),
        ("eth_feeHistory", r#"["0x1","latest",[50,10]]"#),
        ("evm_increaseTime", r#"["soon"]"#),
        ("anvil_reorg", "[5]"),
    ] {
        assert_eq!(code(&chain, &request(method, params)).await, -32602, "{method} {params}");
    }
}

#[tokio::test]
async fn a_batch_is_answered_in_order_without_its_notifications() {
    let chain = start().await;
    let batch = json!([
        { "jsonrpc": "2.0", "id": "a", "method": "eth_chainId" },
        { "jsonrpc": "2.0", "method": "evm_mine" },
        { "jsonrpc": "2.0", "id": 2, "method": "eth_blockNumber", "params": [] },
        { "jsonrpc": "2.0", "id": 3, "method": "eth_nothing" },
    ]);
    let answers = post(&chain, batch.to_string()).await;
    assert_eq!(answers[0], json!({ "jsonrpc": "2.0", "id": "a", "result": "0x539" }));
    assert_eq!(answers[1]["result"], "0x1");
    assert_eq!(answers[2]["error"]["code"], -32601);
    assert_eq!(answers.as_array().unwrap().len(), 3);
    let many = vec![json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_chainId" }); 1_001];
    assert_eq!(code(&chain, &Value::from(many).to_string()).await, -32600);
}

#[tokio::test]
async fn a_body_above_five_megabytes_is_refused() {
    let chain = start().await;
    let client = reqwest::Client::new();
    let sent = client.post(chain.url()).body(vec![b' '; 5 * 1024 * 1024 + 1]).send().await.unwrap();
    assert_eq!(sent.status(), 413);
}

#[tokio::test]
async fn a_page_in_a_browser_may_ask() {
    let chain = start().await;
    let client = reqwest::Client::new();
    let preflight = client.request(reqwest::Method::OPTIONS, chain.url()).send().await.unwrap();
    assert_eq!(preflight.status(), 204);
    assert_eq!(preflight.headers()["access-control-allow-origin"], "*");
    assert_eq!(client.get(chain.url()).send().await.unwrap().status().as_u16() / 100, 4);
}

#[tokio::test]
async fn http_and_websocket_show_the_same_chain() {
    let chain = start().await;
    let (http, ws) = (http(&chain, 0), ws(&chain, 0).await);
    chain.mine(2);
    assert_eq!(http.get_block_number().await.unwrap(), ws.get_block_number().await.unwrap());
    assert_eq!(rpc(&chain, "net_version", json!([])).await.unwrap(), "1337");
    let version = rpc(&chain, "web3_clientVersion", json!([])).await.unwrap();
    assert!(version.as_str().unwrap().starts_with("photon-devchain/v"));
    assert_eq!(rpc(&chain, "eth_syncing", json!([])).await.unwrap(), false);
    let missing = rpc(&chain, "eth_getBlockByNumber", json!(["0x63", true])).await.unwrap();
    assert_eq!(missing, Value::Null);
}

#[tokio::test]
async fn a_shut_down_chain_frees_its_port_at_once() {
    let chain = start().await;
    let connected = ws(&chain, 0).await;
    let address = chain.address();
    tokio::time::timeout(Duration::from_secs(3), chain.shutdown()).await.unwrap();
    drop(connected);
    let again = DevChain::start(Config { address, ..Config::default() }).await.unwrap();
    let taken = DevChain::start(Config { address, ..Config::default() }).await;
    assert!(matches!(taken.err(), Some(Error::Listen { .. })));
    drop(again);
}

#[tokio::test]
async fn a_senseless_configuration_is_refused() {
    let start = async |config| DevChain::start(config).await.err().unwrap().to_string();
    let base = Config::default();
    let zero = Config { mining: Mining::Interval(Duration::ZERO), ..base.clone() };
    assert_eq!(start(zero).await, "the mining interval is 0");
    let many = Config { accounts: 1_001, ..base.clone() };
    assert_eq!(start(many).await, "1001 accounts asked for, at most 1000 are derived");
    let words = Config { mnemonic: "not a mnemonic".to_owned(), ..base };
    assert_eq!(start(words).await, "the mnemonic cannot be used");
}
