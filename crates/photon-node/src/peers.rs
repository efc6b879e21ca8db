//! Who we are to others, and whom we keep a session with.

use crate::clock;
use crate::config::PeerAddress;
use crate::pump::PumpSender;
use crate::shared::Shared;
use photon_core::Command;
use photon_net::Multiaddr;
use photon_wire::limits::{ADDRESS_BYTES, RECORD_ADDRESSES};
use photon_wire::record::NodeRecord;
use photon_wire::{Address, Seconds, Signature};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{debug, warn};

/// How long our record counts.
const RECORD_LENGTH: Seconds = Seconds(24 * 3_600);
/// How often it is made anew, and the transport statement with it.
const RENEWAL: Duration = Duration::from_secs(3_600);
/// How often partners' addresses are looked at again.
const REVIEW: Duration = Duration::from_secs(10);

/// Says who we are, now and every hour, and dials partners; ends when the node stops.
pub(crate) async fn run(shared: Arc<Shared>, pump: PumpSender) {
    let mut renewal = interval(RENEWAL);
    let mut review = interval(REVIEW);
    renewal.set_missed_tick_behavior(MissedTickBehavior::Delay);
    review.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut dialled = HashMap::new();
    loop {
        let going_on = tokio::select! {
            () = shared.stop.cancelled() => return,
            _ = renewal.tick() => renew(&shared, &pump).await,
            _ = review.tick() => look_after_partners(&shared, &pump, &mut dialled).await,
            () = shared.partners_changed.notified() => {
                look_after_partners(&shared, &pump, &mut dialled).await
            }
        };
        if !going_on {
            return;
        }
    }
}

/// Dials the peers of the configuration.
pub(crate) fn dial_configured(shared: &Shared) {
    for text in &shared.config.net.peers {
        match text.parse::<PeerAddress>() {
            Ok(peer) => want(shared, peer.account, peer.address.into_iter().collect()),
            Err(error) => warn!(%error, "a configured peer was left out"),
        }
    }
}

/// Keeps a session with an account.
pub(crate) fn want(shared: &Shared, account: Address, addresses: Vec<Multiaddr>) {
    if account == shared.keys.account() {
        return;
    }
    shared.wanted.lock().unwrap_or_else(PoisonError::into_inner).insert(account);
    shared.net.add_peer(account, addresses);
    shared.partners_changed.notify_one();
}

/// Makes our record and our transport statement; false once the node stops.
async fn renew(shared: &Shared, pump: &PumpSender) -> bool {
    let now = clock::now();
    if let Err(error) = shared.net.set_statement(shared.keys.statement(&shared.domain, now)) {
        warn!(%error, "the transport statement could not be renewed");
    }
    let Ok(fees) = pump.look(|machine| machine.fees(None)).await else { return false };
    let issued = shared.own_record().map_or(now, |record| now.max(record.issued.after(Seconds(1))));
    let record = NodeRecord {
        account: shared.keys.account(),
        encryption_key: shared.keys.opening().public(),
        addresses: own_addresses(shared),
        fees,
        issued,
        valid_until: issued.after(RECORD_LENGTH),
        signature: Signature([0; 65]),
    }
    .sign(shared.keys.signing(), &shared.domain);
    shared.set_own_record(record.clone());
    match pump.command(Command::AddRecords(vec![record])).await {
        Ok(_) => true,
        Err(error) => {
            debug!(%error, "the node record was not taken");
            false
        }
    }
}

/// Says our record anew at once, since our fees have changed.
pub(crate) async fn renew_now(shared: &Shared, pump: &PumpSender) {
    renew(shared, pump).await;
}

/// What we are reached under: the external addresses, or else what we listen on, as far as others
/// can dial it.
pub(crate) fn own_addresses(shared: &Shared) -> Vec<String> {
    let configured = &shared.config.net.external;
    let addresses: Vec<String> = if configured.is_empty() {
        shared.net.listen_addresses().iter().map(ToString::to_string).collect()
    } else {
        configured.clone()
    };
    let usable = addresses.into_iter().filter(|address| {
        let unspecified = address.starts_with("/ip4/0.0.0.0/") || address.starts_with("/ip6/::/");
        !unspecified && address.len() <= ADDRESS_BYTES
    });
    usable.take(RECORD_ADDRESSES).collect()
}

/// Names our friends to the network, and dials partners whose addresses we know; false once the
/// node stops.
async fn look_after_partners(
    shared: &Shared,
    pump: &PumpSender,
    dialled: &mut HashMap<Address, Vec<String>>,
) -> bool {
    let partners = shared.partners.all();
    let wanted = shared.wanted.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let friends: HashSet<Address> = partners.union(&wanted).copied().collect();
    shared.net.set_friends(friends.into_iter().collect());
    dialled.retain(|account, _| partners.contains(account));
    let unknown: Vec<Address> =
        partners.into_iter().filter(|account| !wanted.contains(account)).collect();
    let look = move |machine: &photon_core::Machine| -> Vec<(Address, Vec<String>)> {
        let record = |account: &Address| machine.node_record(*account);
        let known = unknown.iter().filter_map(|account| Some((*account, record(account)?)));
        known.map(|(account, record)| (account, record.addresses.clone())).collect()
    };
    let Ok(known) = pump.look(look).await else { return false };
    for (account, addresses) in known {
        if addresses.is_empty() || dialled.get(&account) == Some(&addresses) {
            continue;
        }
        // A record is its account's own word; what it names is only dialled.
        let parsed: Vec<Multiaddr> =
            addresses.iter().filter_map(|address| address.parse().ok()).collect();
        dialled.insert(account, addresses);
        shared.net.add_peer(account, parsed);
    }
    true
}
