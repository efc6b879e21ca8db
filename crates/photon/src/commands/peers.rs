//! `photon peers`.

use super::address;
use crate::client::{Answer, ApiArgs};
use crate::failure::Failure;
use crate::show;
use clap::{Args, Subcommand};
use photon_node::api::types::{HexAddress, PeerBody, PeerView};
use serde_json::Value;

/// What is to be done with peers.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct PeersArgs {
    #[command(subcommand)]
    command: Option<PeersCommand>,
    #[command(flatten)]
    api: ApiArgs,
}

#[derive(Subcommand, Debug)]
enum PeersCommand {
    /// Keep a session with a peer, until the node is restarted
    Add {
        /// Who and where: 0xaccount@/ip4/…/tcp/…; the account alone where it is found by itself
        peer: String,
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Stop dialling a peer
    Remove {
        /// Who
        #[arg(value_parser = address)]
        account: HexAddress,
        #[command(flatten)]
        api: ApiArgs,
    },
}

/// Does it; without a subcommand, lists them.
pub(crate) async fn run(arguments: PeersArgs) -> anyhow::Result<()> {
    match arguments.command {
        None => list(&arguments.api).await,
        Some(PeersCommand::Add { peer, api }) => {
            let (account, at) = match peer.split_once('@') {
                Some((account, at)) => (account, vec![at.to_owned()]),
                None => (peer.as_str(), Vec::new()),
            };
            let account = address(account).map_err(Failure::usage)?;
            let body = PeerBody { account, addresses: at };
            let client = api.client()?;
            let answer: Answer<Value> = client.post("/peers", &body).await?;
            if api.json {
                show::line(answer.text)
            } else {
                show::line(format_args!("{account} is wanted"))
            }
        }
        Some(PeersCommand::Remove { account, api }) => {
            api.client()?.delete(&format!("/peers/{account}")).await?;
            if api.json {
                Ok(())
            } else {
                show::line(format_args!("{account} is not wanted any more"))
            }
        }
    }
}

async fn list(api: &ApiArgs) -> anyhow::Result<()> {
    let answer: Answer<Vec<PeerView>> = api.client()?.get("/peers").await?;
    if api.json {
        return show::line(answer.text);
    }
    if answer.value.is_empty() {
        return show::line("no peers; `photon peers add` adds one");
    }
    let rows = answer.value.iter().map(|peer| {
        let kind = match (peer.partner, peer.explicit) {
            (true, true) => "partner, wanted",
            (true, false) => "partner",
            (false, true) => "wanted",
            (false, false) => "stranger",
        };
        let address = match (&peer.address, &peer.last_failure) {
            (Some(address), _) => address.clone(),
            (None, Some(failure)) => failure.clone(),
            (None, None) => String::new(),
        };
        [
            peer.account.to_string(),
            show::yes(peer.online).to_owned(),
            kind.to_owned(),
            peer.since.map(show::instant).unwrap_or_default(),
            address,
        ]
    });
    show::table(["peer", "online", "kind", "since (UTC)", "address, or last failure"], &[], rows)
}
