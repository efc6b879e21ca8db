//! The chain in a file, between runs.

use std::{fs, path::Path, time::Duration};

use alloy::{
    primitives::{Address, U256, address, keccak256},
    providers::Provider as _,
    rpc::types::TransactionRequest,
};
use photon_devchain::{Config, DevChain, Error, Hardfork, Mining};
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::support::{http, rpc, start, token};

const STRANGER: Address = address!("0x00000000000000000000000000000000000a11ce");

fn config(path: &Path) -> Config {
    // Long enough that nothing is saved by time unless a test asks for it.
    let save_every = Duration::from_secs(3_600);
    Config { state: Some(path.to_owned()), save_every, ..Config::default() }
}

async fn start_from(path: &Path) -> DevChain {
    DevChain::start(config(path)).await.unwrap()
}

async fn refusal(config: Config) -> String {
    let refused = DevChain::start(config).await.err().unwrap();
    let Error::StateRefused { why, .. } = refused else { panic!("{refused}") };
    why
}

async fn give(chain: &DevChain, amount: u64) -> Value {
    let request = TransactionRequest::default().to(STRANGER).value(U256::from(amount));
    let sent = http(chain, 0).send_transaction(request).await.unwrap();
    json!(sent.tx_hash())
}

#[tokio::test]
async fn a_chain_goes_on_where_it_was_shut_down() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("chain");
    let chain = start_from(&path).await;
    let provider = http(&chain, 0);
    let token = token(&chain, &provider).await;
    let sent = token.transfer(STRANGER, U256::from(10)).send().await.unwrap();
    let hash = json!([*sent.tx_hash()]);
    chain.set_mining(Mining::Manual).unwrap();
    let waiting = give(&chain, 5).await;
    chain.increase_time(Duration::from_secs(1_000_000));
    let questions = [
        ("eth_getTransactionReceipt", hash.clone()),
        ("eth_getTransactionByHash", hash),
        ("eth_getTransactionByHash", json!([waiting])),
        ("eth_getBlockByNumber", json!(["latest", true])),
        ("eth_getBlockByNumber", json!(["0x0", true])),
        ("eth_getLogs", json!([{ "fromBlock": "0x0" }])),
        ("eth_getCode", json!([token.address(), "latest"])),
        ("eth_getProof", json!([token.address(), ["0x0", "0x1"], "latest"])),
        ("eth_getTransactionCount", json!([chain.accounts()[0].0, "pending"])),
        ("txpool_content", json!([])),
    ];
    let mut before = Vec::new();
    for (method, params) in &questions {
        before.push(rpc(&chain, method, params.clone()).await.unwrap());
    }
    chain.shutdown().await;

    let chain = start_from(&path).await;
    for ((method, params), before) in questions.iter().zip(before) {
        assert_eq!(rpc(&chain, method, params.clone()).await.unwrap(), before, "{method}");
    }
    let head = chain.timestamp();
    chain.mine(1);
    assert!(chain.timestamp() > head + 900_000, "the clock is ahead as it was");
    let receipt = rpc(&chain, "eth_getTransactionReceipt", json!([waiting])).await.unwrap();
    assert_eq!(receipt["status"], "0x1", "what waited is in the next block");
    assert!(chain.reorg(2).is_err(), "states before the load are not kept");
    chain.reorg(1).unwrap();
    assert_eq!(http(&chain, 0).get_balance(STRANGER).await.unwrap(), U256::ZERO);
}

#[tokio::test]
async fn a_chain_that_is_killed_loses_what_came_after_the_last_save() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("chain");
    let chain = start_from(&path).await;
    give(&chain, 1).await;
    chain.save().unwrap();
    give(&chain, 2).await;
    // A kill in the middle of a write leaves this behind.
    fs::write(folder.path().join("chain.new"), "photon-devchain-state 1 0x").unwrap();
    drop(chain);
    let chain = start_from(&path).await;
    assert_eq!(chain.block_number(), 1);
    assert_eq!(http(&chain, 0).get_balance(STRANGER).await.unwrap(), U256::ONE);
}

#[tokio::test]
async fn a_chain_saves_by_itself_what_has_changed() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("chain");
    let save_every = Duration::from_millis(20);
    let chain = DevChain::start(Config { save_every, ..config(&path) }).await.unwrap();
    let mut content = Vec::new();
    let mut next = async || {
        let wait = async {
            loop {
                tokio::time::sleep(Duration::from_millis(5)).await;
                let now = fs::read(&path).unwrap_or_default();
                if now != content {
                    return now;
                }
            }
        };
        content = tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap();
    };
    next().await;
    chain.mine(1);
    next().await;
    chain.set_balance(STRANGER, U256::from(9));
    next().await;
    chain.increase_time(Duration::from_secs(5));
    next().await;
}

#[tokio::test]
async fn a_file_is_of_one_chain_at_a_time() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("chain");
    let chain = start_from(&path).await;
    let second = DevChain::start(config(&path)).await.err().unwrap();
    assert!(matches!(second, Error::StateInUse { .. }), "{second}");
    chain.shutdown().await;
    start_from(&path).await;
}

#[tokio::test]
async fn a_file_that_is_no_state_of_this_chain_is_refused_in_words_and_left_alone() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("chain");
    for foreign in ["", "{}", "hello\nworld", "photon-devchain-state 1\n{}"] {
        fs::write(&path, foreign).unwrap();
        assert_eq!(refusal(config(&path)).await, "it is no state of photon-devchain");
        assert_eq!(fs::read_to_string(&path).unwrap(), foreign);
    }
    fs::write(&path, "photon-devchain-state 7 0x00\n{}").unwrap();
    assert_eq!(refusal(config(&path)).await, "its format is version 7, this program reads 1");
    fs::remove_file(&path).unwrap();

    start_from(&path).await.shutdown().await;
    let good = fs::read(&path).unwrap();
    let mut bad = good.clone();
    let last = bad.len() - 3;
    bad[last] ^= 1;
    fs::write(&path, &bad).unwrap();
    assert!(refusal(config(&path)).await.starts_with("it is damaged: its hash should be 0x"));
    fs::write(&path, &good[..last]).unwrap();
    assert!(refusal(config(&path)).await.starts_with("it is damaged: its hash should be 0x"));
    let garbled = r#"{"chain_id":1337}"#;
    let line = format!("photon-devchain-state 1 {}\n{garbled}", keccak256(garbled));
    fs::write(&path, line).unwrap();
    assert!(refusal(config(&path)).await.starts_with("it is garbled: missing field `hardfork`"));

    fs::write(&path, &good).unwrap();
    let other = Config { chain_id: 1, ..config(&path) };
    assert_eq!(refusal(other).await, "it is of chain 1337, this is chain 1");
    let other = Config { hardfork: Hardfork::Istanbul, ..config(&path) };
    assert_eq!(refusal(other).await, "its rules are those of osaka, this chain has istanbul");
    assert_eq!(fs::read(&path).unwrap(), good);
    let nowhere = DevChain::start(config(Path::new("/nowhere/chain"))).await.err().unwrap();
    assert_eq!(nowhere.to_string(), "cannot use the state file /nowhere/chain");
}

#[tokio::test]
async fn a_dump_is_loaded_by_another_chain_over_json_rpc() {
    let (one, other) = (start().await, start().await);
    give(&one, 3).await;
    let dump = rpc(&one, "anvil_dumpState", json!([])).await.unwrap();
    other.mine(4);
    let before = other.snapshot();
    assert_eq!(rpc(&other, "anvil_loadState", json!([dump])).await.unwrap(), true);
    assert_eq!(other.block_number(), 1);
    assert_eq!(http(&other, 0).get_balance(STRANGER).await.unwrap(), U256::from(3));
    give(&other, 4).await;
    assert!(other.revert(before));
    assert_eq!(other.block_number(), 4);
    let refused = rpc(&other, "anvil_loadState", json!(["0x1234"])).await.unwrap_err();
    assert_eq!(refused["code"], -32602);
    let words = "invalid argument 0 (state): it is no state of photon-devchain";
    assert_eq!(refused["message"], words);
}
