//! Transactions that a chain loses, and chains that know less than they did.

use crate::proxy::{Does, Proxy};
use crate::stage::{Person, Stage};
use photon_chain::{
    Done, Endpoint, Intent, Mined, Report, Sender, SenderConfig, SentTransaction, Wallet,
    WalletConfig,
};
use photon_devchain::{Config, Mining};
use photon_wire::contract::Call;
use photon_wire::{Amount, Epoch, Secret};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Looks often, raises soon, and believes what lies three blocks deep.
fn deep() -> WalletConfig {
    let raise_after = Duration::from_millis(400);
    WalletConfig { raise_after, confirmations: 3, ..WalletConfig::quick() }
}

/// Alice as in another process: with a sender that knows nothing.
pub(crate) fn restart(stage: &mut Stage, endpoint: Endpoint, config: WalletConfig) {
    let wallet = Wallet::new(endpoint, stage.alice.account.clone(), config);
    (stage.alice.sender, stage.alice.reports) =
        Sender::start(wallet, stage.network.contract, SenderConfig::default());
}

fn register(seed: u8) -> Call {
    Call::RegisterSecrets(vec![Secret([seed; 32])])
}

pub(crate) async fn sent(person: &mut Person) -> SentTransaction {
    match person.report().await {
        Report::Sent { sent, .. } => sent,
        other => panic!("expected a transaction, got {other:?}"),
    }
}

pub(crate) async fn mined(person: &mut Person) -> Mined {
    match person.outcome().await.result {
        Ok(Done::Mined(mined)) => mined,
        other => panic!("expected a block, got {other:?}"),
    }
}

async fn until_block(stage: &Stage, number: u64) {
    while stage.chain().block_number() < number {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn transaction(stage: &Stage, hash: photon_wire::B256) -> Value {
    stage.rpc.request("eth_getTransactionByHash", (hash,)).await.unwrap()
}

fn offer(transaction: &Value) -> u128 {
    let price = ["maxFeePerGas", "gasPrice"].iter().find_map(|name| transaction[name].as_str());
    u128::from_str_radix(price.unwrap().trim_start_matches("0x"), 16).unwrap()
}

#[tokio::test]
async fn what_a_reorganisation_dropped_is_sent_again() {
    for after_a_restart in [false, true] {
        let mut stage = Stage::new().await;
        let endpoint = stage.endpoint.clone();
        restart(&mut stage, endpoint.clone(), deep());
        let before = stage.chain().block_number();
        stage.alice.submit(1, register(1)).await;
        let first = sent(&mut stage.alice).await;
        until_block(&stage, before + 1).await;
        if after_a_restart {
            restart(&mut stage, endpoint, deep());
            let (call, earlier) = (register(1), vec![first]);
            let intent = Intent { id: 1, call, deadline: None, earlier };
            stage.alice.sender.submit(intent).await.unwrap();
            assert_eq!(sent(&mut stage.alice).await, first);
        }
        stage.chain().reorg(1).unwrap();
        stage.chain().drop_transactions();
        let gone = stage.chain().block_number();
        until_block(&stage, gone + 1).await;
        stage.chain().mine(3);
        let mined = mined(&mut stage.alice).await;
        assert!(mined.block.0 > gone, "{mined:?}");
    }
}

#[tokio::test]
async fn what_was_sent_before_a_lost_transaction_leaves_no_gap() {
    let mut stage = Stage::new().await;
    let config = WalletConfig { confirmations: 0, ..deep() };
    let endpoint = stage.endpoint.clone();
    restart(&mut stage, endpoint, config);
    stage.chain().set_mining(Mining::Manual).unwrap();
    for seed in 1..=3 {
        stage.alice.submit(seed.into(), register(seed)).await;
    }
    let mut nonces = Vec::new();
    for _ in 1..=3 {
        nonces.push(sent(&mut stage.alice).await.nonce);
    }
    nonces.sort_unstable();
    assert_eq!(nonces, [nonces[0], nonces[0] + 1, nonces[0] + 2]);
    stage.chain().drop_transactions();
    stage.chain().set_mining(Mining::Instant).unwrap();
    for _ in 1..=3 {
        mined(&mut stage.alice).await;
    }
}

#[tokio::test]
async fn an_offer_is_never_lowered_by_a_restart_and_never_above_the_cap() {
    for hardfork in [photon_devchain::Hardfork::Osaka, photon_devchain::Hardfork::Istanbul] {
        let chain = Config { hardfork, ..Config::default() };
        let mut stage = Stage::with(chain, WalletConfig::quick()).await;
        let usual = stage.endpoint.gas_price().await.unwrap();
        let cap = usual.saturating_mul(4);
        let config = WalletConfig { confirmations: 0, max_fee_per_gas: cap, ..deep() };
        let endpoint = stage.endpoint.clone();
        restart(&mut stage, endpoint.clone(), config);
        stage.chain().set_mining(Mining::Manual).unwrap();
        stage.alice.submit(1, register(1)).await;
        let mut earlier = Vec::new();
        for _ in 0..3 {
            earlier.push(sent(&mut stage.alice).await);
        }
        let highest = offer(&transaction(&stage, earlier[2].hash).await);
        let tried = Arc::new(Mutex::new(Vec::new()));
        let (wallet, notes) =
            (Wallet::new(endpoint, stage.alice.account.clone(), config), Arc::clone(&tried));
        let (contract, limits) = (stage.network.contract, SenderConfig::default());
        (stage.alice.sender, stage.alice.reports) =
            Sender::start_with_journal(wallet, contract, limits, move |_, sent| {
                notes.lock().unwrap().push(sent);
                Ok(())
            });
        let intent = Intent { id: 1, call: register(1), deadline: None, earlier: earlier.clone() };
        stage.alice.sender.submit(intent).await.unwrap();
        assert_eq!(sent(&mut stage.alice).await, earlier[2]);
        let raised = sent(&mut stage.alice).await;
        let offered = offer(&transaction(&stage, raised.hash).await);
        assert!(offered > highest && offered <= cap, "{highest}, {offered}, {cap}");
        assert_eq!(raised.nonce, earlier[2].nonce);
        // It does not begin below, to be refused until it has climbed up again.
        assert_eq!(*tried.lock().unwrap(), [raised]);
    }
}

#[tokio::test]
async fn a_nonce_that_is_used_at_the_head_alone_is_no_reason_to_deposit_again() {
    let mut stage = Stage::new().await;
    let (open, key) = (stage.open(0), stage.key());
    stage.alice.send(open).await.unwrap();
    let proxy = Proxy::before(stage.chain().url()).await;
    restart(&mut stage, proxy.endpoint(), deep());
    let (participant, amount) = (stage.alice.address(), Amount(100));
    let call = Call::Deposit { key, epoch: Epoch(1), participant, amount, way: None };
    // Approving needs its receipt.
    stage.chain().set_mining(Mining::Interval(Duration::from_millis(20))).unwrap();
    stage.alice.submit(1, call).await;
    while !matches!(stage.alice.report().await, Report::Sent { .. }) {}
    stage.chain().set_mining(Mining::Manual).unwrap();
    proxy.becomes(|question| {
        let hidden = question["method"] == "eth_getTransactionReceipt";
        if hidden { Does::Says(json!({ "result": null })) } else { Does::Honest }
    });
    stage.chain().mine(1);
    // Many looks: the nonce is used, no receipt is told, and nothing is deep.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let unread = stage.alice.reports.try_recv();
    assert!(unread.is_err(), "{unread:?}");
    proxy.becomes(|_| Does::Honest);
    stage.chain().mine(3);
    mined(&mut stage.alice).await;
    assert_eq!(stage.balance(stage.network.contract).await, amount);
}
