//! Two endpoints that know the same chain, or do not.

use photon_chain::{Endpoint, Verdict, WitnessConfig, watch};
use photon_devchain::{Config, DevChain};
use photon_wire::BlockNumber;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;

const CONFIG: WitnessConfig =
    WitnessConfig { poll: Duration::from_millis(20), depth: 2, lag_blocks: 3 };

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);
/// Some looks long.
const A_WHILE: Duration = Duration::from_millis(300);

/// Two chains of one history.
async fn twins() -> [DevChain; 2] {
    loop {
        let one = DevChain::start(Config::default()).await.unwrap();
        let other = DevChain::start(Config::default()).await.unwrap();
        // A chain begins with the second in which it is started.
        if one.timestamp() == other.timestamp() {
            return [one, other];
        }
    }
}

/// So many blocks, the same ones on each of the chains.
fn mine(chains: &[&DevChain], blocks: u64) {
    for _ in 0..blocks {
        let time = chains.iter().map(|chain| chain.timestamp()).max().unwrap() + 1;
        for chain in chains {
            chain.set_next_timestamp(time).unwrap();
            chain.mine(1);
        }
    }
}

fn endpoint(chain: &DevChain) -> Endpoint {
    Endpoint::new(&chain.url()).unwrap()
}

async fn told(verdicts: &mut Receiver<Verdict>) -> Verdict {
    timeout(PATIENCE, verdicts.recv()).await.expect("a verdict").unwrap()
}

async fn nothing_told(verdicts: &mut Receiver<Verdict>) {
    let told = timeout(A_WHILE, verdicts.recv()).await;
    assert!(told.is_err(), "{told:?}");
}

#[tokio::test]
async fn endpoints_of_one_chain_agree_whatever_it_does() {
    let chain = DevChain::start(Config::default()).await.unwrap();
    let websocket = Endpoint::new(&chain.ws_url()).unwrap();
    let mut verdicts = watch(endpoint(&chain), vec![endpoint(&chain), websocket], CONFIG);
    assert_eq!(told(&mut verdicts).await, Verdict::Agree);
    for _ in 0..20 {
        chain.mine(10);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    nothing_told(&mut verdicts).await;
}

#[tokio::test]
async fn a_primary_that_stands_still_is_behind_until_it_goes_on() {
    let [primary, witness] = twins().await;
    mine(&[&primary, &witness], 5);
    let mut verdicts = watch(endpoint(&primary), vec![endpoint(&witness)], CONFIG);
    assert_eq!(told(&mut verdicts).await, Verdict::Agree);
    let begin = witness.timestamp();
    mine(&[&witness], 3);
    nothing_told(&mut verdicts).await;
    mine(&[&witness], 1);
    assert_eq!(told(&mut verdicts).await, Verdict::Behind { url: witness.url(), blocks: 4 });
    mine(&[&witness], 2);
    nothing_told(&mut verdicts).await;
    for time in begin + 1..=begin + 6 {
        primary.set_next_timestamp(time).unwrap();
        primary.mine(1);
    }
    assert_eq!(told(&mut verdicts).await, Verdict::Agree);
    // A witness that is behind says nothing against the primary.
    mine(&[&primary], 10);
    nothing_told(&mut verdicts).await;
}

#[tokio::test]
async fn another_branch_is_told_once_it_is_deep_enough() {
    let [primary, witness] = twins().await;
    mine(&[&primary, &witness], 5);
    let mut verdicts = watch(endpoint(&primary), vec![endpoint(&witness)], CONFIG);
    assert_eq!(told(&mut verdicts).await, Verdict::Agree);
    primary.reorg(1).unwrap();
    primary.set_next_timestamp(witness.timestamp() + 100).unwrap();
    primary.mine(1);
    // Two blocks of depth are wanted.
    nothing_told(&mut verdicts).await;
    mine(&[&primary, &witness], 2);
    let expected = Verdict::Disagree { url: witness.url(), block: BlockNumber(5) };
    assert_eq!(told(&mut verdicts).await, expected);
    // It stays the same disagreement, and weighs more than being behind.
    mine(&[&witness], 10);
    nothing_told(&mut verdicts).await;
}

#[tokio::test]
async fn a_silent_witness_is_told_once_and_takes_nothing_back() {
    let [primary, other] = twins().await;
    mine(&[&primary], 5);
    primary.increase_time(Duration::from_secs(1_000));
    other.increase_time(Duration::from_secs(2_000));
    primary.mine(5);
    other.mine(10);
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let gone = Endpoint::new(&format!("http://user:secret@{gone}/key")).unwrap();
    let silent = Verdict::Silent { url: gone.shown().to_owned() };

    let mut alone = watch(endpoint(&primary), vec![gone.clone()], CONFIG);
    assert_eq!(told(&mut alone).await, silent);
    nothing_told(&mut alone).await;

    let mut both = watch(endpoint(&primary), vec![gone, endpoint(&other)], CONFIG);
    let mut first = [told(&mut both).await, told(&mut both).await];
    first.sort_by_key(|verdict| verdict != &silent);
    let disagrees = Verdict::Disagree { url: other.url(), block: BlockNumber(8) };
    assert_eq!(first, [silent, disagrees]);
    let url = other.url();
    other.shutdown().await;
    assert_eq!(told(&mut both).await, Verdict::Silent { url });
    nothing_told(&mut both).await;
}

#[tokio::test]
async fn while_the_primary_is_silent_nothing_is_told() {
    let witness = DevChain::start(Config::default()).await.unwrap();
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let primary = Endpoint::new(&format!("http://{gone}")).unwrap();
    nothing_told(&mut watch(primary, vec![endpoint(&witness)], CONFIG)).await;
}
