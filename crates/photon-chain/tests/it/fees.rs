//! Transactions that wait for a block.

use crate::stage::{Person, Stage};
use photon_chain::{
    Done, Intent, Limits, Report, SendError, Sender, SenderConfig, SentTransaction, TokenKind,
    Wallet, WalletConfig,
};
use photon_devchain::{Config, Hardfork, Mining};
use photon_wire::contract::Call;
use photon_wire::{Amount, Epoch, Secret, Timestamp};
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn hasty() -> WalletConfig {
    WalletConfig { raise_after: Duration::from_millis(400), ..WalletConfig::quick() }
}

async fn sent(person: &mut Person) -> SentTransaction {
    match person.report().await {
        Report::Sent { sent, .. } => sent,
        other => panic!("expected a transaction, got {other:?}"),
    }
}

fn register(seed: u8) -> Call {
    Call::RegisterSecrets(vec![Secret([seed; 32])])
}

#[tokio::test]
async fn a_stuck_transaction_offers_more_and_keeps_its_nonce() {
    for hardfork in [Hardfork::Osaka, Hardfork::Istanbul] {
        let config = Config { hardfork, ..Config::default() };
        let mut stage = Stage::with(config, hasty()).await;
        stage.chain().set_mining(Mining::Manual).unwrap();
        stage.alice.submit(1, register(1)).await;
        let first = sent(&mut stage.alice).await;
        let second = sent(&mut stage.alice).await;
        let third = sent(&mut stage.alice).await;
        assert_eq!((first.nonce, second.nonce), (second.nonce, third.nonce));
        assert!(first.hash != second.hash && second.hash != third.hash);
        stage.chain().set_mining(Mining::Instant).unwrap();
        stage.chain().mine(1);
        let Ok(Done::Mined(mined)) = stage.alice.outcome().await.result else {
            panic!("expected a block")
        };
        assert_ne!(mined.hash, first.hash);
        assert_ne!(mined.fee, 0);
    }
}

#[tokio::test]
async fn a_deadline_makes_fees_rise_faster() {
    let patient = WalletConfig { raise_after: Duration::from_secs(600), ..WalletConfig::quick() };
    let mut stage = Stage::with(Config::default(), patient).await;
    stage.chain().set_mining(Mining::Manual).unwrap();
    let deadline = Some(Timestamp(stage.chain().timestamp() + 4));
    let intent = Intent { id: 1, call: register(1), deadline, earlier: Vec::new() };
    stage.alice.sender.submit(intent).await.unwrap();
    for _ in 0..3 {
        sent(&mut stage.alice).await;
    }
}

#[tokio::test]
async fn a_transaction_that_the_chain_forgot_is_sent_again() {
    let mut stage = Stage::with(Config::default(), hasty()).await;
    stage.chain().set_mining(Mining::Manual).unwrap();
    stage.alice.submit(1, register(1)).await;
    sent(&mut stage.alice).await;
    stage.chain().drop_transactions();
    stage.chain().set_mining(Mining::Instant).unwrap();
    let outcome = stage.alice.outcome().await;
    assert!(matches!(outcome.result, Ok(Done::Mined(_))), "{outcome:?}");
}

#[tokio::test]
async fn after_a_restart_nothing_is_sent_twice() {
    for mined_meanwhile in [false, true] {
        let mut stage = Stage::with(Config::default(), hasty()).await;
        let (deposit, key) = (stage.open(0), stage.key());
        stage.alice.send(deposit).await.unwrap();
        stage.chain().set_mining(Mining::Manual).unwrap();
        stage.alice.submit(1, register(1)).await;
        let first = sent(&mut stage.alice).await;
        let config = SenderConfig::default();
        let wallet = Wallet::new(stage.endpoint.clone(), stage.alice.account.clone(), hasty());
        let (sender, reports) = Sender::start(wallet, stage.network.contract, config);
        (stage.alice.sender, stage.alice.reports) = (sender, reports);
        if mined_meanwhile {
            stage.chain().mine(1);
        }
        let intent = Intent { id: 2, call: register(1), deadline: None, earlier: vec![first] };
        stage.alice.sender.submit(intent).await.unwrap();
        assert_eq!(sent(&mut stage.alice).await, first);
        // Another intent gets another nonce.
        stage.alice.submit(3, register(2)).await;
        stage.chain().set_mining(Mining::Interval(Duration::from_millis(100))).unwrap();
        let mut done = Vec::new();
        for _ in 0..2 {
            let outcome = stage.alice.outcome().await;
            assert!(matches!(outcome.result, Ok(Done::Mined(_))), "{outcome:?}");
            done.push(outcome.id);
        }
        done.sort_unstable();
        assert_eq!(done, [2, 3]);
        assert_eq!(key, stage.key());
    }
}

#[tokio::test]
async fn a_transaction_counts_when_it_is_deep_enough_and_not_before() {
    let config = WalletConfig { confirmations: 2, ..WalletConfig::quick() };
    let chain = Config { mining: Mining::Interval(Duration::from_millis(20)), ..Config::default() };
    let mut stage = Stage::with(chain, config).await;
    stage.chain().set_mining(Mining::Manual).unwrap();
    stage.alice.submit(1, register(1)).await;
    sent(&mut stage.alice).await;
    stage.chain().mine(2);
    let pause = Duration::from_millis(300);
    assert!(tokio::time::timeout(pause, stage.alice.reports.recv()).await.is_err());
    // The block is replaced: the transaction waits again, and counts in its new block.
    stage.chain().reorg(2).unwrap();
    assert!(tokio::time::timeout(pause, stage.alice.reports.recv()).await.is_err());
    stage.chain().mine(1);
    let block = stage.chain().block_number();
    stage.chain().mine(2);
    let Ok(Done::Mined(mined)) = stage.alice.outcome().await.result else {
        panic!("expected a block")
    };
    assert_eq!(mined.block.0, block);
}

#[tokio::test]
async fn what_may_be_sent_is_written_down_before() {
    let mut stage = Stage::with(Config::default(), hasty()).await;
    let (open, key) = (stage.open(0), stage.key());
    stage.alice.send(open).await.unwrap();
    let amount = Amount(100);
    let deposit = Call::Deposit { key, epoch: Epoch(1), participant: key.low(), amount, way: None };
    let start = |stage: &Stage, journal: Arc<Mutex<Vec<SentTransaction>>>| {
        let (endpoint, account) = (stage.endpoint.clone(), stage.alice.account.clone());
        let wallet = Wallet::new(endpoint, account, hasty());
        let (contract, config) = (stage.network.contract, SenderConfig::default());
        Sender::start_with_journal(wallet, contract, config, move |id, sent| {
            assert_eq!(id, 1);
            let mut journal = journal.lock().unwrap();
            journal.push(sent);
            // The first time the disk is full.
            if journal.len() == 1 { Err(std::io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        })
    };
    let journal = Arc::default();
    (stage.alice.sender, stage.alice.reports) = start(&stage, Arc::clone(&journal));
    stage.alice.submit(1, deposit.clone()).await;
    // The process ends as soon as the deposit is in the chain, and knows nothing of that.
    while stage.balance(stage.network.contract).await != amount {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    (stage.alice.sender, stage.alice.reports) = start(&stage, Arc::default());
    let earlier = journal.lock().unwrap().clone();
    assert_eq!(earlier.len(), 2);
    let intent = Intent { id: 1, call: deposit, deadline: None, earlier };
    stage.alice.sender.submit(intent).await.unwrap();
    let outcome = stage.alice.outcome().await;
    assert!(matches!(outcome.result, Ok(Done::Mined(_))), "{outcome:?}");
    assert_eq!(stage.balance(stage.network.contract).await, amount);
}

#[tokio::test]
async fn what_pulls_tokens_does_not_stand_in_the_way_of_what_is_urgent() {
    let mut stage = Stage::with(Config::default(), hasty()).await;
    let (open, key) = (stage.open(0), stage.key());
    stage.alice.send(open).await.unwrap();
    let wallet = Wallet::new(stage.endpoint.clone(), stage.alice.account.clone(), hasty());
    let config = SenderConfig { in_flight: 1, ..SenderConfig::default() };
    (stage.alice.sender, stage.alice.reports) =
        Sender::start(wallet, stage.network.contract, config);
    stage.chain().set_mining(Mining::Manual).unwrap();
    for id in 1..=3 {
        let amount = Amount(100);
        let call =
            Call::Deposit { key, epoch: Epoch(1), participant: key.low(), amount, way: None };
        stage.alice.submit(id, call).await;
    }
    stage.alice.submit(4, register(1)).await;
    // Nothing is mined, so that even the first deposit waits for its approval.
    let urgent =
        async { while !matches!(stage.alice.report().await, Report::Sent { id: 4, .. }) {} };
    tokio::time::timeout(Duration::from_secs(5), urgent).await.unwrap();
}

async fn offered(stage: &Stage, sent: SentTransaction) -> u128 {
    let found: serde_json::Value =
        stage.rpc.request("eth_getTransactionByHash", (sent.hash,)).await.unwrap();
    let fee = found["maxFeePerGas"].as_str().unwrap().trim_start_matches("0x");
    u128::from_str_radix(fee, 16).unwrap()
}

#[tokio::test]
async fn a_limited_fee_is_never_exceeded_until_an_unlimited_call_waits_behind_it() {
    let mut stage = Stage::with(Config::default(), hasty()).await;
    let most = stage.endpoint.gas_price().await.unwrap();
    stage.chain().set_mining(Mining::Manual).unwrap();
    let intent = Intent { id: 1, call: register(1), deadline: None, earlier: Vec::new() };
    let limits = Limits { fee_per_gas: Some(most), gas: None };
    stage.alice.sender.submit_within(intent, limits).await.unwrap();
    let first = sent(&mut stage.alice).await;
    assert_eq!(offered(&stage, first).await, most);
    // Long enough for two raises of one that has no limit.
    let more = tokio::time::timeout(Duration::from_secs(1), stage.alice.report()).await;
    assert!(more.is_err(), "{more:?}");
    stage.alice.submit(2, register(2)).await;
    loop {
        match stage.alice.report().await {
            Report::Sent { id: 1, sent } => {
                assert_eq!(sent.nonce, first.nonce);
                assert!(offered(&stage, sent).await > most);
                return;
            }
            Report::Sent { .. } => {}
            other => panic!("expected a raised offer, got {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_call_that_takes_more_gas_than_its_limit_is_not_sent() {
    let mut stage = Stage::new().await;
    let intent = Intent { id: 1, call: register(1), deadline: None, earlier: Vec::new() };
    let limits = Limits { gas: Some(30_000), fee_per_gas: None };
    stage.alice.sender.submit_within(intent.clone(), limits).await.unwrap();
    let result = stage.alice.outcome().await.result;
    let Err(SendError::TooMuchGas { needed, most: 30_000 }) = result else {
        panic!("expected its gas, got {result:?}")
    };
    let limits = Limits { gas: Some(needed), fee_per_gas: None };
    stage.alice.sender.submit_within(intent, limits).await.unwrap();
    let result = stage.alice.outcome().await.result;
    assert!(matches!(result, Ok(Done::Mined(_))), "{result:?}");
}

#[tokio::test]
async fn every_kind_of_token_can_be_deployed_and_made() {
    let stage = Stage::new().await;
    for kind in TokenKind::ALL {
        assert_eq!(kind.as_str().parse(), Ok(kind));
        let token = stage.alice.wallet.deploy_kind(kind).await.unwrap();
        let (to, amount) = (stage.alice.address(), Amount(7));
        stage.alice.wallet.mint(token, to, amount).await.unwrap();
        let held = photon_chain::token::balance(&stage.endpoint, token, to).await.unwrap();
        assert_eq!(held, amount, "{kind}");
    }
}
