//! Endpoints that die, lag, answer errors, limit rates, or lie.

use crate::proxy::{Does, Proxy};
use crate::rollback::{nothing_told, told};
use crate::stage::Stage;
use photon_chain::{
    ChainError, ChainInput, Cursor, Done, Endpoint, FollowerConfig, Interest, Sender, SenderConfig,
    Wallet, WalletConfig, follow,
};
use photon_devchain::{Config, DevChain};
use photon_wire::Secret;
use photon_wire::contract::{Call, Event};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::mpsc::Receiver;

const DEAD: &str = "http://127.0.0.1:1";

fn with(first: &str, stand_in: &str) -> Endpoint {
    Endpoint::with_stand_ins(first, &[stand_in.to_owned()], 1337).unwrap()
}

fn quick_follow(stage: &Stage, endpoint: Endpoint) -> Receiver<ChainInput> {
    let from = Cursor::start(&stage.network);
    follow(endpoint, &stage.network, Interest::Everything, FollowerConfig::quick(), from)
}

fn register(seed: u8) -> Call {
    Call::RegisterSecrets(vec![Secret([seed; 32])])
}

fn is_registration(input: &ChainInput, seed: u8) -> bool {
    matches!(input, ChainInput::Event(_, Event::SecretsRegistered { secrets, .. })
        if *secrets == [Secret([seed; 32])])
}

async fn registers(stage: &mut Stage, inputs: &mut Receiver<ChainInput>, seed: u8) {
    stage.alice.send(register(seed)).await.unwrap();
    let input = told(inputs).await;
    assert!(is_registration(&input, seed), "{input:?}");
}

#[tokio::test]
async fn another_endpoint_stands_in_for_one_that_fails() {
    let mut stage = Stage::new().await;
    let proxy = Proxy::before(stage.chain().url()).await;
    let endpoint = with(proxy.url(), &stage.chain().url());
    let mut inputs = quick_follow(&stage, endpoint.clone());
    registers(&mut stage, &mut inputs, 1).await;
    assert_eq!(endpoint.shown(), proxy.url());
    let error = |code: i64| Does::Says(json!({ "error": { "code": code, "message": "internal" } }));
    let failures =
        [Does::HangsUp, Does::Status(502), error(-32_603), Does::Says(json!("nonsense"))];
    for (seed, failure) in (2..).zip(failures) {
        let shown = failure.clone();
        proxy.becomes(move |_| failure.clone());
        // Without a word of trouble.
        registers(&mut stage, &mut inputs, seed).await;
        assert_eq!(endpoint.shown(), stage.chain().url(), "{shown:?}");
    }
}

#[tokio::test]
async fn one_that_limits_our_rate_is_asked_again_later() {
    let mut stage = Stage::new().await;
    let proxy = Proxy::before(stage.chain().url()).await;
    let limit = json!({ "error": { "code": -32005, "message": "request rate exceeded" } });
    for (seed, limited) in (1..).zip([Does::Status(429), Does::Says(limit)]) {
        let mut left = 4;
        proxy.becomes(move |_| {
            left -= 1;
            if left >= 0 && left % 2 == 0 { limited.clone() } else { Does::Honest }
        });
        let mut inputs = quick_follow(&stage, proxy.endpoint());
        if seed == 2 {
            assert!(is_registration(&told(&mut inputs).await, 1));
        }
        registers(&mut stage, &mut inputs, seed).await;
    }
    // One that never stops limiting is told.
    proxy.becomes(|_| Does::Status(429));
    let limited = proxy.endpoint().chain_id().await.unwrap_err();
    assert!(matches!(limited, ChainError::Limited { .. }) && limited.is_transient(), "{limited}");
}

#[tokio::test]
async fn one_of_another_chain_never_stands_in() {
    let stage = Stage::new().await;
    let other = DevChain::start(Config { chain_id: 5, ..Config::default() }).await.unwrap();
    let mut inputs = quick_follow(&stage, with(DEAD, &other.url()));
    let ChainInput::Trouble(trouble) = told(&mut inputs).await else { panic!("no trouble") };
    assert!(trouble.contains("chain id is 5") && trouble.contains("expected 1337"), "{trouble}");
}

#[tokio::test]
async fn one_that_knows_other_blocks_is_not_taken_for_a_reorganisation() {
    let mut stage = Stage::new().await;
    let proxy = Proxy::before(stage.chain().url()).await;
    let other = DevChain::start(Config::default()).await.unwrap();
    other.increase_time(Duration::from_secs(1_000));
    other.mine(100);
    let mut inputs = quick_follow(&stage, with(proxy.url(), &other.url()));
    registers(&mut stage, &mut inputs, 1).await;
    proxy.becomes(|_| Does::HangsUp);
    let ChainInput::Trouble(trouble) = told(&mut inputs).await else { panic!("no trouble") };
    assert!(trouble.contains("disagrees with it"), "{trouble}");
    nothing_told(&mut inputs).await;
}

#[tokio::test]
async fn one_that_repeats_its_last_answer_is_noticed_by_the_age_of_its_newest_block() {
    let mut stage = Stage::new().await;
    let proxy = Proxy::before(stage.chain().url()).await;
    let config =
        FollowerConfig { head_age: Some(Duration::from_secs(2)), ..FollowerConfig::quick() };
    for stands_in in [false, true] {
        proxy.becomes(|_| Does::Honest);
        stage.chain().mine(1);
        let endpoint =
            if stands_in { with(proxy.url(), &stage.chain().url()) } else { proxy.endpoint() };
        let from = Cursor::after_block(photon_wire::BlockNumber(stage.chain().block_number()));
        let mut inputs = follow(endpoint, &stage.network, Interest::Everything, config, from);
        let head = stage.chain().block_number();
        proxy.becomes(move |question| {
            let mut pinned = question.clone();
            if pinned["params"][0] != "latest" {
                return Does::Honest;
            }
            pinned["params"][0] = json!(format!("{head:#x}"));
            Does::Passes(pinned)
        });
        let ChainInput::Trouble(trouble) = told(&mut inputs).await else { panic!("no trouble") };
        assert!(trouble.contains("stands still") && trouble.contains("more than 2 s"), "{trouble}");
        if stands_in {
            stage.alice.send(register(9)).await.unwrap();
        } else {
            proxy.becomes(|_| Does::Honest);
            stage.alice.send(register(8)).await.unwrap();
        }
        assert_eq!(told(&mut inputs).await, ChainInput::Recovered);
    }
}

#[tokio::test]
async fn one_that_keeps_transactions_back_does_not_hold_them_up() {
    let mut stage = Stage::new().await;
    let proxy = Proxy::before(stage.chain().url()).await;
    proxy.becomes(|question: &Value| {
        let kept_back = question["method"] == "eth_sendRawTransaction";
        let hash = json!({ "result": format!("0x{}", "11".repeat(32)) });
        if kept_back { Does::Says(hash) } else { Does::Honest }
    });
    let endpoint = with(proxy.url(), &stage.chain().url());
    let wallet = Wallet::new(endpoint, stage.alice.account.clone(), WalletConfig::quick());
    (stage.alice.sender, stage.alice.reports) =
        Sender::start(wallet, stage.network.contract, SenderConfig::default());
    assert!(matches!(stage.alice.send(register(1)).await, Ok(Done::Mined(_))));
    assert_eq!(proxy.asked("eth_sendRawTransaction").len(), 1);
}
