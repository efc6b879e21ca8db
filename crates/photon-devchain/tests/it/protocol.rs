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

#[tokio::test]
async fn an_id_is_answered_as_it_was_written() {
    let chain = start().await;
    let client = reqwest::Client::new();
    let ids = ["0", "-1", "1.50", "null", "\"a\\u0062\"", "123456789012345678901234567890", "\"\""];
    for id in ids {
        let body = format!(r#"{{"id":{id},"method":"net_version","jsonrpc":"2.0"}}"#);
        let answer = client.post(chain.url()).body(body).send().await.unwrap();
        let wanted = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":"1337"}}"#);
        assert_eq!(answer.text().await.unwrap(), wanted);
    }
    for id in ["[]", "{}", "true"] {
        let body = format!(r#"{{"id":{id},"method":"net_version","jsonrpc":"2.0"}}"#);
        let answer = post(&chain, body).await;
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&Value::Null, &json!(-32600)));
    }
    let twice = r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"net_version"}"#;
    assert_eq!(code(&chain, twice).await, -32600);
    let alone = r#"{"jsonrpc":"2.0","method":"net_version"}"#;
    let answer = client.post(chain.url()).body(alone).send().await.unwrap();
    assert_eq!(answer.status(), 204, "a notification is not answered");
    let mixed = format!("[{alone},1,{{}},{alone}]");
    let answers = post(&chain, mixed).await;
    assert_eq!(answers.as_array().unwrap().len(), 2);
    assert!(answers.as_array().unwrap().iter().all(|one| one["error"]["code"] == -32600));
}

#[tokio::test]
async fn an_error_names_the_parameter_and_the_numbers() {
    let chain = start().await;
    let rich = chain.accounts()[0].0;
    let create = |size: usize| json!({ "from": rich, "data": format!("0x{}", "00".repeat(size)) });
    // PUSH2 24577 PUSH1 0 RETURN: leaves that much code behind.
    let deploy = json!({ "from": rich, "data": "0x6160016000f3" });
    let cases = [
        ("eth_getBalance", json!([]), -32602, "missing value for required argument 0 (address)"),
        ("eth_getBalance", json!([1]), -32602, "invalid argument 0 (address): "),
        ("eth_getBalance", json!([rich, "new"]), -32602, "invalid argument 1 (block): "),
        ("eth_getStorageAt", json!([rich, "x"]), -32602, "invalid argument 1 (slot): "),
        ("eth_call", json!([{ "to": 5 }]), -32602, "invalid argument 0 (call): "),
        ("eth_getLogs", json!([{ "address": "0x1" }]), -32602, "invalid argument 0 (filter): "),
        ("eth_getFilterChanges", json!(["0x9"]), -32000, "filter not found"),
        ("eth_signTypedData_v4", json!([rich, {}]), -32602, "invalid argument 1 (typed data): "),
        ("anvil_mine", json!([100_001]), -32602, "invalid argument 0 (blocks): 100001 blocks"),
        (
            "eth_feeHistory",
            json!(["0x1", "0x9"]),
            -32000,
            "request beyond head block: requested 9, head 0",
        ),
        (
            "eth_estimateGas",
            json!([{ "from": rich, "to": rich, "value": "0x21e19e0c9bab2400001" }]),
            -32000,
            "insufficient funds for gas * price + value: address 0xf39Fd6",
        ),
        (
            "eth_estimateGas",
            json!([{ "from": rich, "to": rich, "gas": "0x5207" }]),
            -32000,
            "intrinsic gas too low: gas 20999, minimum needed 21000",
        ),
        ("eth_call", json!([create(49_153)]), -32000, "max initcode size exceeded: limit 49152"),
        ("eth_call", json!([deploy]), -32000, "max code size exceeded: limit 24576"),
        (
            "eth_getBalance",
            json!([rich, { "blockHash": format!("0x{}", "11".repeat(32)) }]),
            -32000,
            "header not found: block 0x1111",
        ),
        ("anvil_setBlockGasLimit", json!([0]), -32602, "invalid argument 0 (gas limit): 0 is not"),
        ("eth_subscribe", json!(["newHeads"]), -32601, "notifications not supported"),
    ];
    for (method, params, code, words) in cases {
        let error = rpc(&chain, method, params).await.unwrap_err();
        assert_eq!(error["code"], code, "{method}: {error}");
        let message = error["message"].as_str().unwrap();
        assert!(message.starts_with(words), "{method}: {message}");
    }
}
