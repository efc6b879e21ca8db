//! A node in a process of its own.

use super::{Api, Process, eventually, free_port};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A node that runs until this is dropped; asked as its [`Api`].
#[derive(Debug)]
pub(crate) struct Node {
    process: Process,
    api: Api,
    peer: String,
    folder: PathBuf,
}

impl std::ops::Deref for Node {
    type Target = Api;

    fn deref(&self) -> &Api {
        &self.api
    }
}

/// What a node is started with.
pub(crate) struct Settings<'a> {
    pub(crate) name: &'a str,
    pub(crate) account: &'a str,
    pub(crate) mnemonic_file: &'a Path,
    pub(crate) mnemonic_index: usize,
    pub(crate) network_file: &'a Path,
    pub(crate) chain_url: &'a str,
    pub(crate) witnesses: Vec<&'a str>,
    pub(crate) confirmations: u64,
    pub(crate) peers: Vec<&'a str>,
    pub(crate) folder: PathBuf,
    /// More of the configuration.
    pub(crate) more: &'a str,
}

impl Node {
    pub(crate) async fn start(settings: Settings<'_>) -> Self {
        let (api_port, net_port) = (free_port(), free_port());
        std::fs::create_dir_all(&settings.folder).unwrap();
        let config = config(&settings, api_port, net_port);
        std::fs::write(settings.folder.join("config.toml"), config).unwrap();
        let client = reqwest::Client::builder().timeout(Duration::from_secs(90)).build().unwrap();
        let api = Api {
            client,
            url: format!("http://127.0.0.1:{api_port}"),
            token: String::new(),
            account: settings.account.to_owned(),
        };
        let peer = format!("{}@/ip4/127.0.0.1/tcp/{net_port}", settings.account);
        let folder = settings.folder;
        let process = spawn(settings.name, &folder);
        let mut node = Self { process, api, peer, folder };
        node.is_started().await;
        let token = std::fs::read_to_string(node.folder.join("api.token")).unwrap();
        token.trim().clone_into(&mut node.api.token);
        let status = node.get("/node").await;
        let account = status["account"].as_str().unwrap();
        assert!(account.eq_ignore_ascii_case(settings.account), "{status}");
        account.clone_into(&mut node.api.account);
        node
    }

    /// Where it keeps what it must not forget.
    pub(crate) fn data_dir(&self) -> &Path {
        &self.folder
    }

    /// The relay that it was told of.
    pub(crate) fn relayer_url(&self) -> String {
        let config = std::fs::read_to_string(self.folder.join("config.toml")).unwrap();
        let url = config.lines().find_map(|line| line.strip_prefix("url = ")).unwrap();
        url.trim_matches('"').to_owned()
    }

    /// What other nodes are told of this one.
    pub(crate) fn peer(&self) -> &str {
        &self.peer
    }

    async fn is_started(&mut self) {
        let health = format!("{}/health", self.api.url);
        eventually("a node starts", async || {
            assert!(!self.process.has_ended(), "a node ended:\n{}", self.process.tail());
            let answer = self.api.client.get(&health).send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
    }

    /// Kill -9, at once.
    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts again what was killed.
    pub(crate) async fn restart(&mut self) {
        self.process.start_again();
        self.is_started().await;
    }

    /// Holds it where it is: its sessions stay, and it does nothing.
    pub(crate) fn freeze(&self) {
        self.process.freeze();
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) {
        self.process.thaw();
    }
}

fn spawn(name: &str, folder: &Path) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_photon"));
    command.arg("node").env("PHOTON_DATA_DIR", folder);
    Process::spawn(name, command, folder.with_extension("log"))
}

fn config(settings: &Settings<'_>, api_port: u16, net_port: u16) -> String {
    let Settings { mnemonic_file, mnemonic_index, network_file, chain_url, peers, .. } = settings;
    let (witnesses, confirmations) = (&settings.witnesses, settings.confirmations);
    format!(
        "network = {network_file:?}\n\
         [chain]\nendpoint = \"{chain_url}\"\npoll_milliseconds = 50\n\
         witnesses = {witnesses:?}\nconfirmations = {confirmations}\n\
         [account]\nmnemonic_file = {mnemonic_file:?}\nmnemonic_index = {mnemonic_index}\n\
         [net]\nlisten = [\"/ip4/127.0.0.1/tcp/{net_port}\"]\npeers = {peers:?}\n\
         [api]\nlisten = \"127.0.0.1:{api_port}\"\n\
         [timing]\npreset = \"development\"\n{}",
        settings.more
    )
}
