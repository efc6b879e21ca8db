//! Looking at the node and its peers.

use super::{NodeHandle, Peer, RequestError, Status};
use crate::peers;
use photon_core::Command;
use photon_net::{Direction, Multiaddr};
use photon_wire::record::FeeSchedule;
use photon_wire::{Address, ChannelId};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

pub(super) async fn status(handle: &NodeHandle) -> Result<Status, RequestError> {
    let shared = &handle.shared;
    let (block, now, chain_reachable, online, pending_payments) = handle
        .look(|machine| {
            let block = machine.block().map(|block| (block.number, block.time));
            (
                block,
                machine.now(),
                machine.chain_reachable(),
                machine.online(),
                machine.pending_payments(),
            )
        })
        .await?;
    Ok(Status {
        account: shared.keys.account(),
        version: env!("CARGO_PKG_VERSION"),
        chain_id: shared.network.chain_id,
        contract: shared.network.contract,
        wrapped_native: shared.network.wrapped_native,
        block,
        now,
        chain_reachable,
        chain_trouble: shared.chain_trouble().filter(|_| !chain_reachable),
        confirmations: shared.config.chain.confirmations.0.blocks(),
        listen: shared.net.listen_addresses().iter().map(ToString::to_string).collect(),
        online,
        channels: shared.channels.load(Ordering::Relaxed),
        open_channels: shared.open_channels.load(Ordering::Relaxed),
        pending_payments,
        started: shared.started,
        memory: resident_memory(),
        counters: shared.totals.snapshot(),
    })
}

pub(super) async fn peers(handle: &NodeHandle) -> Result<Vec<Peer>, RequestError> {
    let shared = &handle.shared;
    let infos = shared.net.peers();
    let accounts: Vec<Address> = infos.iter().map(|info| info.account).collect();
    let (online, mut records) = handle
        .look(move |machine| {
            let records: BTreeMap<_, _> = accounts
                .into_iter()
                .filter_map(|account| Some((account, machine.node_record(account)?.clone())))
                .collect();
            (machine.online(), records)
        })
        .await?;
    let peer = |info: photon_net::PeerInfo| {
        let presence = info.presence.as_ref();
        Peer {
            account: info.account,
            online: online.contains(&info.account),
            since: presence.map(|presence| presence.since),
            address: presence.map(|presence| presence.address.to_string()),
            outgoing: presence.is_some_and(|presence| presence.direction == Direction::Outgoing),
            explicit: info.explicit,
            partner: shared.partners.contains(&info.account),
            record: records.remove(&info.account),
            last_failure: info.last_failure,
        }
    };
    Ok(infos.into_iter().map(peer).collect())
}

pub(super) fn add_peer(
    handle: &NodeHandle,
    account: Address,
    addresses: &[String],
) -> Result<(), RequestError> {
    let parse = |address: &String| {
        address.parse::<Multiaddr>().map_err(|error| RequestError::BadPeerAddress {
            address: address.clone(),
            reason: error.to_string(),
        })
    };
    if account == handle.shared.keys.account() {
        return Err(RequestError::BadPeerAddress {
            address: account.to_string(),
            reason: "it is this node's own account".to_owned(),
        });
    }
    let addresses = addresses.iter().map(parse).collect::<Result<_, _>>()?;
    peers::want(&handle.shared, account, addresses);
    Ok(())
}

pub(super) async fn set_fees(
    handle: &NodeHandle,
    channel: Option<ChannelId>,
    fees: FeeSchedule,
) -> Result<(), RequestError> {
    handle.pump.command(Command::SetFees { channel, fees }).await?;
    if channel.is_none() {
        peers::renew_now(&handle.shared, &handle.pump).await;
    }
    Ok(())
}

/// Resident memory of this process in bytes, where the system tells.
fn resident_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1_024)
}
