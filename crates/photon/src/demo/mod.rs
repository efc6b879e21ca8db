//! `photon demo`: a chain, the contract, a token and three nodes, and the life of their channels,
//! told as it happens.

mod ledger;
mod picture;
mod stage;
mod story;
mod teller;

use crate::failure::Failure;
use crate::log;
use crate::show;
use crate::signals::interrupted;
use clap::Args;
use photon_node::api::ApiServer;
use stage::Stage;
use teller::Teller;

/// What can be asked of the demonstration.
#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    /// Leave chain and nodes running afterwards, until Ctrl-C, and say how to reach them
    #[arg(long)]
    stay: bool,
}

/// Runs it; fails where a figure is not what it must be.
pub(crate) async fn run(arguments: &DemoArgs) -> anyhow::Result<()> {
    if let Ok(filter) = std::env::var(log::VARIABLE) {
        log::start(&filter, false)?;
    }
    let mut teller = Teller::new();
    teller.title()?;
    let stage = tokio::select! {
        stage = Stage::build(&mut teller) => stage?,
        () = interrupted() => return stopped(),
    };
    let told = tokio::select! {
        told = story::tell(&stage, &mut teller) => told,
        () = interrupted() => stopped(),
    };
    let told = match told {
        Ok(()) if arguments.stay => stay(&stage).await,
        told => told,
    };
    stage.clear_away().await;
    told
}

fn stopped() -> anyhow::Result<()> {
    eprintln!("\n  Stopped; nothing is left behind.");
    Err(Failure::Interrupted.into())
}

/// Says how to reach everything, and waits until somebody has seen enough.
async fn stay(stage: &Stage) -> anyhow::Result<()> {
    show::line("  Everything is still running.\n")?;
    show::line(format_args!("  chain     {}   (JSON-RPC)", stage.chain.url()))?;
    show::line(format_args!("  contract  {}", stage.network.contract))?;
    show::line(format_args!("  token     {}   ({})", stage.token, stage::SYMBOL))?;
    for person in stage.people() {
        let Some(address) = person.node.api().map(ApiServer::address) else { continue };
        show::line(format_args!("\n  {:<8}  {}", person.name, person.account))?;
        show::line(format_args!("    API     http://{address}/api/v1   (try it: /docs)"))?;
        show::line(format_args!("    token   {}", person.token_file().display()))?;
    }
    let bob = stage.bob.data_dir.display();
    let carol = stage.carol.account;
    show::line(
        "\n  In another terminal, for instance as Bob, who still has a channel with Carol:\n",
    )?;
    show::line(format_args!("    export PHOTON_DATA_DIR={bob}"))?;
    let program = std::env::args().next().unwrap_or_else(|| "photon".to_owned());
    show::line(format_args!("    {program} channel list"))?;
    show::line(format_args!("    {program} pay {carol} 5 --token {}", stage::SYMBOL))?;
    show::line(format_args!("    {program} events --after start"))?;
    show::line("\n  Ctrl-C ends it and removes all of it.")?;
    interrupted().await;
    show::line("\n  Ended.")
}
