//! A chain with the contract and a token of which everybody has plenty.

use super::chain::{Chain, ChainKind, amount_word, word};
use super::node::{Node, Settings};
use super::{Api, eventually};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// What devchain and anvil fund; never put real money on it.
const MNEMONIC: &str = "test test test test test test test test test test test junk";

/// Whose gas the deployments cost.
const DEPLOYER: usize = 9;

/// The topic of `BalanceUpdated(bytes32,address,address,uint64,uint64,uint128,bytes32)`.
const BALANCE_UPDATED: &str = "0x9b2ef9bc255b139c2fec81476d990a4520e18f14438333b1ec5d5f45dc5f5620";

/// What everybody holds of a token at first.
pub(crate) const PLENTY: u128 = 1_000_000_000;

/// Names of the nodes by their account's index.
const NAMES: [&str; 5] = ["A", "B", "C", "D", "E"];

/// A chain with the contract and a token.
#[derive(Debug)]
pub(crate) struct Town {
    pub(crate) chain: Chain,
    pub(crate) token: String,
    pub(crate) contract: String,
    pub(crate) accounts: Vec<String>,
    network_file: PathBuf,
    mnemonic_file: PathBuf,
    folder: TempDir,
}

/// How a node looks at the chain.
pub(crate) struct View<'a> {
    pub(crate) endpoint: &'a str,
    pub(crate) witnesses: &'a [&'a str],
    pub(crate) confirmations: u64,
    /// More of the configuration.
    pub(crate) more: &'a str,
}

impl<'a> View<'a> {
    /// Through one endpoint, at its newest block.
    pub(crate) const fn of(endpoint: &'a str) -> Self {
        Self { endpoint, witnesses: &[], confirmations: 0, more: "" }
    }
}

impl Town {
    pub(crate) async fn new(kind: ChainKind) -> Self {
        Self::with_chain_id(kind, 1337).await
    }

    /// One whose network names a wrapped coin.
    pub(crate) async fn with_wrapped_native(kind: ChainKind) -> Self {
        Self::deployed(kind, 1337, &["--deploy-wrapped-native"]).await
    }

    pub(crate) async fn with_chain_id(kind: ChainKind, chain_id: u64) -> Self {
        Self::deployed(kind, chain_id, &[]).await
    }

    async fn deployed(kind: ChainKind, chain_id: u64, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let chain = Chain::start(kind, chain_id, folder.path()).await;
        let accounts = chain.accounts().await;
        let mnemonic_file = folder.path().join("mnemonic");
        write_secret(&mnemonic_file, MNEMONIC);
        let network_file = folder.path().join("network.toml");
        deploy(&chain, &mnemonic_file, &network_file, more);
        let network = std::fs::read_to_string(&network_file).unwrap();
        let contract = network
            .lines()
            .find_map(|line| line.strip_prefix("contract = "))
            .unwrap()
            .trim_matches('"')
            .to_owned();
        let token = String::new();
        let mut town =
            Self { chain, token, contract, accounts, network_file, mnemonic_file, folder };
        town.token = town.new_token().await;
        town
    }

    /// Deploys another token and gives plenty of it to everybody.
    pub(crate) async fn new_token(&self) -> String {
        // Constructor: name "Test", symbol "TEST", no decimals; offsets first, then the texts.
        let text = |text: &str| {
            let bytes: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            format!("{:064x}{bytes:0<64}", text.len())
        };
        let arguments = format!("{:064x}{:064x}{:064x}", 0x60, 0xa0, 0);
        self.deploy_token("TestToken", &format!("{arguments}{}{}", text("Test"), text("TEST")))
            .await
    }

    /// Deploys one of the test tokens with these constructor's arguments, and gives plenty of it
    /// to everybody.
    pub(crate) async fn deploy_token(&self, contract: &str, arguments: &str) -> String {
        let artefacts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts/artefacts");
        let text = std::fs::read_to_string(artefacts.join(format!("{contract}.json"))).unwrap();
        let artefact: serde_json::Value = serde_json::from_str(&text).unwrap();
        let data = format!("{}{arguments}", artefact["bytecode"].as_str().unwrap());
        let deployer = &self.accounts[DEPLOYER];
        let receipt = self.chain.send(deployer, None, &data).await;
        let token = receipt["contractAddress"].as_str().unwrap().to_owned();
        for account in &self.accounts[..NAMES.len() + 1] {
            let mint = format!("0x40c10f19{}{}", word(account), amount_word(PLENTY));
            self.chain.send(deployer, Some(&token), &mint).await;
        }
        token
    }

    /// Starts the node of the account with this index, told of these peers.
    pub(crate) async fn node(&self, index: usize, peers: &[&Node]) -> Node {
        self.witnessed_node(index, peers, &[]).await
    }

    /// The same, with these further endpoints of the chain.
    pub(crate) async fn witnessed_node(
        &self,
        index: usize,
        peers: &[&Node],
        witnesses: &[&str],
    ) -> Node {
        self.started(index, peers, witnesses, "").await
    }

    /// A node with more in its configuration.
    pub(crate) async fn configured_node(&self, index: usize, peers: &[&Node], more: &str) -> Node {
        self.started(index, peers, &[], more).await
    }

    async fn started(&self, index: usize, peers: &[&Node], witnesses: &[&str], more: &str) -> Node {
        let view = View { witnesses, more, ..View::of(&self.chain.url) };
        self.node_seeing(index, peers, view).await
    }

    /// A node with this view of the chain.
    pub(crate) async fn node_seeing(&self, index: usize, peers: &[&Node], view: View<'_>) -> Node {
        let name = NAMES[index];
        Node::start(Settings {
            name,
            account: &self.accounts[index],
            mnemonic_file: &self.mnemonic_file,
            mnemonic_index: index,
            network_file: &self.network_file,
            chain_url: view.endpoint,
            witnesses: view.witnesses.to_vec(),
            confirmations: view.confirmations,
            peers: peers.iter().map(|peer| peer.peer()).collect(),
            folder: self.folder.path().join(name),
            more: view.more,
        })
        .await
    }

    /// As many nodes in a row, each told of the one before.
    pub(crate) async fn row<const N: usize>(&self) -> [Node; N] {
        let mut nodes: Vec<Node> = Vec::new();
        for index in 0..N {
            let peers: Vec<&Node> = nodes.last().into_iter().collect();
            nodes.push(self.node(index, &peers).await);
        }
        nodes.try_into().unwrap()
    }

    /// What a node's account holds on the chain.
    pub(crate) async fn tokens_of(&self, node: &Api) -> u128 {
        self.chain.tokens_of(&self.token, &node.account).await
    }

    /// Waits until all of them have handled the newest block.
    pub(crate) async fn at_head(&self, nodes: &[&Api]) {
        let (head, time) = self.chain.head().await;
        for node in nodes {
            eventually("a node reaches the head of the chain", async || {
                let status = node.get("/node").await;
                let there = status["block"].as_u64()? >= head && status["now"].as_u64()? >= time;
                there.then_some(())
            })
            .await;
        }
    }

    /// Moves time on, and everybody has seen it.
    pub(crate) async fn advance(&self, seconds: u64, nodes: &[&Api]) {
        self.chain.advance(seconds).await;
        self.at_head(nodes).await;
    }

    /// Moves time on until a channel is settled, by itself, in the eyes of all of these.
    pub(crate) async fn is_settled(&self, channel: &str, nodes: &[&Api]) {
        eventually("the channel is settled", async || {
            let mut there = false;
            for node in nodes {
                there |= node.channel(channel).await.is_some();
            }
            if there {
                self.advance(5, nodes).await;
            }
            (!there).then_some(())
        })
        .await;
    }

    /// Adds to a deposit from an account that is no participant, by the contract alone.
    pub(crate) async fn third_party_deposit(
        &self,
        (participant, partner): (&Api, &Api),
        epoch: u64,
        amount: u128,
    ) {
        let giver = &self.accounts[NAMES.len()];
        let approve = format!("0x095ea7b3{}{}", word(&self.contract), amount_word(amount));
        self.chain.send(giver, Some(&self.token), &approve).await;
        let deposit = format!(
            "0x4de5aa29{}{}{}{}{}",
            word(&self.token),
            word(&participant.account),
            word(&partner.account),
            amount_word(epoch.into()),
            amount_word(amount)
        );
        self.chain.send(giver, Some(&self.contract), &deposit).await;
    }

    /// Waits until the contract holds what the payee of a direction can claim of a closed channel:
    /// only then may time go on.
    pub(crate) async fn is_claimed(&self, channel: &str, payer: &str, transferred: u128) {
        eventually("the payee's proof is in the contract", async || {
            let payer = format!("0x{}", word(payer));
            let filter = json!([{
                "fromBlock": "earliest", "address": self.contract,
                "topics": [BALANCE_UPDATED, channel, payer],
            }]);
            let logs = self.chain.rpc("eth_getLogs", filter).await;
            let last = logs.as_array().unwrap().last()?;
            // Epoch, nonce, transferred, locksroot.
            let data = last["data"].as_str().unwrap().trim_start_matches("0x");
            (data[128..192] == amount_word(transferred)).then_some(())
        })
        .await;
    }

    /// Everything in the contract, of the town's token.
    pub(crate) async fn in_contract(&self) -> u128 {
        self.chain.tokens_of(&self.token, &self.contract).await
    }
}

/// With `photon contracts deploy`.
fn deploy(chain: &Chain, mnemonic_file: &Path, network_file: &Path, more: &[&str]) {
    let index = DEPLOYER.to_string();
    let out = Command::new(env!("CARGO_BIN_EXE_photon"))
        .args(["contracts", "deploy", "--chain", &chain.url, "--mnemonic-index", &index])
        .arg("--mnemonic-file")
        .arg(mnemonic_file)
        .arg("--network")
        .arg(network_file)
        .args(["--least-settle-timeout", "5", "--greatest-settle-timeout", "100000"])
        .args(["--challenge", "2"])
        .args(more)
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "photon contracts deploy: {shown}");
}

fn write_secret(path: &Path, text: &str) {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let options = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).clone();
    options.open(path).unwrap().write_all(text.as_bytes()).unwrap();
}
