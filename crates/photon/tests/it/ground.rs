//! A chain with the contract and a token, and nodes on it, each a process of its own.

use crate::support::{Ended, Running, fact, run, text};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const WORDS: &str = "test test test test test test test test test test test junk";
const PATIENCE: Duration = Duration::from_secs(30);

/// A chain with the contract and a token.
pub(crate) struct Ground {
    pub(crate) folder: TempDir,
    pub(crate) chain: Running,
    pub(crate) url: String,
    pub(crate) key: String,
    pub(crate) network: PathBuf,
}

/// A node that runs, and how it is asked.
pub(crate) struct Person {
    pub(crate) running: Running,
    pub(crate) account: String,
    pub(crate) data_dir: PathBuf,
}

impl Ground {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let chain =
            Running::start(&["devchain", "--port", "0", "--block-time", "1", "--json"], "{");
        let said: Value = serde_json::from_str(chain.said.trim()).unwrap();
        let url = said["url"].as_str().unwrap().to_owned();
        let key = said["accounts"][0]["key"].as_str().unwrap().to_owned();
        let network = folder.path().join("network.toml");
        let ground = Self { folder, chain, url, key, network };
        let file = text(&ground.network).to_owned();
        let deployed = ground.on_chain(&[
            "contracts",
            "deploy",
            "--network",
            &file,
            "--least-settle-timeout",
            "60",
            "--challenge",
            "10",
        ]);
        assert!(fact(&deployed, "contract").is_some(), "{deployed}");
        ground.on_chain(&["token", "deploy", "--network", &file, "--decimals", "0"]);
        fs::write(ground.folder.path().join("words"), WORDS).unwrap();
        owners(&ground.folder.path().join("words"));
        ground
    }

    /// A command that speaks with the chain in the name of the first account.
    pub(crate) fn on_chain(&self, arguments: &[&str]) -> String {
        let whole = ["--chain", &self.url, "--private-key", &self.key];
        run(&[arguments, &whole].concat()).good()
    }

    /// The token's address.
    pub(crate) fn token(&self) -> String {
        let file = fs::read_to_string(&self.network).unwrap();
        let line = file.lines().find_map(|line| line.strip_prefix("TEST = ")).unwrap();
        line.trim_matches('"').to_owned()
    }

    pub(crate) fn mint(&self, account: &str, amount: &str) {
        let network = text(&self.network);
        self.on_chain(&["token", "mint", "TEST", account, amount, "--network", network]);
    }

    pub(crate) fn balance(&self, account: &str) -> String {
        let (network, url) = (text(&self.network), self.url.as_str());
        let asked = ["token", "balance", "TEST", account, "--network", network, "--chain", url];
        run(&asked).good().trim().to_owned()
    }

    pub(crate) fn person(&self, index: usize, peer: Option<&Person>) -> Person {
        let data_dir = self.folder.path().join(index.to_string());
        let words = self.folder.path().join("words");
        let index = index.to_string();
        let mut arguments = vec![
            "node",
            "--data-dir",
            text(&data_dir),
            "--network",
            text(&self.network),
            "--chain",
            &self.url,
            "--mnemonic-file",
            text(&words),
            "--mnemonic-index",
            &index,
            "--listen",
            "/ip4/127.0.0.1/tcp/0",
            "--api-listen",
            "127.0.0.1:0",
            "--timing",
            "development",
        ];
        let at = peer.map(|peer| peer.running.fact("peers"));
        if let Some(at) = &at {
            arguments.extend(["--peer", at]);
        }
        let running = Running::start(&arguments, "API token");
        let account = running.fact("account");
        Person { running, account, data_dir }
    }

    /// Moves the chain's clock.
    pub(crate) fn skip(&self, seconds: u64) {
        self.rpc("evm_increaseTime", &json!([seconds]));
    }

    /// Asks the chain.
    pub(crate) fn rpc(&self, method: &str, params: &Value) -> Value {
        let question = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let client = reqwest::Client::new();
            let answer = client.post(&self.url).json(&question).send().await.unwrap();
            answer.json::<Value>().await.unwrap()["result"].clone()
        })
    }

    /// How many transactions an account has sent.
    pub(crate) fn sent_by(&self, account: &str) -> Value {
        self.rpc("eth_getTransactionCount", &json!([account, "pending"]))
    }
}

impl Person {
    pub(crate) fn ask(&self, arguments: &[&str]) -> String {
        run(&[arguments, &["--data-dir", text(&self.data_dir)]].concat()).good()
    }

    pub(crate) fn refused(&self, arguments: &[&str]) -> String {
        let ended = run(&[arguments, &["--data-dir", text(&self.data_dir)]].concat());
        assert_eq!(ended.code, 1, "{arguments:?}: {ended:?}");
        ended.err
    }

    /// What came of a command, whatever it was.
    pub(crate) fn tried(&self, arguments: &[&str]) -> Ended {
        run(&[arguments, &["--data-dir", text(&self.data_dir)]].concat())
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let text = self.ask(&[arguments, &["--json"]].concat());
        serde_json::from_str(&text).unwrap()
    }

    /// Our balance and the partner's in every channel, by partner.
    pub(crate) fn balances(&self) -> Vec<(String, String, String)> {
        let channels = self.json(&["channel", "list"]);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut all: Vec<_> = channels
            .as_array()
            .unwrap()
            .iter()
            .map(|channel| {
                let balance = |side: &str| text(&channel[side]["balance"]);
                (text(&channel["partner"]), balance("ours"), balance("theirs"))
            })
            .collect();
        all.sort();
        all
    }

    pub(crate) fn await_balance(&self, partner: &Self, ours: &str, theirs: &str) {
        let expected = (partner.account.clone(), ours.to_owned(), theirs.to_owned());
        until(|| self.balances().contains(&expected), || format!("{:?}", self.balances()));
    }
}

pub(crate) fn until(is_so: impl Fn() -> bool, seen: impl Fn() -> String) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{}", seen());
        sleep(Duration::from_millis(100));
    }
}

#[cfg(unix)]
pub(crate) fn owners(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[cfg(not(unix))]
pub(crate) fn owners(_: &Path) {}
