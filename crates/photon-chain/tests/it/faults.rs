//! A chain that goes away and comes back.

use crate::stage::{Stage, event, next};
use photon_chain::{
    Account, ChainInput, Cursor, Done, Endpoint, FollowerConfig, Intent, Report, Sender,
    SenderConfig, Wallet, WalletConfig, follow,
};
use photon_wire::Secret;
use photon_wire::contract::Call;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
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

#[tokio::test]
async fn a_follower_outlives_its_endpoint_and_says_so_once() {
    for scheme in ["http", "ws"] {
        let mut stage = Stage::new().await;
        let address = free_address().await;
        let endpoint = Endpoint::new(&format!("{scheme}://{address}")).unwrap();
        let from = Cursor::start(&stage.network);
        let mut inputs = follow(endpoint, &stage.network, FollowerConfig::quick(), from);
        let told = next(&mut inputs).await;
        assert!(matches!(&told, ChainInput::Trouble(text) if text.contains("no chain answers")));

        let relay = Relay::start(address, stage.chain.address()).await;
        stage.alice.send(Call::RegisterSecrets(vec![Secret([1; 32])])).await.unwrap();
        let mut rest = Vec::new();
        while rest.len() < 3 {
            rest.push(next(&mut inputs).await);
        }
        assert!(rest.contains(&ChainInput::Recovered), "{rest:?}");
        assert_eq!(rest.iter().filter(|input| matches!(input, ChainInput::Event(..))).count(), 1);

        drop(relay);
        sleep(Duration::from_millis(50)).await;
        stage.alice.send(Call::RegisterSecrets(vec![Secret([2; 32])])).await.unwrap();
        let told = next(&mut inputs).await;
        assert!(matches!(&told, ChainInput::Trouble(_)), "{told:?}");
        let _relay = Relay::start(address, stage.chain.address()).await;
        let mut recovered = 0;
        loop {
            match next(&mut inputs).await {
                ChainInput::Recovered => recovered += 1,
                ChainInput::Event(..) => break,
                ChainInput::Block { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        let after = next(&mut inputs).await;
        recovered += usize::from(after == ChainInput::Recovered);
        if recovered == 0 {
            assert_eq!(next(&mut inputs).await, ChainInput::Recovered);
        }
    }
}

#[tokio::test]
async fn an_intent_outlives_its_endpoint() {
    let mut stage = Stage::new().await;
    let mut inputs = stage.follow_all();
    let address = free_address().await;
    let endpoint = Endpoint::new(&format!("http://{address}")).unwrap();
    let account = Account::from_bytes(&stage.chain.accounts()[3].1.0).unwrap();
    let wallet = Wallet::new(endpoint, account, WalletConfig::quick());
    let (sender, reports) = Sender::start(wallet, stage.network.contract, SenderConfig::default());
    (stage.alice.sender, stage.alice.reports) = (sender, reports);
    stage.alice.submit(1, Call::RegisterSecrets(vec![Secret([1; 32])])).await;
    sleep(Duration::from_millis(300)).await;
    let _relay = Relay::start(address, stage.chain.address()).await;
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
