//! A chain that goes away and comes back.

use crate::stage::{Stage, event, next};
use alloy::transports::http::reqwest;
use photon_chain::{
    Account, ChainInput, Cursor, Done, Endpoint, FollowerConfig, Intent, Interest, Report, Sender,
    SenderConfig, Wallet, WalletConfig, follow,
};
use photon_wire::contract::{Call, Event};
use photon_wire::{Amount, Epoch, Secret};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// Passes bytes on to the chain, until it is dropped.
struct Relay(JoinHandle<()>);

impl Relay {
    async fn start(at: SocketAddr, to: SocketAddr) -> Self {
        let listener = loop {
            match TcpListener::bind(at).await {
                Ok(listener) => break listener,
                Err(_) => sleep(Duration::from_millis(50)).await,
            }
        };
        Self(tokio::spawn(async move {
            let mut streams = tokio::task::JoinSet::new();
            while let Ok((mut near, _)) = listener.accept().await {
                streams.spawn(async move {
                    let Ok(mut far) = TcpStream::connect(to).await else { return };
                    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                });
            }
        }))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// The seeds of the secrets that are registered, and what is told of the chain itself.
async fn until(inputs: &mut Receiver<ChainInput>, seed: u8) -> Vec<ChainInput> {
    let mut told = Vec::new();
    loop {
        match next(inputs).await {
            ChainInput::Event(_, Event::SecretsRegistered { secrets, .. }) => {
                assert_eq!(secrets, [Secret([seed; 32])]);
                return told;
            }
            ChainInput::Block { .. } => {}
            other => told.push(other),
        }
    }
}

#[tokio::test]
async fn a_follower_outlives_its_endpoint_and_says_so_once() {
    for scheme in ["http", "ws"] {
        let mut stage = Stage::new().await;
        let address = free_address().await;
        let endpoint = Endpoint::new(&format!("{scheme}://{address}")).unwrap();
        let from = Cursor::start(&stage.network);
        let mut inputs =
            follow(endpoint, &stage.network, Interest::Everything, FollowerConfig::quick(), from);
        for seed in [1, 2, 3] {
            sleep(Duration::from_millis(600)).await;
            stage.alice.send(Call::RegisterSecrets(vec![Secret([seed; 32])])).await.unwrap();
            let relay = Relay::start(address, stage.chain().address()).await;
            let told = until(&mut inputs, seed).await;
            let [ChainInput::Trouble(text), ChainInput::Recovered] = told.as_slice() else {
                panic!("expected trouble and recovery, got {told:?}")
            };
            assert!(text.contains(&format!("no chain answers at {scheme}://{address}")), "{text}");
            drop(relay);
        }
    }
}

#[tokio::test]
async fn an_intent_outlives_its_endpoint() {
    let mut stage = Stage::new().await;
    let mut inputs = stage.follow_all();
    let address = free_address().await;
    let endpoint = Endpoint::new(&format!("http://{address}")).unwrap();
    let account = Account::from_bytes(&stage.chain().accounts()[3].1.0).unwrap();
    let wallet = Wallet::new(endpoint, account, WalletConfig::quick());
    let (sender, reports) = Sender::start(wallet, stage.network.contract, SenderConfig::default());
    (stage.alice.sender, stage.alice.reports) = (sender, reports);
    stage.alice.submit(1, Call::RegisterSecrets(vec![Secret([1; 32])])).await;
    sleep(Duration::from_millis(300)).await;
    let _relay = Relay::start(address, stage.chain().address()).await;
    let outcome = stage.alice.outcome().await;
    assert!(matches!(outcome.result, Ok(Done::Mined(_))), "{outcome:?}");
    event(&mut inputs).await;
}

#[tokio::test]
async fn a_silent_chain_ends_an_intent_at_its_deadline() {
    let mut stage = Stage::new().await;
    let endpoint = Endpoint::new(&format!("http://{}", free_address().await)).unwrap();
    let wallet = Wallet::new(endpoint, Account::random(), WalletConfig::quick());
    let (sender, reports) = Sender::start(wallet, stage.network.contract, SenderConfig::default());
    (stage.alice.sender, stage.alice.reports) = (sender, reports);
    let call = Call::RegisterSecrets(vec![Secret([1; 32])]);
    let deadline = Some(photon_wire::Timestamp(1));
    let intent = Intent { id: 1, call, deadline, earlier: Vec::new() };
    stage.alice.sender.submit(intent).await.unwrap();
    let Report::Outcome(outcome) = stage.alice.report().await else { panic!("no outcome") };
    assert!(outcome.result.unwrap_err().is_transient());
}

/// A chain that answers some questions in its own way: with what `own` gives, where it does.
pub(crate) async fn peculiar(
    chain: String,
    own: impl Fn(&Value) -> Option<Value> + Send + Sync + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let question = body(&mut stream).await;
            let answer = match own(&question) {
                Some(mut answer) => {
                    answer["jsonrpc"] = json!("2.0");
                    answer["id"] = question["id"].clone();
                    answer.to_string()
                }
                None => {
                    let client = reqwest::Client::new();
                    let request = client.post(&chain).header("content-type", "application/json");
                    let answer = request.body(question.to_string()).send().await.unwrap();
                    answer.text().await.unwrap()
                }
            };
            let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: ";
            let answer = format!("{head}{}\r\n\r\n{answer}", answer.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    url
}

async fn body(stream: &mut TcpStream) -> Value {
    let mut bytes = Vec::new();
    loop {
        stream.read_buf(&mut bytes).await.unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        if let Some((_, body)) = text.split_once("\r\n\r\n")
            && let Ok(question) = serde_json::from_str(body)
        {
            return question;
        }
    }
}

/// No question about more than three blocks is answered, as on some chains.
fn stingy(question: &Value) -> Option<Value> {
    let number = |name: &str| {
        let text = question["params"][0][name].as_str().unwrap().trim_start_matches("0x");
        u64::from_str_radix(text, 16).unwrap()
    };
    let much = question["method"] == "eth_getLogs" && number("toBlock") - number("fromBlock") >= 3;
    let error = json!({ "code": -32005, "message": "query returned too much" });
    much.then(|| json!({ "error": error }))
}

#[tokio::test]
async fn a_chain_that_answers_little_at_once_is_asked_for_little() {
    let mut stage = Stage::new().await;
    for seed in [1, 2] {
        stage.alice.send(Call::RegisterSecrets(vec![Secret([seed; 32])])).await.unwrap();
        stage.chain().mine(20);
    }
    let endpoint = Endpoint::new(&peculiar(stage.chain().url(), stingy).await).unwrap();
    let from = Cursor::start(&stage.network);
    let mut inputs =
        follow(endpoint, &stage.network, Interest::Everything, FollowerConfig::quick(), from);
    for seed in [1, 2] {
        assert_eq!(until(&mut inputs, seed).await, []);
    }
}

#[tokio::test]
async fn a_receipt_that_is_told_late_does_not_make_a_deposit_twice() {
    let mut stage = Stage::new().await;
    let (open, key) = (stage.open(0), stage.key());
    stage.alice.send(open).await.unwrap();
    let amount = Amount(100);
    let call = Call::Deposit { key, epoch: Epoch(1), participant: key.low(), amount, way: None };
    stage.alice.submit(1, call.clone()).await;
    let earlier = loop {
        if let Report::Sent { sent, .. } = stage.alice.report().await {
            break vec![sent];
        }
    };
    stage.alice.outcome().await.result.unwrap();

    // The nonce is known to be used, the receipt is not told yet.
    let late = AtomicUsize::new(2);
    let less = |left: usize| left.checked_sub(1);
    let url = peculiar(stage.chain().url(), move |question| {
        let hidden = question["method"] == "eth_getTransactionReceipt"
            && late.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok();
        hidden.then(|| json!({ "result": null }))
    });
    let endpoint = Endpoint::new(&url.await).unwrap();
    let wallet = Wallet::new(endpoint, stage.alice.account.clone(), WalletConfig::quick());
    (stage.alice.sender, stage.alice.reports) =
        Sender::start(wallet, stage.network.contract, SenderConfig::default());
    let intent = Intent { id: 1, call, deadline: None, earlier };
    stage.alice.sender.submit(intent).await.unwrap();
    let outcome = stage.alice.outcome().await;
    assert!(matches!(outcome.result, Ok(Done::Mined(_))), "{outcome:?}");
    assert_eq!(stage.balance(stage.network.contract).await, amount);
}
