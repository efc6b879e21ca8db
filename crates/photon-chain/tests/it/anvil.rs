//! The same life on a chain that others wrote.

use crate::calls::every_call;
use crate::life::live;
use crate::rollback::{interest, told};
use crate::sending::restart;
use crate::stage::Stage;
use crate::tokens::{Market, every_kind};
use photon_chain::{ChainInput, Cursor, Depth, FollowerConfig, Report, WalletConfig, follow};
use photon_wire::contract::{Call, Event};
use photon_wire::{Amount, Epoch};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const PACKAGES: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../contracts/node_modules/@foundry-rs");

/// The program itself: its npm wrapper would leave it behind when it is killed.
fn anvil() -> PathBuf {
    let packages = std::fs::read_dir(PACKAGES).into_iter().flatten();
    packages
        .map(|package| package.unwrap().path().join("bin/anvil"))
        .find(|path| path.exists())
        .expect("anvil, which `npm ci --prefix contracts` installs")
}

struct Anvil {
    process: Child,
    url: String,
}

impl Anvil {
    fn start(arguments: &[&str]) -> Self {
        Self::of_chain("1337", arguments)
    }

    fn of_chain(id: &str, arguments: &[&str]) -> Self {
        let mut process = Command::new(anvil())
            .args(["--port", "0", "--chain-id", id])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut lines = lines.map(Result::unwrap);
        let address = lines.find_map(|line| line.strip_prefix("Listening on ").map(str::to_owned));
        // It stops where nobody reads on.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, url: format!("http://{}", address.unwrap()) }
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn a_channel_lives_on_anvil_too() {
    let anvil = Anvil::start(&[]);
    live(&mut Stage::at(&anvil.url, WalletConfig::quick()).await).await;
}

#[tokio::test]
async fn a_channel_lives_where_there_is_no_base_fee() {
    let anvil = Anvil::start(&["--hardfork", "istanbul"]);
    live(&mut Stage::at(&anvil.url, WalletConfig::quick()).await).await;
}

#[tokio::test]
async fn every_kind_of_token_goes_by_its_own_way_on_anvil_too() {
    let anvil = Anvil::start(&[]);
    every_kind(Market { stage: Stage::at(&anvil.url, WalletConfig::quick()).await }).await;
}

/// Spectrum's: no base fee, no PUSH0, its chain id, and no other transactions than the first kind.
#[tokio::test]
async fn a_channel_lives_on_spectrums_level_with_transactions_of_the_first_kind() {
    let anvil = Anvil::of_chain("20180430", &["--hardfork", "istanbul"]);
    let mut stage = Stage::at(&anvil.url, WalletConfig::quick()).await;
    assert_eq!(stage.network.chain_id, 20_180_430);
    live(&mut stage).await;
    let head = stage.endpoint.head().await.unwrap().number.0;
    let mut transactions: usize = 0;
    for number in 1..=head {
        let number = format!("{number:#x}");
        let block: Value = stage.rpc.request("eth_getBlockByNumber", (number, true)).await.unwrap();
        for transaction in block["transactions"].as_array().unwrap() {
            assert!(transaction["maxFeePerGas"].is_null(), "{transaction}");
            assert!(matches!(transaction["type"].as_str(), None | Some("0x0")), "{transaction}");
            transactions += 1;
        }
    }
    assert!(transactions > 10, "{transactions}");
}

const DEPTH: u64 = 12;

async fn mine(stage: &Stage, blocks: u64) {
    let _: Value = stage.rpc.request("anvil_mine", (blocks,)).await.unwrap();
}

/// Ten blocks are replaced by empty ones; the chain knows nothing of their transactions any more.
async fn reorganise(stage: &Stage) {
    let none: [Value; 0] = [];
    let _: Value = stage.rpc.request("anvil_reorg", (10, none)).await.unwrap();
}

/// Submits, lets it be mined, takes the block away, and waits until it counts in another one.
async fn through_a_reorganisation(stage: &mut Stage, call: Call) {
    mine(stage, DEPTH).await;
    stage.alice.submit(1, call).await;
    // An approval before it must be deep.
    while !matches!(stage.alice.reports.try_recv(), Ok(Report::Sent { .. })) {
        mine(stage, 1).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let first = stage.endpoint.head().await.unwrap();
    mine(stage, 3).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    reorganise(stage).await;
    let after = stage.endpoint.head().await.unwrap();
    assert_ne!(stage.endpoint.block(first.number).await.unwrap().unwrap().hash, first.hash);
    let counting = tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            mine(stage, 1).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
            if let Ok(Report::Outcome(outcome)) = stage.alice.reports.try_recv() {
                break outcome;
            }
        }
    });
    let outcome = counting.await.unwrap().result.unwrap();
    let photon_chain::Done::Mined(mined) = outcome else { panic!("{outcome:?}") };
    assert!(mined.block > after.number, "{mined:?}");
}

#[tokio::test]
async fn ten_blocks_vanish_under_an_opening_a_deposit_and_a_close() {
    let anvil = Anvil::start(&[]);
    let mut stage = Stage::at(&anvil.url, WalletConfig::quick()).await;
    let open = stage.open(0);
    let (token, partner, key) = (stage.token, stage.bob.address(), stage.key());
    let raise_after = Duration::from_millis(400);
    let config = WalletConfig { raise_after, confirmations: DEPTH, ..WalletConfig::quick() };
    let endpoint = stage.endpoint.clone();
    restart(&mut stage, endpoint, config);
    let follower = FollowerConfig { depth: Depth::Blocks(DEPTH), ..FollowerConfig::quick() };
    let from = Cursor::start(&stage.network);
    let interest = interest(stage.alice.address(), true);
    let mut inputs = follow(stage.endpoint.clone(), &stage.network, interest, follower, from);

    through_a_reorganisation(&mut stage, open).await;
    let (participant, amount) = (stage.alice.address(), Amount(100));
    let deposit = Call::Deposit { key, epoch: Epoch(1), participant, amount, way: None };
    through_a_reorganisation(&mut stage, deposit).await;
    assert_eq!(stage.balance(stage.network.contract).await, amount);
    let close = Call::Close { token, partner, proof: None, declared: Amount::ZERO };
    through_a_reorganisation(&mut stage, close).await;
    mine(&stage, DEPTH).await;

    let (mut opened, mut closed, mut deposited, mut seen) = (0, 0, 0, 0);
    while closed == 0 {
        match told(&mut inputs).await {
            ChainInput::Event(_, Event::ChannelOpened { .. }) => opened += 1,
            ChainInput::Event(_, Event::Deposited { .. }) => deposited += 1,
            ChainInput::Event(_, Event::ChannelClosed { .. }) => closed += 1,
            ChainInput::Seen(_, Event::ChannelClosed { .. }) => seen += 1,
            ChainInput::Unseen { .. } if seen == 1 => seen = 10,
            ChainInput::Seen(..) | ChainInput::Unseen { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((opened, deposited, closed, seen), (1, 1, 1, 11));
}

#[tokio::test]
async fn every_call_is_taken_by_the_contract_on_anvil_too() {
    let anvil = Anvil::start(&[]);
    every_call(&mut Stage::at(&anvil.url, WalletConfig::quick()).await).await;
}

#[tokio::test]
async fn every_kind_and_every_call_goes_where_there_is_no_base_fee() {
    let anvil = Anvil::start(&["--hardfork", "istanbul"]);
    every_call(&mut Stage::at(&anvil.url, WalletConfig::quick()).await).await;
    let anvil = Anvil::start(&["--hardfork", "istanbul"]);
    every_kind(Market { stage: Stage::at(&anvil.url, WalletConfig::quick()).await }).await;
}
