//! Whatever comes over the socket, an answer goes back, and the chain lives on.

use std::time::Duration;

use photon_devchain::{Config, DevChain, Mining};
use serde_json::{Map, Value, json};

use crate::support::{rpc, start};

/// What some method takes as a parameter, or almost.
const WORDS: &[&str] = &[
    "latest",
    "pending",
    "earliest",
    "safe",
    "finalized",
    "0x0",
    "0x1",
    "0x",
    "",
    "0xzz",
    "0xffffffffffffffff",
    "0x10000000000000000",
    "-1",
    "1",
    "newHeads",
    "logs",
    "newPendingTransactions",
    "0x00000000000000000000000000000000000a11ce",
    "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
    "0x1111111111111111111111111111111111111111111111111111111111111111",
    "0x4760005260206000f3",
    "0x5b600056",
    "\u{0}",
    "🦀",
];

/// The names of fields that some method looks for.
const FIELDS: &[&str] = &[
    "from",
    "to",
    "data",
    "input",
    "value",
    "gas",
    "gasPrice",
    "maxFeePerGas",
    "nonce",
    "fromBlock",
    "toBlock",
    "address",
    "topics",
    "blockHash",
    "blockNumber",
    "type",
    "accessList",
    "balance",
    "code",
    "state",
    "stateDiff",
    "depth",
    "txBlockPairs",
    "timestamp",
    "number",
    "time",
    "types",
    "domain",
    "primaryType",
    "message",
    "authorizationList",
    "chainId",
];

/// A generator that every platform has alike: splitmix64.
struct Dice(u64);

impl Dice {
    /// Prints the seed; PHOTON_SEED replays it.
    fn new() -> Self {
        let seed = std::env::var("PHOTON_SEED").map_or_else(
            |_| {
                let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
                u64::from(now.unwrap().subsec_nanos())
            },
            |seed| seed.parse().unwrap(),
        );
        println!("PHOTON_SEED={seed} cargo nextest run -p photon-devchain noise");
        Self(seed)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }

    /// A parameter: often of a kind that some method takes, sometimes of none.
    fn value(&mut self, depth: u64) -> Value {
        match self.below(if depth == 0 { 6 } else { 9 }) {
            0 => Value::Null,
            1 => json!(self.below(2) == 0),
            2 => json!(self.below(40)),
            3 => json!(
                [i64::MIN.into(), u64::MAX.into(), json!(1e300), json!(-0.5)]
                    [usize::try_from(self.below(4)).unwrap()]
            ),
            4 | 5 => json!(self.one_of(WORDS)),
            6 => (0..self.below(4)).map(|_| self.value(depth - 1)).collect(),
            7 => {
                let overrides = self.value(depth - 1);
                json!({ "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266": overrides })
            }
            _ => {
                let mut object = Map::new();
                for _ in 0..self.below(6) {
                    object.insert((*self.one_of(FIELDS)).to_owned(), self.value(depth - 1));
                }
                object.into()
            }
        }
    }

    fn request(&mut self, methods: &[&str]) -> Value {
        let params: Vec<Value> = (0..self.below(5)).map(|_| self.value(3)).collect();
        let mut request = json!({
            "jsonrpc": "2.0", "id": self.below(9), "method": self.one_of(methods),
            "params": params,
        });
        if self.below(20) == 0 {
            let field = *self.one_of(&["jsonrpc", "id", "method", "params"]);
            request[field] = self.value(2);
        }
        request
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_json_makes_the_chain_panic_or_hang() {
    let chain = start().await;
    let client = reqwest::Client::builder().timeout(Duration::from_secs(60)).build().unwrap();
    let mut dice = Dice::new();
    // These make many blocks at once, or none any more: not what this test is after.
    let excluded = ["anvil_mine", "hardhat_mine", "evm_mine"];
    let mut methods = DevChain::methods();
    methods.retain(|method| !excluded.contains(method));
    for _ in 0..1_500 {
        let body = match dice.below(10) {
            0 => (0..dice.below(5)).map(|_| dice.request(&methods)).collect::<Value>().to_string(),
            1 => {
                let mut text = dice.request(&methods).to_string().into_bytes();
                let at = usize::try_from(dice.below(text.len() as u64)).unwrap();
                text[at] = u8::try_from(dice.below(128)).unwrap();
                String::from_utf8_lossy(&text).into_owned()
            }
            _ => dice.request(&methods).to_string(),
        };
        let answer = client.post(chain.url()).body(body.clone()).send().await;
        let status = answer.unwrap_or_else(|why| panic!("{why} at {body}")).status();
        assert!(status.is_success(), "{status} at {body}");
    }
    rpc(&chain, "evm_setAutomine", json!([true])).await.unwrap();
    rpc(&chain, "eth_getBlockByNumber", json!(["latest", true])).await.unwrap();
    chain.shutdown().await;
}

#[tokio::test]
async fn deep_nesting_is_refused_not_followed() {
    let chain = start().await;
    let client = reqwest::Client::new();
    let deep = "[".repeat(1_000_000);
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"eth_call","params":"#;
    for body in [
        deep.clone(),
        format!("{deep}{}", "]".repeat(1_000_000)),
        format!("{call}{deep}{}}}", "]".repeat(1_000_000)),
        r#"{"a":"#.repeat(500_000),
    ] {
        let sent = client.post(chain.url()).body(body).send().await.unwrap();
        let answer: Value = serde_json::from_str(&sent.text().await.unwrap()).unwrap();
        let error = answer.get(0).unwrap_or(&answer);
        assert!([-32700, -32600].contains(&error["error"]["code"].as_i64().unwrap()), "{answer}");
    }
}

#[tokio::test]
async fn the_answers_of_a_batch_have_a_limit_together() {
    let config = Config { mining: Mining::Manual, ..Config::default() };
    let chain = DevChain::start(config).await.unwrap();
    // Each shows half a million bytes of code.
    let code = format!("0x{}", "5b".repeat(500_000));
    let account = "0x00000000000000000000000000000000000a11ce";
    rpc(&chain, "anvil_setCode", json!([account, code])).await.unwrap();
    let one = json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_getCode", "params": [account] });
    let batch = Value::from(vec![one; 100]).to_string();
    let sent = reqwest::Client::new().post(chain.url()).body(batch).send().await.unwrap();
    let answers: Vec<Value> = serde_json::from_str(&sent.text().await.unwrap()).unwrap();
    assert_eq!(answers.len(), 100);
    let refused = answers.iter().filter(|answer| answer["error"]["code"] == -32003).count();
    assert_eq!(refused, 73, "27 of a million characters each are more than 25 MiB");
    assert_eq!(answers[99]["id"], 1);
}
