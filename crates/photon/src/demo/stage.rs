//! Everything that the story needs: the chain, the contract, the token, and three nodes.

use super::ledger::Ledger;
use super::teller::Teller;
use crate::client::ADDRESS_FILE;
use crate::show;
use anyhow::Context as _;
use photon_chain::{Account, Depth, Endpoint, Network, Wallet, WalletConfig};
use photon_devchain::{DevChain, Mining};
use photon_node::config::{Confirmations, Preset};
use photon_node::{Config, Node, NodeHandle};
use photon_wire::contract::Parameters;
use photon_wire::{Address, Amount, Seconds, Token};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// Of the token.
pub(super) const SYMBOL: &str = "DEMO";
/// What everybody has at the beginning.
pub(super) const MINTED: Amount = Amount(1_000);
/// What the contract is deployed with, as it would be on a real chain.
const PARAMETERS: Parameters = Parameters {
    least_settle_timeout: Seconds(3_600),
    greatest_settle_timeout: Seconds(30 * 24 * 3_600),
    challenge: Seconds(1_800),
};
/// How often a block is made while the story runs.
const BLOCK: Duration = Duration::from_secs(1);
/// How often a node looks for new blocks.
const POLL_MILLISECONDS: u64 = 50;

/// Somebody with a node.
pub(super) struct Person {
    pub(super) name: &'static str,
    pub(super) account: Address,
    pub(super) node: Node,
    pub(super) handle: NodeHandle,
    pub(super) data_dir: PathBuf,
}

impl Person {
    pub(super) fn token_file(&self) -> PathBuf {
        self.data_dir.join("api.token")
    }
}

/// The stage and who is on it.
pub(super) struct Stage {
    pub(super) chain: DevChain,
    pub(super) endpoint: Endpoint,
    pub(super) network: Network,
    pub(super) token: Token,
    pub(super) alice: Person,
    pub(super) bob: Person,
    pub(super) carol: Person,
    pub(super) ledger: tokio::sync::Mutex<Ledger>,
    folder: TempDir,
}

impl Stage {
    /// Starts all of it, telling each step.
    pub(super) async fn build(teller: &mut Teller) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("photon-demo-").tempdir()?;
        let chain = start_chain(teller).await?;
        let keys = chain.accounts();
        let account = |index: usize| -> anyhow::Result<Account> {
            let (_, key) = keys.get(index).context("the chain has too few accounts")?;
            Ok(Account::from_bytes(&key.0)?)
        };
        let endpoint = Endpoint::new(&chain.url())?;
        let people = [("Alice", account(1)?), ("Bob", account(2)?), ("Carol", account(3)?)];
        let mut names: BTreeMap<Address, String> =
            people.iter().map(|(name, who)| (who.address(), (*name).to_owned())).collect();
        let deployer = account(0)?;
        names.insert(deployer.address(), "deployer".to_owned());
        let mut ledger = Ledger::new(chain.url(), names);

        let wallet = Wallet::new(endpoint.clone(), deployer, WalletConfig::quick());
        let receivers = people.each_ref().map(|(_, who)| who.address());
        let (network, token) = deploy(teller, &wallet, receivers).await?;
        let network_file = folder.path().join("network.toml");
        network.save(&network_file)?;
        teller.transactions(&ledger.read().await?)?;
        teller.done()?;

        chain.set_mining(Mining::Interval(BLOCK))?;
        let [alice, bob, carol] =
            start_nodes(teller, folder.path(), &network_file, &chain, people).await?;
        let ledger = tokio::sync::Mutex::new(ledger);
        Ok(Self { chain, endpoint, network, token, alice, bob, carol, ledger, folder })
    }

    pub(super) fn people(&self) -> [&Person; 3] {
        [&self.alice, &self.bob, &self.carol]
    }

    /// Whose account it is.
    pub(super) fn name_of(&self, account: Address) -> &'static str {
        let people = self.people();
        people.iter().find(|person| person.account == account).map_or("somebody", |who| who.name)
    }

    /// Ends nodes and chain and removes what they wrote.
    pub(super) async fn clear_away(self) {
        for person in [self.alice, self.bob, self.carol] {
            drop(person.handle);
            person.node.shutdown().await;
        }
        self.chain.shutdown().await;
        // In the folder for what is temporary; the system removes what we cannot.
        let _ = self.folder.close();
    }
}

async fn start_chain(teller: &mut Teller) -> anyhow::Result<DevChain> {
    teller.step("A chain")?;
    let chain = DevChain::start(photon_devchain::Config::default()).await?;
    teller.say(format_args!(
        "an EVM behind ordinary JSON-RPC, chain id {}, at {}",
        chain.chain_id(),
        chain.url()
    ))?;
    teller.done()?;
    Ok(chain)
}

async fn deploy(
    teller: &mut Teller,
    wallet: &Wallet,
    receivers: [Address; 3],
) -> anyhow::Result<(Network, Token)> {
    teller.step("The contract, and a token to pay with")?;
    let mut network = Network::deploy(wallet, PARAMETERS).await?;
    network.name = Some("photon demo".to_owned());
    let token = wallet.deploy_token("Demo", SYMBOL, 0).await?;
    network.tokens.insert(SYMBOL.to_owned(), token);
    network.wrapped_native = Some(wallet.deploy_wrapped_native().await?);
    for receiver in receivers {
        wallet.mint(token, receiver, MINTED).await?;
    }
    teller.say(format_args!("contract {}", network.contract))?;
    teller
        .say(format_args!("token    {token}; Alice, Bob and Carol have {MINTED} {SYMBOL} each"))?;
    Ok((network, token))
}

/// Carol's first: each knows only where the next one is, so that Alice and Carol never meet.
async fn start_nodes(
    teller: &mut Teller,
    folder: &Path,
    network_file: &Path,
    chain: &DevChain,
    people: [(&'static str, Account); 3],
) -> anyhow::Result<[Person; 3]> {
    teller.step("Three nodes")?;
    let mut peers = Vec::new();
    let mut started = Vec::new();
    for (name, account) in people.into_iter().rev() {
        let data_dir = folder.join(name.to_lowercase());
        let mut config = Config::defaults(&data_dir, Preset::Standard);
        config.network = network_file.to_owned();
        config.chain.endpoint = chain.url();
        config.chain.confirmations = Confirmations(Depth::Blocks(0));
        config.chain.poll_milliseconds = POLL_MILLISECONDS;
        config.net.listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
        config.net.peers = std::mem::take(&mut peers);
        config.api.listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let address = account.address();
        let node =
            Node::start_as(config, account).await.with_context(|| format!("{name}'s node"))?;
        if let Some(api) = node.api() {
            std::fs::write(data_dir.join(ADDRESS_FILE), format!("{}\n", api.address()))?;
        }
        let handle = node.handle();
        let listen = handle.status().await?.listen;
        peers = listen.iter().take(1).map(|listen| format!("{address}@{listen}")).collect();
        started.push(Person { name, account: address, node, handle, data_dir });
    }
    started.reverse();
    for person in &started {
        let listen = person.handle.status().await?.listen.into_iter().next().unwrap_or_default();
        let (name, account) = (person.name, show::short_address(&person.account));
        teller.say(format_args!("{name:<6} {account}  listens on {listen}"))?;
    }
    teller.say("each has its own key, its own data directory and its own store on disk")?;
    teller.done()?;
    <[Person; 3]>::try_from(started).map_err(|_| anyhow::anyhow!("three people, three nodes"))
}
