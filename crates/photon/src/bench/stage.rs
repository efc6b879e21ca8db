//! The chain, the contract, a token, and four nodes in a line with channels between them.

use super::books::Books;
use super::node::{Node, Settings};
use anyhow::{Context as _, bail};
use photon_chain::{Account, Endpoint, Mnemonic, Network, Wallet, WalletConfig};
use photon_devchain::{DevChain, Mining, TEST_MNEMONIC};
use photon_node::api::types::{
    Channel, ChannelState, Decimal, HexAddress, NodeStatus, OpenBody, PaymentBody, PaymentState,
    PaymentView, Submission,
};
use photon_wire::contract::Parameters;
use photon_wire::{Address, Amount, Seconds, Token};
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Who pays whom: A pays all others, through those between.
const NAMES: [&str; 4] = ["A", "B", "C", "D"];
/// What each channel's payer puts in: more than any bench spends.
pub(super) const DEPOSIT: Amount = Amount(1_000_000_000_000);
const PARAMETERS: Parameters = Parameters {
    least_settle_timeout: Seconds(3_600),
    greatest_settle_timeout: Seconds(30 * 24 * 3_600),
    challenge: Seconds(1_800),
};
const BLOCK: Duration = Duration::from_secs(1);
/// How long anything may take that is not measured.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(20);

/// All of it; nothing is left of it once it is dropped.
pub(super) struct Stage {
    /// Dropped first: the nodes before the folder that they write to.
    pub(super) nodes: Vec<Node>,
    pub(super) token: Token,
    pub(super) endpoint: Endpoint,
    pub(super) network: Network,
    _chain: DevChain,
    _folder: TempDir,
}

impl Stage {
    /// Starts all of it, and opens the channels.
    pub(super) async fn build() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("photon-bench-").tempdir()?;
        let chain = DevChain::start(photon_devchain::Config::default()).await?;
        let endpoint = Endpoint::new(&chain.url())?;
        let mnemonic = Mnemonic::from_phrase(TEST_MNEMONIC)?;
        let wallet = Wallet::new(endpoint.clone(), mnemonic.account(0)?, WalletConfig::quick());
        let mut network = Network::deploy(&wallet, PARAMETERS).await?;
        network.name = Some("photon bench".to_owned());
        let token = wallet.deploy_token("Bench", "BENCH", 0).await?;
        let mut accounts = Vec::new();
        for index in (1..).take(NAMES.len()) {
            let account = mnemonic.account(index)?;
            wallet.mint(token, account.address(), DEPOSIT).await?;
            accounts.push(account);
        }
        let network_file = folder.path().join("network.toml");
        network.save(&network_file)?;
        chain.set_mining(Mining::Interval(BLOCK))?;
        let nodes = start_nodes(folder.path(), &network_file, &chain.url(), &accounts).await?;
        let stage = Self { nodes, token, endpoint, network, _chain: chain, _folder: folder };
        stage.open_channels().await?;
        Ok(stage)
    }

    /// Who pays.
    pub(super) fn payer(&self) -> &Node {
        self.nodes.first().expect("four nodes were started")
    }

    /// Who is paid through so many others.
    pub(super) fn payee(&self, mediators: usize) -> anyhow::Result<Address> {
        let node = self.nodes.get(mediators + 1).context("the line is not that long")?;
        Ok(node.account)
    }

    /// Neighbours in the line: the one who pays, and the one who is paid.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&Node, &Node)> {
        self.nodes.iter().zip(self.nodes.iter().skip(1))
    }

    /// The channel between two, as the first sees it.
    pub(super) async fn channel(&self, of: &Node, with: &Node) -> anyhow::Result<Channel> {
        let channels: Vec<Channel> = of.get("/channels").await?;
        let found = channels.into_iter().find(|channel| channel.partner.0 == with.account);
        found.with_context(|| format!("{} has no channel with {}", of.name, with.name))
    }

    /// Waits until no payment is under way anywhere.
    pub(super) async fn quiet(&self) -> anyhow::Result<()> {
        let begin = Instant::now();
        for (payer, payee) in self.pairs() {
            loop {
                let ours = self.channel(payer, payee).await?;
                let theirs = self.channel(payee, payer).await?;
                let locks = ours.ours.locks + theirs.theirs.locks;
                if locks == 0 && ours.ours.nonce == theirs.theirs.nonce {
                    break;
                }
                if begin.elapsed() > PATIENCE {
                    bail!("{locks} locks stay between {} and {}", payer.name, payee.name);
                }
                tokio::time::sleep(LOOK).await;
            }
        }
        Ok(())
    }

    /// Pays everybody once; until the nodes know each other that is refused.
    pub(super) async fn first_payments(&self, books: &mut Books) -> anyhow::Result<()> {
        for mediators in 0..NAMES.len() - 1 {
            let body = PaymentBody {
                target: Some(HexAddress(self.payee(mediators)?)),
                token: Some(HexAddress(self.token.0)),
                amount: Some(Decimal(Amount(1))),
                ..PaymentBody::default()
            };
            let begin = Instant::now();
            let payment = loop {
                match self.payer().post::<PaymentView>("/payments", &body).await {
                    Ok(payment) => break payment,
                    Err(error) if begin.elapsed() > PATIENCE => return Err(error),
                    Err(_) => tokio::time::sleep(LOOK).await,
                }
            };
            if payment.status != PaymentState::Paid {
                bail!("the first payment over {mediators} mediators does not end");
            }
            books.note(mediators, 1);
        }
        Ok(())
    }

    /// Kills the payer's node and starts it again; waits until it has found its partner.
    pub(super) async fn restart_payer(&mut self) -> anyhow::Result<Duration> {
        let node = self.nodes.first_mut().context("four nodes were started")?;
        let length = node.restart().await?;
        if let Some((payer, payee)) = self.pairs().next() {
            self.is_usable(payer, payee).await?;
        }
        Ok(length)
    }

    async fn open_channels(&self) -> anyhow::Result<()> {
        for (payer, payee) in self.pairs() {
            let body = OpenBody {
                token: HexAddress(self.token.0),
                partner: HexAddress(payee.account),
                deposit: Some(Decimal(DEPOSIT)),
                settle_timeout: None,
                way: None,
                accept_token_fee: false,
                gasless: false,
                wait_seconds: Some(PATIENCE.as_secs()),
            };
            let submission: Submission = payer.post("/channels", &body).await?;
            if !submission.done {
                bail!("the channel of {} and {} does not open", payer.name, payee.name);
            }
        }
        for (payer, payee) in self.pairs() {
            self.is_usable(payer, payee).await?;
            self.is_usable(payee, payer).await?;
        }
        Ok(())
    }

    async fn is_usable(&self, of: &Node, with: &Node) -> anyhow::Result<()> {
        let begin = Instant::now();
        loop {
            let usable = self
                .channel(of, with)
                .await
                .is_ok_and(|channel| channel.state == ChannelState::Open && channel.partner_online);
            if usable {
                return Ok(());
            }
            if begin.elapsed() > PATIENCE {
                bail!("{} and {} do not find each other", of.name, with.name);
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// D's first: each knows only where the next one is.
async fn start_nodes(
    folder: &Path,
    network_file: &Path,
    chain_url: &str,
    accounts: &[Account],
) -> anyhow::Result<Vec<Node>> {
    let mnemonic_file = folder.join("mnemonic");
    write_secret(&mnemonic_file, TEST_MNEMONIC)?;
    let mut peers = Vec::new();
    let mut nodes = Vec::new();
    for (index, (name, account)) in NAMES.into_iter().zip(accounts).enumerate().rev() {
        let settings = Settings {
            name,
            account: account.address(),
            mnemonic_file: &mnemonic_file,
            mnemonic_index: index + 1,
            network_file,
            chain_url,
            peers: std::mem::take(&mut peers),
            folder: folder.join(name),
        };
        let node = Node::start(settings).await?;
        let status: NodeStatus = node.get("/node").await?;
        let listen = status.listen.iter().take(1);
        peers = listen.map(|listen| format!("{}@{listen}", node.account)).collect();
        nodes.push(node);
    }
    nodes.reverse();
    Ok(nodes)
}

/// Only its owner may read it.
fn write_secret(file: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(file, text)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}
