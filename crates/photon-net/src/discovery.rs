//! Finds explicit peers whose address is unknown or no longer right, and lets others find us.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use alloy_primitives::Address;
use libp2p::{
    Multiaddr, PeerId, Swarm, identify,
    identity::Keypair,
    kad::{self, QueryId, store::RecordStore as _},
};

use crate::{
    Config, VerifyStatement,
    dialer::named_peer,
    identity::unix_now,
    record::{self, NodeRecord},
    transport::{Behaviour, KADEMLIA},
};

/// How often our record is published again.
const PUBLISH: Duration = Duration::from_secs(10 * 60);

/// How soon after a failure.
const PUBLISH_AGAIN: Duration = Duration::from_secs(2);

/// How soon a missing peer is looked up again; doubled each time, up to the longest wait.
const LOOK_UP: Duration = Duration::from_secs(1);
const LOOK_UP_MOST: Duration = Duration::from_secs(60);

/// Questions under way at once.
const MAX_LOOK_UPS: usize = 8;

/// Addresses of one node that are remembered for the routing table.
const MAX_ROUTES: usize = 8;

/// Nodes of the local network that are tried per minute.
const MAX_LOCAL: usize = 64;

/// When the nodes of the local network may be tried again.
const TRY_AGAIN: Duration = Duration::from_secs(60);

/// The state of both kinds of discovery.
pub(crate) struct Finder {
    account: Address,
    keypair: Keypair,
    external: Vec<Multiaddr>,
    publish_at: Instant,
    publishing: Option<QueryId>,
    asked: HashMap<QueryId, Address>,
    /// When each missing peer is looked up next, and how long to wait after that.
    look_ups: HashMap<Address, (Instant, Duration)>,
    tried: HashSet<PeerId>,
    forget_tried_at: Instant,
}

impl Finder {
    pub(crate) fn new(
        config: &Config,
        account: Address,
        keypair: Keypair,
        swarm: &mut Swarm<Behaviour>,
    ) -> Self {
        let now = Instant::now();
        let external: Vec<_> =
            config.discovery.iter().flat_map(|discovery| discovery.external.clone()).collect();
        for address in &external {
            swarm.add_external_address(address.clone());
        }
        if let Some(kademlia) = swarm.behaviour_mut().kademlia.as_mut() {
            kademlia.set_mode(Some(kad::Mode::Server));
            for address in config.discovery.iter().flat_map(|discovery| &discovery.bootstrap) {
                if let Some(peer) = named_peer(address) {
                    kademlia.add_address(&peer, address.clone());
                }
            }
            // Without any known node there is nothing to join yet.
            let _ = kademlia.bootstrap();
        }
        Self {
            account,
            keypair,
            external,
            publish_at: now,
            publishing: None,
            asked: HashMap::new(),
            look_ups: HashMap::new(),
            tried: HashSet::new(),
            forget_tried_at: now,
        }
    }

    /// Publishes our record and looks up missing peers, when it is time.
    pub(crate) fn on_tick(
        &mut self,
        swarm: &mut Swarm<Behaviour>,
        statement: &[u8],
        missing: &[Address],
        now: Instant,
    ) {
        if now >= self.forget_tried_at {
            self.tried.clear();
            self.forget_tried_at = now + TRY_AGAIN;
        }
        let listening: Vec<Multiaddr> = swarm.listeners().cloned().collect();
        let Some(kademlia) = swarm.behaviour_mut().kademlia.as_mut() else { return };
        if now >= self.publish_at && self.publishing.is_none() {
            self.publish_at = now + PUBLISH_AGAIN;
            let addresses =
                if self.external.is_empty() { listening } else { self.external.clone() };
            if let Some(value) = record::seal(&self.keypair, statement, addresses) {
                let record = kad::Record::new(key(&self.account), value);
                self.publishing = kademlia.put_record(record, kad::Quorum::One).ok();
            }
        }
        self.look_ups.retain(|account, _| missing.contains(account));
        for account in missing {
            let (due, wait) = self.look_ups.entry(*account).or_insert((now, LOOK_UP));
            if now >= *due && self.asked.len() < MAX_LOOK_UPS {
                *due = now + *wait;
                *wait = (*wait * 2).min(LOOK_UP_MOST);
                self.asked.insert(kademlia.get_record(key(account)), *account);
            }
        }
    }

    /// What the table answered; returns an account with the addresses where it says it is.
    #[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum with much we do not use")]
    pub(crate) fn on_kademlia(
        &mut self,
        swarm: &mut Swarm<Behaviour>,
        verify: &VerifyStatement,
        event: kad::Event,
    ) -> Option<(Address, Vec<Multiaddr>)> {
        match event {
            kad::Event::InboundRequest {
                request: kad::InboundRequest::PutRecord { record: Some(record), .. },
            } => keep(swarm, verify, record),
            kad::Event::OutboundQueryProgressed { id, result, step, .. } => {
                let found = self.on_answer(id, &result, verify);
                if step.last {
                    self.asked.remove(&id);
                }
                return found;
            }
            _ => {}
        }
        None
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum with much we do not use")]
    fn on_answer(
        &mut self,
        id: QueryId,
        result: &kad::QueryResult,
        verify: &VerifyStatement,
    ) -> Option<(Address, Vec<Multiaddr>)> {
        match result {
            kad::QueryResult::PutRecord(outcome) if self.publishing == Some(id) => {
                self.publishing = None;
                if outcome.is_ok() {
                    self.publish_at = Instant::now() + PUBLISH;
                }
                None
            }
            kad::QueryResult::GetRecord(Ok(kad::GetRecordOk::FoundRecord(found))) => {
                let account = *self.asked.get(&id)?;
                let NodeRecord { addresses, .. } =
                    record::open(&found.record.value, &account, verify, unix_now())?;
                Some((account, addresses))
            }
            _ => None,
        }
    }

    /// Whether a node of the local network that was seen should be dialled.
    pub(crate) fn on_local(&mut self, peer: PeerId) -> bool {
        self.tried.len() < MAX_LOCAL && self.tried.insert(peer)
    }
}

/// A node told where it listens: part of the table, if it takes part.
pub(crate) fn on_identify(swarm: &mut Swarm<Behaviour>, event: identify::Event) {
    let identify::Event::Received { peer_id, info, .. } = event else { return };
    let Some(kademlia) = swarm.behaviour_mut().kademlia.as_mut() else { return };
    if info.protocols.contains(&KADEMLIA) {
        for address in info.listen_addrs.into_iter().take(MAX_ROUTES) {
            kademlia.add_address(&peer_id, address);
        }
    }
}

/// Stores a record for others if it holds and is no older than the one we have.
fn keep(swarm: &mut Swarm<Behaviour>, verify: &VerifyStatement, record: kad::Record) {
    let Ok(account) = Address::try_from(record.key.as_ref()) else { return };
    let now = unix_now();
    let Some(new) = record::open(&record.value, &account, verify, now) else { return };
    let Some(kademlia) = swarm.behaviour_mut().kademlia.as_mut() else { return };
    let store = kademlia.store_mut();
    let newer = store
        .get(&record.key)
        .and_then(|old| record::open(&old.value, &account, verify, now))
        .is_some_and(|old| old.sequence > new.sequence);
    if !newer {
        // A full store takes no more; others hold the record as well.
        let _ = store.put(record);
    }
}

fn key(account: &Address) -> kad::RecordKey {
    kad::RecordKey::new(account)
}
