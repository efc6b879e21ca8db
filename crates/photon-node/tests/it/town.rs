//! Nodes in one process on an embedded chain.

use photon_chain::{Account, Endpoint, Network, Wallet, WalletConfig};
use photon_core::view::{ChannelView, PaymentStatus, Target};
use photon_devchain::DevChain;
use photon_node::config::{Config, Options};
use photon_node::handle::{How, OpenRequest, PayRequest, PayWay, Payee, Payment, RequestError};
use photon_node::{Node, NodeHandle};
use photon_wire::contract::Parameters;
use photon_wire::{Address, Amount, ChannelId, Seconds, Token};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long anything may take before a test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A chain with the contract and a token, of which everybody has plenty.
pub(crate) struct Town {
    pub(crate) chain: DevChain,
    pub(crate) token: Token,
    network_file: PathBuf,
    network: Network,
    dir: TempDir,
}

impl Town {
    /// `RUST_LOG=photon_node=debug` shows what the nodes log.
    pub(crate) async fn new() -> Self {
        let filter = tracing_subscriber::EnvFilter::from_default_env();
        // Another test of this process may have set it.
        let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
        let chain = DevChain::start(photon_devchain::Config::default()).await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let deployer = Self::wallet(&chain, 9);
        let parameters = Parameters {
            least_settle_timeout: Seconds(5),
            greatest_settle_timeout: Seconds(100_000),
            challenge: Seconds(2),
        };
        let network = Network::deploy(&deployer, parameters).await.unwrap();
        let token = deployer.deploy_token("Test", "TEST", 0).await.unwrap();
        for (account, _) in chain.accounts() {
            deployer.mint(token, account, Amount(1_000_000_000)).await.unwrap();
        }
        let network_file = dir.path().join("network.toml");
        network.save(&network_file).unwrap();
        Self { chain, token, network_file, network, dir }
    }

    fn wallet(chain: &DevChain, index: usize) -> Wallet {
        let (_, key) = chain.accounts()[index];
        let endpoint = Endpoint::new(&chain.url()).unwrap();
        Wallet::new(endpoint, Account::from_bytes(&key.0).unwrap(), WalletConfig::quick())
    }

    pub(crate) fn address(&self, index: usize) -> Address {
        self.chain.accounts()[index].0
    }

    /// What an account holds outside channels.
    pub(crate) async fn tokens_of(&self, index: usize) -> Amount {
        let endpoint = Endpoint::new(&self.chain.url()).unwrap();
        photon_chain::token::balance(&endpoint, self.token, self.address(index)).await.unwrap()
    }

    pub(crate) fn config(&self, index: usize, peers: &[&Node]) -> Config {
        let data_dir = self.dir.path().join(format!("node-{index}"));
        std::fs::create_dir_all(&data_dir).unwrap();
        let peers: Vec<String> = peers
            .iter()
            .map(|node| {
                let handle = node.handle();
                format!("{}@{}", handle.account(), handle.listen_addresses()[0])
            })
            .collect();
        let options = Options::default()
            .set("data_dir", Some(data_dir.display()))
            .set("network", Some(self.network_file.display()))
            .set("chain.endpoint", Some(self.chain.url()))
            .set("chain.poll_milliseconds", Some(20))
            .set("timing.preset", Some("development"))
            .set("net.listen", Some("/ip4/127.0.0.1/tcp/0"))
            .set("net.peers", Some(peers.join(",")))
            .set("api.enabled", Some(false));
        Config::load_with(&options, []).unwrap().config
    }

    pub(crate) fn account(&self, index: usize) -> Account {
        Account::from_bytes(&self.chain.accounts()[index].1.0).unwrap()
    }

    /// Starts the node of the account with this index, told of these peers.
    pub(crate) async fn node(&self, index: usize, peers: &[&Node]) -> Node {
        Node::start_as(self.config(index, peers), self.account(index)).await.unwrap()
    }

    pub(crate) const fn network(&self) -> &Network {
        &self.network
    }

    pub(crate) async fn open(
        &self,
        from: &NodeHandle,
        to: &NodeHandle,
        deposit: u128,
    ) -> ChannelId {
        let request = OpenRequest {
            token: self.token,
            partner: to.account(),
            settle_timeout: None,
            deposit: Amount(deposit),
            how: How::default(),
            wait: Some(PATIENCE),
        };
        let channel = from.open_channel(request).await.unwrap().channel;
        for handle in [from, to] {
            eventually(async || {
                let view = handle.channel(channel).await.unwrap();
                let view = view.filter(|view| view.partner_online)?;
                let deposits = view.ours.deposit.0 + view.theirs.deposit.0;
                (deposits == deposit).then_some(())
            })
            .await;
        }
        channel
    }

    pub(crate) async fn pay(
        &self,
        from: &NodeHandle,
        to: &NodeHandle,
        amount: u128,
        way: PayWay,
    ) -> Result<Payment, RequestError> {
        let target = Target { token: self.token, account: to.account(), amount: Amount(amount) };
        from.pay(request(Payee::Account(target), way)).await
    }
}

/// A payment that is waited for.
pub(crate) fn request(payee: Payee, way: PayWay) -> PayRequest {
    PayRequest {
        payee,
        max_fee: None,
        note: b"for the test".to_vec(),
        idempotency_key: None,
        way,
        wait: Some(PATIENCE),
    }
}

/// Asks again and again until there is an answer.
pub(crate) async fn eventually<T>(question: impl AsyncFn() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(answer) = question().await {
            return answer;
        }
        assert!(begin.elapsed() < PATIENCE, "it did not happen in time");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until both sides of a channel see these balances.
pub(crate) async fn balances(
    channel: ChannelId,
    (one, ours): (&NodeHandle, u128),
    (other, theirs): (&NodeHandle, u128),
) {
    let fits = |view: ChannelView, ours, theirs| {
        view.ours.balance == Amount(ours)
            && view.theirs.balance == Amount(theirs)
            && view.ours.locks == 0
            && view.theirs.locks == 0
    };
    eventually(async || {
        let mine = one.channel(channel).await.unwrap()?;
        let yours = other.channel(channel).await.unwrap()?;
        (fits(mine, ours, theirs) && fits(yours, theirs, ours)).then_some(())
    })
    .await;
}

pub(crate) fn is_paid(payment: &Payment) -> bool {
    matches!(payment.status, PaymentStatus::Paid { .. })
}
