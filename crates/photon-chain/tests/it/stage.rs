//! A chain with the contract, a token and accounts that have some of it.

use alloy::rpc::client::{ClientBuilder, RpcClient};
use photon_chain::{
    Account, ChainInput, Cursor, Done, Endpoint, FollowerConfig, Intent, Interest, Mnemonic,
    Network, Outcome, Report, SendError, Sender, SenderConfig, Wallet, WalletConfig, follow,
};
use photon_devchain::{Config, DevChain, TEST_MNEMONIC};
use photon_wire::contract::{Call, Event, Parameters, Position};
use photon_wire::{Address, Amount, ChannelKey, Seconds, Timestamp, Token};
use serde_json::Value;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;

pub(crate) const PARAMETERS: Parameters = Parameters {
    least_settle_timeout: Seconds(60),
    greatest_settle_timeout: Seconds(86_400),
    challenge: Seconds(30),
};
pub(crate) const SETTLE_TIMEOUT: Seconds = Seconds(600);
pub(crate) const MINTED: Amount = Amount(10_000);

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Somebody with coins, tokens and a sender.
pub(crate) struct Person {
    pub(crate) account: Account,
    pub(crate) wallet: Wallet,
    pub(crate) sender: Sender,
    pub(crate) reports: Receiver<Report>,
}

impl Person {
    pub(crate) fn address(&self) -> Address {
        self.account.address()
    }

    pub(crate) async fn submit(&self, id: u64, call: Call) {
        let intent = Intent { id, call, deadline: None, earlier: Vec::new() };
        self.sender.submit(intent).await.unwrap();
    }

    pub(crate) async fn report(&mut self) -> Report {
        timeout(PATIENCE, self.reports.recv()).await.expect("a report").unwrap()
    }

    pub(crate) async fn outcome(&mut self) -> Outcome {
        loop {
            if let Report::Outcome(outcome) = self.report().await {
                return outcome;
            }
        }
    }

    /// Submits and waits.
    pub(crate) async fn send(&mut self, call: Call) -> Result<Done, SendError> {
        self.submit(7, call).await;
        let outcome = self.outcome().await;
        assert_eq!(outcome.id, 7);
        outcome.result
    }
}

pub(crate) struct Stage {
    /// None where the chain is another program.
    chain: Option<DevChain>,
    pub(crate) rpc: RpcClient,
    pub(crate) endpoint: Endpoint,
    pub(crate) network: Network,
    pub(crate) token: Token,
    pub(crate) alice: Person,
    pub(crate) bob: Person,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(Config::default(), WalletConfig::quick()).await
    }

    pub(crate) async fn with(config: Config, wallet_config: WalletConfig) -> Self {
        let chain = DevChain::start(config).await.unwrap();
        let mut stage = Self::at(&chain.url(), wallet_config).await;
        stage.chain = Some(chain);
        stage
    }

    /// On any chain that gives the well-known accounts coins.
    pub(crate) async fn at(url: &str, wallet_config: WalletConfig) -> Self {
        let endpoint = Endpoint::new(url).unwrap();
        let mnemonic = Mnemonic::from_phrase(TEST_MNEMONIC).unwrap();
        let wallet = |index| {
            let account = mnemonic.account(index).unwrap();
            let wallet = Wallet::new(endpoint.clone(), account.clone(), wallet_config);
            (account, wallet)
        };
        let (_, deployer) = wallet(0);
        let network = Network::deploy(&deployer, PARAMETERS).await.unwrap();
        let token = deployer.deploy_token("Test", "TEST", 6).await.unwrap();
        let mut people = Vec::new();
        for index in [1, 2] {
            let (account, wallet) = wallet(index);
            deployer.mint(token, account.address(), MINTED).await.unwrap();
            let config = SenderConfig::default();
            let (sender, reports) = Sender::start(wallet.clone(), network.contract, config);
            people.push(Person { account, wallet, sender, reports });
        }
        let (bob, alice) = (people.pop().unwrap(), people.pop().unwrap());
        let rpc = ClientBuilder::default().http(url.parse().unwrap());
        Self { chain: None, rpc, endpoint, network, token, alice, bob }
    }

    pub(crate) fn chain(&self) -> &DevChain {
        self.chain.as_ref().unwrap()
    }

    /// Makes a block at this time.
    pub(crate) async fn jump(&self, to: Timestamp) {
        let _: Value = self.rpc.request("evm_setNextBlockTimestamp", (to.0,)).await.unwrap();
        let _: Value = self.rpc.request("evm_mine", ()).await.unwrap();
    }

    pub(crate) fn key(&self) -> ChannelKey {
        ChannelKey::new(self.token, self.alice.address(), self.bob.address()).unwrap()
    }

    /// Alice's call that opens the channel with Bob.
    pub(crate) fn open(&self, amount: u128) -> Call {
        Call::Open {
            token: self.token,
            partner: self.bob.address(),
            settle_timeout: SETTLE_TIMEOUT,
            amount: Amount(amount),
            way: None,
        }
    }

    pub(crate) fn follow(&self, from: Cursor) -> Receiver<ChainInput> {
        let (interest, config) = (Interest::Everything, FollowerConfig::quick());
        follow(self.endpoint.clone(), &self.network, interest, config, from)
    }

    pub(crate) fn follow_all(&self) -> Receiver<ChainInput> {
        self.follow(Cursor::start(&self.network))
    }

    pub(crate) async fn balance(&self, owner: Address) -> Amount {
        photon_chain::token::balance(&self.endpoint, self.token, owner).await.unwrap()
    }
}

pub(crate) async fn next(inputs: &mut Receiver<ChainInput>) -> ChainInput {
    timeout(PATIENCE, inputs.recv()).await.expect("an input").unwrap()
}

/// The next event; blocks are passed over.
pub(crate) async fn event(inputs: &mut Receiver<ChainInput>) -> (Position, Event) {
    loop {
        match next(inputs).await {
            ChainInput::Event(position, event) => return (position, event),
            ChainInput::Block { .. } => {}
            other => panic!("expected an event, got {other:?}"),
        }
    }
}

/// All events up to this block.
pub(crate) async fn events_until(
    inputs: &mut Receiver<ChainInput>,
    block: u64,
) -> Vec<(Position, Event)> {
    let mut events = Vec::new();
    loop {
        match next(inputs).await {
            ChainInput::Event(position, event) => events.push((position, event)),
            ChainInput::Block { number, .. } if number.0 >= block => return events,
            ChainInput::Block { .. } => {}
            other => panic!("expected events, got {other:?}"),
        }
    }
}
