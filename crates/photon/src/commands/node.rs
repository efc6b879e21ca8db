//! `photon node`.

use crate::client::ADDRESS_FILE;
use crate::log;
use crate::show;
use crate::signals::interrupted;
use anyhow::{Context as _, bail};
use clap::Args;
use photon_node::api::ApiServer;
use photon_node::config::{Config, Options};
use photon_node::{Node, NodeHandle};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Settings on the command line. They override the environment, which overrides the file.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct SettingArgs {
    /// The configuration file; without it, config.toml in the data directory, if it is there
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where everything is kept that must not be forgotten
    #[arg(long, value_name = "DIRECTORY")]
    data_dir: Option<String>,
    /// The network file that `photon contracts deploy` wrote
    #[arg(long, value_name = "FILE")]
    network: Option<String>,
    /// The chain's JSON-RPC: http, https, ws or wss
    #[arg(long, value_name = "URL")]
    chain: Option<String>,
    /// Another JSON-RPC endpoint of the same chain, to notice when they disagree; may be repeated
    #[arg(long, value_name = "URL")]
    witness: Vec<String>,
    /// Blocks on top of an event before it counts
    #[arg(long, value_name = "BLOCKS")]
    confirmations: Option<u64>,
    /// The account's key file
    #[arg(long, value_name = "FILE")]
    keystore: Option<String>,
    /// The file with its password
    #[arg(long, value_name = "FILE")]
    password_file: Option<String>,
    /// A file with a BIP-39 mnemonic instead
    #[arg(long, value_name = "FILE")]
    mnemonic_file: Option<String>,
    /// Which account of the mnemonic, from 0
    #[arg(long, value_name = "NUMBER")]
    mnemonic_index: Option<u32>,
    /// Where peers reach this node, such as /ip4/0.0.0.0/tcp/9735; may be repeated
    #[arg(long, value_name = "MULTIADDRESS")]
    listen: Vec<String>,
    /// A peer to keep a session with: 0xaccount@/ip4/…/tcp/…; may be repeated
    #[arg(long, value_name = "PEER")]
    peer: Vec<String>,
    /// Where the HTTP API listens
    #[arg(long, value_name = "ADDRESS:PORT")]
    api_listen: Option<String>,
    /// The lengths of deadlines: standard, or development for chains with quick blocks
    #[arg(long, value_name = "PRESET")]
    timing: Option<String>,
    /// The URL of the relay that pays gas for us
    #[arg(long, value_name = "URL")]
    relayer: Option<String>,
    /// Be a relay for others on this address: our account pays for their gas, up to the limits
    #[arg(long, value_name = "ADDRESS:PORT")]
    relay_listen: Option<String>,
    /// Any other setting, as `photon config` names it; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl SettingArgs {
    /// As the node takes them.
    pub(crate) fn options(&self) -> anyhow::Result<Options> {
        let list = |values: &[String]| (!values.is_empty()).then(|| values.join(","));
        let mut options = Options { config_file: self.config.clone(), values: Vec::new() }
            .set("data_dir", self.data_dir.as_ref())
            .set("network", self.network.as_ref())
            .set("chain.endpoint", self.chain.as_ref())
            .set("chain.witnesses", list(&self.witness))
            .set("chain.confirmations", self.confirmations)
            .set("account.keystore", self.keystore.as_ref())
            .set("account.password_file", self.password_file.as_ref())
            .set("account.mnemonic_file", self.mnemonic_file.as_ref())
            .set("account.mnemonic_index", self.mnemonic_index)
            .set("net.listen", list(&self.listen))
            .set("net.peers", list(&self.peer))
            .set("api.listen", self.api_listen.as_ref())
            .set("timing.preset", self.timing.as_ref())
            .set("relayer.url", self.relayer.as_ref())
            .set("relay.listen", self.relay_listen.as_ref());
        for setting in &self.set {
            let Some((key, value)) = setting.split_once('=') else {
                return Err(crate::failure::Failure::usage(format!(
                    "`{setting}` is no setting; expected KEY=VALUE"
                )));
            };
            options = options.set(key.trim(), Some(value.trim()));
        }
        Ok(options)
    }
}

/// How a node is to run.
#[derive(Args, Debug)]
pub(crate) struct NodeArgs {
    #[command(flatten)]
    settings: SettingArgs,
    /// What is logged to the standard error: error, warn, info, debug, trace, or a filter
    #[arg(long, value_name = "FILTER", env = log::VARIABLE, default_value = log::USUAL)]
    log: String,
    /// Log as JSON, one object a line
    #[arg(long)]
    log_json: bool,
}

/// Runs a node until it is interrupted, or cannot go on.
pub(crate) async fn run(arguments: NodeArgs) -> anyhow::Result<()> {
    log::start(&arguments.log, arguments.log_json)?;
    let loaded = Config::load(&arguments.settings.options()?)?;
    let config = loaded.config;
    let data_dir = config.data_dir.clone();
    let token_file = config.api.token_file.clone();
    let node = tokio::select! {
        node = Node::start(config) => node?,
        () = interrupted() => return Ok(()),
    };
    let api = node.api().map(ApiServer::address);
    let address_file = data_dir.join(ADDRESS_FILE);
    announce(&node.handle(), api, &token_file).await?;
    if let Some(relay) = node.relay() {
        show::facts(&[("relay", format!("http://{}", relay.address()))])?;
    }
    if let Some(api) = api {
        std::fs::write(&address_file, format!("{api}\n"))
            .with_context(|| address_file.display().to_string())?;
    }
    let failure = tokio::select! {
        failure = node.stopped() => failure,
        () = interrupted() => None,
    };
    eprintln!("stopping");
    node.shutdown().await;
    if api.is_some() {
        // Whoever looks for us then asks where the configuration says.
        let _ = std::fs::remove_file(&address_file);
    }
    match failure {
        Some(reason) => bail!("the node had to stop: {reason}"),
        None => Ok(()),
    }
}

async fn announce(
    handle: &NodeHandle,
    api: Option<SocketAddr>,
    token_file: &Path,
) -> anyhow::Result<()> {
    let status = handle.status().await?;
    let mut facts = vec![
        ("account", status.account.to_string()),
        ("chain", format!("{}, contract {}", status.chain_id, status.contract)),
    ];
    if !status.chain_reachable {
        facts.push(("", "the chain does not answer yet".to_owned()));
    }
    let listen = status.listen.iter();
    facts.extend(listen.map(|listen| ("peers", format!("{}@{listen}", status.account))));
    if let Some(api) = api {
        facts.push(("API", format!("http://{api}/api/v1  (to try it: http://{api}/docs)")));
        facts.push(("API token", token_file.display().to_string()));
    }
    show::facts(&facts)
}
