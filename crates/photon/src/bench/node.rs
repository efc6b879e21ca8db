//! A node in a process of its own, and its API.

use crate::client::ADDRESS_FILE;
use anyhow::{Context as _, bail};
use photon_node::api::types::{HexAddress, NodeStatus};
use photon_wire::Address;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a node may take to answer for the first time.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked whether it does.
const LOOK: Duration = Duration::from_millis(2);
/// Lines of its log that are shown where it ends by itself.
const TAIL: usize = 20;

/// A process that is killed when this is dropped.
#[derive(Debug)]
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A running node.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: &'static str,
    pub(super) account: Address,
    pub(super) address: SocketAddr,
    pub(super) api_token: String,
    /// From the start of the process to the first answer of its API.
    pub(super) started_in: Duration,
    process: Process,
    folder: PathBuf,
    client: reqwest::Client,
}

/// What a node is started with.
pub(super) struct Settings<'a> {
    pub(super) name: &'static str,
    pub(super) account: Address,
    pub(super) mnemonic_file: &'a Path,
    pub(super) mnemonic_index: usize,
    pub(super) network_file: &'a Path,
    pub(super) chain_url: &'a str,
    pub(super) peers: Vec<String>,
    pub(super) folder: PathBuf,
}

impl Node {
    /// Starts it, and waits until it answers.
    pub(super) async fn start(settings: Settings<'_>) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&settings.folder)?;
        std::fs::write(settings.folder.join("config.toml"), config(&settings))?;
        let client = reqwest::Client::builder().timeout(Duration::from_secs(90)).build()?;
        let (process, address, started_in) =
            spawn(settings.name, &settings.folder, &client).await?;
        let api_token = std::fs::read_to_string(settings.folder.join("api.token"))?;
        let node = Self {
            name: settings.name,
            account: settings.account,
            address,
            api_token: api_token.trim().to_owned(),
            started_in,
            process,
            folder: settings.folder,
            client,
        };
        let status: NodeStatus = node.get("/node").await?;
        if status.account != HexAddress(node.account) {
            bail!("{} runs as {}, expected {}", node.name, status.account, node.account);
        }
        Ok(node)
    }

    /// Kills it without warning and starts it again; answers how long it took until it answered.
    pub(super) async fn restart(&mut self) -> anyhow::Result<Duration> {
        self.process.0.kill()?;
        self.process.0.wait()?;
        // The killed one could not remove it.
        std::fs::remove_file(self.folder.join(ADDRESS_FILE))?;
        let (process, address, length) = spawn(self.name, &self.folder, &self.client).await?;
        (self.process, self.address) = (process, address);
        Ok(length)
    }

    /// The number of its process.
    pub(super) fn process(&self) -> u32 {
        self.process.0.id()
    }

    /// Asks for something.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let request = self.client.get(format!("http://{}/api/v1{path}", self.address));
        self.read(request).await
    }

    /// Has something done.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> anyhow::Result<T> {
        let request = self.client.post(format!("http://{}/api/v1{path}", self.address));
        self.read(request.json(body)).await
    }

    async fn read<T: DeserializeOwned>(
        &self,
        request: reqwest::RequestBuilder,
    ) -> anyhow::Result<T> {
        let response = request.bearer_auth(&self.api_token).send().await?;
        let status = response.status();
        let bytes = response.bytes().await?;
        if !status.is_success() {
            bail!("{} answers {status}: {}", self.name, String::from_utf8_lossy(&bytes));
        }
        serde_json::from_slice(&bytes).with_context(|| format!("an answer of {}", self.name))
    }
}

/// Starts the process and waits for its first answer.
async fn spawn(
    name: &str,
    folder: &Path,
    client: &reqwest::Client,
) -> anyhow::Result<(Process, SocketAddr, Duration)> {
    let log_file = folder.join("log");
    let log = File::options().create(true).append(true).open(&log_file)?;
    let mut command = Command::new(std::env::current_exe()?);
    let ours = std::env::vars_os().map(|(variable, _)| variable);
    ours.filter(|variable| variable.to_string_lossy().starts_with("PHOTON_")).for_each(
        |variable| {
            command.env_remove(variable);
        },
    );
    command.args(["node", "--log", "warn", "--data-dir"]).arg(folder);
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    let begin = Instant::now();
    let mut process = Process(command.spawn()?);
    loop {
        if let Some(address) = answers(folder, client).await {
            return Ok((process, address, begin.elapsed()));
        }
        if let Some(status) = process.0.try_wait()? {
            bail!("{name}'s node ended ({status}):\n{}", tail(&log_file));
        }
        if begin.elapsed() > PATIENCE {
            bail!("{name}'s node does not answer:\n{}", tail(&log_file));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Where its API is, once it answers.
async fn answers(folder: &Path, client: &reqwest::Client) -> Option<SocketAddr> {
    let address = std::fs::read_to_string(folder.join(ADDRESS_FILE)).ok()?.trim().parse().ok()?;
    let health = client.get(format!("http://{address}/health")).send().await.ok()?;
    health.status().is_success().then_some(address)
}

fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(TAIL)..).unwrap_or_default().join("\n")
}

fn config(settings: &Settings<'_>) -> String {
    let Settings { mnemonic_file, mnemonic_index, network_file, chain_url, peers, .. } = settings;
    format!(
        "network = {network_file:?}\n\
         [chain]\nendpoint = \"{chain_url}\"\nconfirmations = 0\npoll_milliseconds = 500\n\
         [account]\nmnemonic_file = {mnemonic_file:?}\nmnemonic_index = {mnemonic_index}\n\
         [net]\nlisten = [\"/ip4/127.0.0.1/tcp/0\"]\npeers = {peers:?}\n\
         [api]\nlisten = \"127.0.0.1:0\"\n"
    )
}
