//! A chain in a process of its own, asked over JSON-RPC.

use super::{Process, eventually, free_port};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Which program, with the rules of which hard fork.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ChainKind {
    /// `photon devchain`.
    Devchain(&'static str),
    /// anvil, which `cargo xtask setup` installs.
    #[cfg(feature = "anvil")]
    Anvil(&'static str),
}

impl ChainKind {
    pub(crate) const DEVCHAIN: Self = Self::Devchain("osaka");
    pub(crate) const OLD_DEVCHAIN: Self = Self::Devchain("istanbul");
    #[cfg(feature = "anvil")]
    pub(crate) const ANVIL: Self = Self::Anvil("osaka");
    #[cfg(feature = "anvil")]
    pub(crate) const OLD_ANVIL: Self = Self::Anvil("istanbul");

    fn command(self, port: u16, chain_id: u64, folder: &Path) -> Command {
        let (mut command, fork) = match self {
            Self::Devchain(fork) => {
                let mut command = Command::new(env!("CARGO_BIN_EXE_photon"));
                command.arg("devchain").current_dir(folder);
                (command, fork)
            }
            #[cfg(feature = "anvil")]
            Self::Anvil(fork) => {
                let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
                let anvil = target.join("tools/anvil");
                assert!(anvil.exists(), "`cargo xtask setup` installs {}", anvil.display());
                let mut command = Command::new(anvil);
                command.arg("--state").arg(folder.join("chain.state"));
                (command, fork)
            }
        };
        command.args(["--port", &port.to_string(), "--hardfork", fork]);
        command.args(["--chain-id", &chain_id.to_string()]);
        command
    }
}

/// A chain that runs until this is dropped.
#[derive(Debug)]
pub(crate) struct Chain {
    process: Process,
    pub(crate) url: String,
    client: reqwest::Client,
}

impl Chain {
    pub(crate) async fn start(kind: ChainKind, chain_id: u64, folder: &Path) -> Self {
        let port = free_port();
        let log = folder.join("chain.log");
        let command = kind.command(port, chain_id, folder);
        let process = Process::spawn("the chain", command, log);
        let url = format!("http://127.0.0.1:{port}");
        let client = reqwest::Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
        let mut chain = Self { process, url, client };
        chain.answers().await;
        chain
    }

    async fn answers(&mut self) {
        eventually("the chain answers", async || {
            assert!(!self.process.has_ended(), "the chain ended:\n{}", self.process.tail());
            self.ask("eth_chainId", json!([])).await.ok()
        })
        .await;
    }

    /// Ends the process, which keeps its state; only anvil does.
    #[cfg(feature = "anvil")]
    pub(crate) fn stop(&mut self) {
        self.process.terminate();
    }

    /// Starts it again where it was.
    #[cfg(feature = "anvil")]
    pub(crate) async fn start_again(&mut self) {
        self.process.start_again();
        self.answers().await;
    }

    async fn ask(&self, method: &str, params: Value) -> Result<Value, String> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let sent = self.client.post(&self.url).json(&body).send().await;
        let answer: Value =
            sent.map_err(|error| error.to_string())?.json().await.map_err(|e| e.to_string())?;
        match answer.get("error") {
            Some(error) => Err(error.to_string()),
            None => Ok(answer["result"].clone()),
        }
    }

    /// What the chain says.
    pub(crate) async fn rpc(&self, method: &str, params: Value) -> Value {
        self.ask(method, params).await.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// The accounts whose keys the chain knows.
    pub(crate) async fn accounts(&self) -> Vec<String> {
        serde_json::from_value(self.rpc("eth_accounts", json!([])).await).unwrap()
    }

    /// Number and time of the newest block.
    pub(crate) async fn head(&self) -> (u64, u64) {
        let block = self.rpc("eth_getBlockByNumber", json!(["latest", false])).await;
        (number(&block["number"]), number(&block["timestamp"]))
    }

    /// Makes a block so many seconds after the newest one, or now where that is later.
    ///
    /// `evm_increaseTime` alone would count from the clock, which blocks that were made in haste
    /// have left behind.
    pub(crate) async fn advance(&self, seconds: u64) {
        let (_, time) = self.head().await;
        let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let next = (time + seconds).max(clock.unwrap().as_secs());
        self.rpc("evm_setNextBlockTimestamp", json!([next])).await;
        self.rpc("evm_mine", json!([])).await;
    }

    /// A transaction of one of the chain's own accounts; returns the receipt.
    pub(crate) async fn send(&self, from: &str, to: Option<&str>, data: &str) -> Value {
        // With a price, every chain takes it, also an old one.
        let price = self.rpc("eth_gasPrice", json!([])).await;
        let mut transaction =
            json!({ "from": from, "data": data, "gas": "0x500000", "gasPrice": price });
        if let Some(to) = to {
            transaction["to"] = json!(to);
        }
        let hash = self.rpc("eth_sendTransaction", json!([transaction])).await;
        let receipt = eventually("a transaction is mined", async || {
            let receipt = self.rpc("eth_getTransactionReceipt", json!([hash])).await;
            (!receipt.is_null()).then_some(receipt)
        })
        .await;
        assert_eq!(receipt["status"], "0x1", "{receipt}");
        receipt
    }

    /// What an account holds of a token.
    pub(crate) async fn tokens_of(&self, token: &str, account: &str) -> u128 {
        let data = format!("0x70a08231{}", word(account));
        let call = json!([{ "to": token, "data": data }, "latest"]);
        let answer = self.rpc("eth_call", call).await;
        let digits = answer.as_str().unwrap().trim_start_matches("0x");
        u128::from_str_radix(digits.trim_start_matches('0'), 16).unwrap_or_default()
    }

    pub(crate) fn freeze(&self) {
        self.process.freeze();
    }

    pub(crate) fn thaw(&self) {
        self.process.thaw();
    }
}

/// A quantity of JSON-RPC.
pub(crate) fn number(value: &Value) -> u64 {
    let digits = value.as_str().unwrap_or_default().trim_start_matches("0x");
    u64::from_str_radix(digits, 16).unwrap_or_else(|_| panic!("{value} is no quantity"))
}

/// An address as a word of calldata.
pub(crate) fn word(address: &str) -> String {
    format!("{:0>64}", address.trim_start_matches("0x").to_lowercase())
}

/// An amount as a word of calldata.
pub(crate) fn amount_word(amount: u128) -> String {
    format!("{amount:064x}")
}
