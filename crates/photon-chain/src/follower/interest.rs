//! Which of the contract's logs are loaded.

use crate::bindings::{PhotonNetwork as Said, events};
use crate::error::ChainError;
use alloy::primitives::B256;
use alloy::rpc::types::Log;
use alloy::sol_types::SolEvent;
use photon_wire::contract::Event;
use photon_wire::{Address, ChannelId};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Above so many channels their events are not asked for by name: chains limit a question's length.
const MOST_NAMED: usize = 1_000;

/// What is told of the contract.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Interest {
    /// All that it says, of everybody.
    Everything,
    /// What concerns one account.
    Account(AccountInterest),
}

/// What concerns an account: its channels in full, and each registration of secrets, since nobody
/// can tell beforehand in which one a secret of its locks will be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountInterest {
    /// Whose channels they are.
    pub account: Address,
    /// Those that are known already; further ones are learned from their openings.
    pub channels: BTreeSet<ChannelId>,
    /// Whether to tell of strangers' channels what a route graph is made of: that they were
    /// opened, deposited into, withdrawn from, closed and settled.
    pub strangers: bool,
}

/// Where an event is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Telling {
    /// Before it is deep enough.
    AtHead,
    /// At the depth.
    AtDepth,
}

impl Interest {
    /// The topics to ask for first: what they lead to is [`learned`](Self::learn) before the rest
    /// is asked for.
    pub(super) fn first_topics(&self, telling: Telling) -> Vec<Value> {
        let Self::Account(interest) = self else { return vec![json!([])] };
        match telling {
            // Without a channel there is no lock whose secret could matter.
            Telling::AtHead if interest.channels.is_empty() => Vec::new(),
            Telling::AtHead => vec![json!([[Said::SecretsRegistered::SIGNATURE_HASH]])],
            Telling::AtDepth if interest.strangers => vec![json!([[
                Said::ChannelOpened::SIGNATURE_HASH,
                Said::Deposited::SIGNATURE_HASH,
                Said::Withdrawn::SIGNATURE_HASH,
                Said::ChannelClosed::SIGNATURE_HASH,
                Said::ChannelSettled::SIGNATURE_HASH,
                Said::SecretsRegistered::SIGNATURE_HASH,
                Said::Credited::SIGNATURE_HASH,
                Said::CreditClaimed::SIGNATURE_HASH,
            ]])],
            Telling::AtDepth => {
                let account = interest.account.into_word();
                vec![
                    // The owner of a credit stands where an opening has its lower participant.
                    json!([
                        [
                            Said::ChannelOpened::SIGNATURE_HASH,
                            Said::Credited::SIGNATURE_HASH,
                            Said::CreditClaimed::SIGNATURE_HASH,
                        ],
                        null,
                        account
                    ]),
                    json!([[Said::ChannelOpened::SIGNATURE_HASH], null, null, account]),
                    json!([[Said::SecretsRegistered::SIGNATURE_HASH]]),
                ]
            }
        }
    }

    /// The topics to ask for when the openings of the same blocks are known.
    pub(super) fn second_topics(&self, telling: Telling) -> Vec<Value> {
        let Self::Account(interest) = self else { return Vec::new() };
        if interest.channels.is_empty() {
            return Vec::new();
        }
        let mut kinds = vec![
            Said::BalanceUpdated::SIGNATURE_HASH,
            Said::Unlocked::SIGNATURE_HASH,
            Said::Punished::SIGNATURE_HASH,
        ];
        if telling == Telling::AtHead || !interest.strangers {
            kinds.extend([
                Said::Deposited::SIGNATURE_HASH,
                Said::Withdrawn::SIGNATURE_HASH,
                Said::ChannelClosed::SIGNATURE_HASH,
                Said::ChannelSettled::SIGNATURE_HASH,
            ]);
        }
        if interest.channels.len() > MOST_NAMED {
            return vec![json!([kinds])];
        }
        let channels: Vec<B256> = interest.channels.iter().map(|channel| channel.0).collect();
        vec![json!([kinds, channels])]
    }

    /// Takes in the account's channels that were opened.
    pub(super) fn learn(&mut self, logs: &[Log]) -> Result<(), ChainError> {
        let Self::Account(interest) = self else { return Ok(()) };
        for log in logs {
            for event in events(log).map_err(|error| super::malformed(&error.to_string()))? {
                if let Event::ChannelOpened { key, .. } = event
                    && key.partner_of(interest.account).is_some()
                {
                    interest.channels.insert(key.id());
                }
            }
        }
        Ok(())
    }

    /// Whether it is told. Chains may answer more than they were asked for.
    pub(super) fn wants(&self, event: &Event, telling: Telling) -> bool {
        let Self::Account(interest) = self else { return true };
        let ours = |channel: &ChannelId| interest.channels.contains(channel);
        let graph = interest.strangers && telling == Telling::AtDepth;
        match event {
            Event::ChannelOpened { key, .. } => {
                telling == Telling::AtDepth && (graph || key.partner_of(interest.account).is_some())
            }
            Event::Deposited { channel, .. }
            | Event::Withdrawn { channel, .. }
            | Event::ChannelClosed { channel, .. }
            | Event::ChannelSettled { channel, .. } => graph || ours(channel),
            Event::BalanceUpdated { channel, .. }
            | Event::Unlocked { channel, .. }
            | Event::Punished { channel, .. } => ours(channel),
            Event::SecretsRegistered { .. } => true,
            Event::Credited { owner, .. } | Event::CreditClaimed { owner, .. } => {
                telling == Telling::AtDepth && *owner == interest.account
            }
        }
    }
}
