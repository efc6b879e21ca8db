//! `photon devchain`.

use crate::show;
use crate::signals::interrupted;
use clap::Args;
use photon_devchain::{Config, DevChain, Hardfork, Mining};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// How the chain is to be.
#[derive(Args, Debug)]
pub(crate) struct DevchainArgs {
    /// The address to listen on
    #[arg(long, default_value = "127.0.0.1")]
    host: IpAddr,
    /// The port, for HTTP and WebSocket; 0 takes a free one
    #[arg(long, default_value_t = 8545)]
    port: u16,
    /// Make a block each so many seconds; without it, one for each transaction
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    block_time: Option<u64>,
    /// The chain id [default: 1337]
    #[arg(long, value_name = "ID")]
    chain_id: Option<u64>,
    /// The rules of the EVM: petersburg, istanbul, berlin, london, paris, …, osaka [default: osaka]
    #[arg(long, value_name = "NAME")]
    hardfork: Option<Hardfork>,
    /// Like Spectrum: chain id 20180430, petersburg, so legacy transactions only and no base fee
    #[arg(long)]
    spectrum: bool,
    /// Load the chain from this file if it is there, and keep it there
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// How often the file is written while the chain changes: what a kill can cost at most
    #[arg(long, value_name = "SECONDS", default_value_t = 5, requires = "state",
        value_parser = clap::value_parser!(u64).range(1..))]
    state_interval: u64,
    /// How many accounts have coins
    #[arg(long, value_name = "NUMBER", default_value_t = 10)]
    accounts: u32,
    /// Print address and accounts as JSON, in one line
    #[arg(long)]
    json: bool,
}

/// Runs it until it is interrupted.
pub(crate) async fn run(arguments: DevchainArgs) -> anyhow::Result<()> {
    let seconds = arguments.block_time.map(Duration::from_secs);
    let preset = if arguments.spectrum { Config::spectrum() } else { Config::default() };
    let config = Config {
        address: SocketAddr::from((arguments.host, arguments.port)),
        chain_id: arguments.chain_id.unwrap_or(preset.chain_id),
        hardfork: arguments.hardfork.unwrap_or(preset.hardfork),
        mining: seconds.map_or(Mining::Instant, Mining::Interval),
        accounts: arguments.accounts,
        state: arguments.state.clone(),
        save_every: Duration::from_secs(arguments.state_interval),
        ..preset
    };
    let chain = DevChain::start(config.clone()).await?;
    if arguments.json {
        let account = |(address, key)| serde_json::json!({ "address": address, "key": key });
        show::line(serde_json::json!({
            "url": chain.url(),
            "ws_url": chain.ws_url(),
            "chain_id": chain.chain_id(),
            "accounts": chain.accounts().into_iter().map(account).collect::<Vec<_>>(),
        }))?;
    } else {
        announce(&arguments, &config, &chain)?;
    }
    interrupted().await;
    let saved = chain.save();
    chain.shutdown().await;
    Ok(saved?)
}

fn announce(arguments: &DevchainArgs, config: &Config, chain: &DevChain) -> anyhow::Result<()> {
    show::line("Accounts, each with 10,000 coins; the keys are public knowledge:\n")?;
    for (index, (address, key)) in chain.accounts().into_iter().enumerate() {
        show::line(format_args!("({index}) {address}  {key}"))?;
    }
    let blocks = match arguments.block_time {
        None => "one for each transaction".to_owned(),
        Some(1) => "each second".to_owned(),
        Some(seconds) => format!("each {seconds} seconds"),
    };
    show::line("")?;
    show::facts(&[
        ("mnemonic", config.mnemonic.clone()),
        ("chain id", chain.chain_id().to_string()),
        ("rules", config.hardfork.to_string()),
        ("blocks", blocks),
        ("JSON-RPC", format!("{} and {}", chain.url(), chain.ws_url())),
    ])?;
    match &config.state {
        None => show::line("\nCtrl-C ends it; nothing is kept."),
        Some(path) => show::line(format_args!(
            "\nIt is at block {}, and kept in {}: every {} s while it changes, and when Ctrl-C \
             ends it.",
            chain.block_number(),
            path.display(),
            arguments.state_interval
        )),
    }
}
