//! The chain's side of the pump: what it says comes in, what we want goes out.

mod blocks;
mod journal;
mod reliance;

use crate::handle::Spent;
use crate::shared::Shared;
use blocks::Blocks;
use journal::Journal;
use photon_chain::{
    AccountInterest, ChainInput, Cursor, Done, FollowerConfig, Intent as ChainIntent, Interest,
    Report, Sender, SenderConfig, Verdict, Wallet, WalletConfig, WitnessConfig, follow, watch,
};
use photon_core::{Input, Intent, IntentId};
use photon_wire::{BlockNumber, ChannelId};
use reliance::Reliance;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use tracing::{debug, error, info, warn};

/// Where the machine stands: what it has handled, and whose events it needs.
pub(crate) struct Standing {
    /// The last block that was handled.
    pub(crate) handled: Option<BlockNumber>,
    /// Our channels.
    pub(crate) channels: BTreeSet<ChannelId>,
}

/// Follows the contract from where the machine stands, and asks the witnesses; ends when the pump
/// has.
pub(crate) fn start_follower(shared: &Arc<Shared>, standing: Standing, pump: mpsc::Sender<Input>) {
    let chain = &shared.config.chain;
    let depth = chain.confirmations.0;
    let config = FollowerConfig {
        depth,
        head_age: (chain.head_age_seconds > 0).then(|| Duration::from_secs(chain.head_age_seconds)),
        poll: Duration::from_millis(chain.poll_milliseconds),
        ..FollowerConfig::default()
    };
    let mut blocks = Blocks::open(&shared.config.data_dir);
    let from = match standing.handled {
        Some(block) => Cursor { hashes: blocks.up_to(block), ..Cursor::after_block(block) },
        None => Cursor::start(&shared.network),
    };
    // A route is found in the node itself: it needs to know who has a channel with whom.
    let interest = Interest::Account(AccountInterest {
        account: shared.keys.account(),
        channels: standing.channels,
        strangers: true,
    });
    let mut inputs = follow(shared.endpoint.clone(), &shared.network, interest, config, from);
    let witness_config =
        WitnessConfig { poll: config.poll, depth: depth.blocks(), lag_blocks: chain.witness_lag };
    let mut verdicts = watch(shared.endpoint.clone(), shared.witnesses.clone(), witness_config);
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        let mut reliance = Reliance::default();
        loop {
            let input = tokio::select! {
                input = inputs.recv() => match input {
                    Some(input) => {
                        blocks.note(&input);
                        translate(&shared, &mut reliance, input)
                    }
                    None => return,
                },
                // Without witnesses there are no verdicts.
                Some(verdict) = verdicts.recv() => {
                    if matches!(verdict, Verdict::Behind { .. }) {
                        shared.endpoint.pass_over();
                    }
                    let says = reliance.on_verdict(shared.endpoint.shown(), verdict);
                    says.then(|| reliable(&shared, &reliance))
                }
            };
            let Some(input) = input else { continue };
            if pump.send(input).await.is_err() {
                return;
            }
        }
    });
}

/// Tells the owner, by the status, and the core whether the chain can be relied on.
fn reliable(shared: &Shared, reliance: &Reliance) -> Input {
    let trouble = reliance.trouble();
    let reachable = trouble.is_none();
    shared.set_chain_trouble(trouble);
    Input::ChainReachable(reachable)
}

fn translate(shared: &Shared, reliance: &mut Reliance, input: ChainInput) -> Option<Input> {
    match input {
        ChainInput::Event(position, event) => Some(Input::Contract(position, event)),
        ChainInput::Block { number, time, head_time, .. } => {
            Some(Input::Block { number, time, head_time })
        }
        ChainInput::Trouble(reason) => {
            warn!(reason, "the chain does not answer; locked payments wait until it does");
            reliance.on_trouble(Some(reason));
            Some(reliable(shared, reliance))
        }
        ChainInput::Recovered => {
            info!("the chain answers again");
            reliance.on_trouble(None);
            Some(reliable(shared, reliance))
        }
        ChainInput::Seen(position, event) => Some(Input::Seen(position, event)),
        ChainInput::Unseen { from } => {
            info!(%from, "blocks that did not count yet were replaced by others");
            Some(Input::Unseen { from })
        }
        ChainInput::Reorganised { kept, time } => {
            error!(
                %kept,
                "the chain was reorganised deeper than the confirmations that this node demands; \
                 the channels that it concerns sign nothing more"
            );
            Some(Input::Reorganised { kept, time })
        }
    }
}

/// Gets intents mined and tells the pump what became of them.
pub(crate) fn start_sender(
    shared: &Arc<Shared>,
    data_dir: &Path,
    unfinished: &[Intent],
    mut intents: mpsc::UnboundedReceiver<Intent>,
    pump: mpsc::Sender<Input>,
) -> std::io::Result<()> {
    let poll = Duration::from_millis(shared.config.chain.poll_milliseconds);
    let config = WalletConfig {
        poll,
        raise_after: if poll < Duration::from_secs(1) {
            WalletConfig::quick().raise_after
        } else {
            WalletConfig::default().raise_after
        },
        confirmations: shared.config.chain.confirmations.0.blocks(),
        ..WalletConfig::default()
    };
    let account = shared.keys.chain_account().clone();
    let wallet = Wallet::new(shared.endpoint.clone(), account, config);
    // It is started once.
    let _ = shared.wallet.set(wallet.clone());
    let ids = unfinished.iter().map(|intent| intent.id.0).collect();
    let journal = Journal::open(&data_dir.join("transactions"), &ids)?;
    let earlier = journal.sent();
    let journal = Mutex::new(journal);
    // Before each sending: a process that ends right after it must still know of it.
    let write_down =
        move |id, sent| journal.lock().unwrap_or_else(PoisonError::into_inner).add(id, sent);
    let (sender, mut reports) = Sender::start_with_journal(
        wallet,
        shared.network.contract,
        SenderConfig::default(),
        write_down,
    );
    let verified = shared.chain_verified.clone();
    let stop = shared.stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            () = verified.cancelled() => {}
            () = stop.cancelled() => return,
        }
        while let Some(intent) = intents.recv().await {
            let id = intent.id.0;
            let earlier = earlier.get(&id).cloned().unwrap_or_default();
            let Intent { call, deadline, .. } = intent;
            if sender.submit(ChainIntent { id, call, deadline, earlier }).await.is_err() {
                return;
            }
        }
    });
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        while let Some(report) = reports.recv().await {
            let Some(input) = on_report(&shared, report) else { continue };
            if pump.send(input).await.is_err() {
                return;
            }
        }
    });
    Ok(())
}

fn on_report(shared: &Shared, report: Report) -> Option<Input> {
    match report {
        Report::Approving { id, sent } => {
            info!(intent = id, hash = %sent.hash, "approving the token");
            None
        }
        Report::Sent { id, sent } => {
            info!(intent = id, hash = %sent.hash, "transaction sent");
            None
        }
        Report::Outcome(outcome) => {
            let id = IntentId(outcome.id);
            let outcome = match outcome.result {
                Ok(Done::Mined(mined)) => {
                    let (hash, block) = (mined.hash, mined.block);
                    info!(intent = id.0, %hash, %block, "transaction mined");
                    let spent = Spent { gas: mined.gas_used, fee: mined.fee };
                    shared.transactions.done(id, Some(mined.hash), Some(spent));
                    Ok(())
                }
                Ok(Done::ByOthers(revert)) => {
                    debug!(intent = id.0, %revert, "done already, by somebody else");
                    shared.transactions.done(id, None, None);
                    Ok(())
                }
                Err(error) => {
                    warn!(intent = id.0, %error, "transaction failed");
                    shared.transactions.failed(id, error.to_string());
                    Err(error.to_string())
                }
            };
            Some(Input::Submitted { id, outcome })
        }
    }
}
