//! The encrypted connections below sessions: TCP with Noise and Yamux, and QUIC.

use std::{collections::HashSet, sync::Arc, time::Duration};

use futures::StreamExt as _;
use libp2p::{
    Multiaddr, StreamProtocol, Swarm, SwarmBuilder, identify,
    identity::Keypair,
    kad, mdns, noise, ping,
    swarm::{NetworkBehaviour, SwarmEvent, behaviour::toggle::Toggle},
    tcp, yamux,
};

use crate::{Config, Error, dialer::named_peer, gate::Gate, stats::Counters};

/// Streams of one connection: ours, a ping, and what discovery needs.
const MAX_STREAMS: usize = 16;

/// Streams of one connection that may be in negotiation.
const MAX_NEGOTIATING: usize = 8;

/// Bytes that a peer may have under way in QUIC, per stream and per connection.
const QUIC_STREAM_WINDOW: u32 = 2 * 1024 * 1024;
const QUIC_CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;

/// A connection without our stream is closed by the gate; this is the second net.
const IDLE: Duration = Duration::from_secs(30);

const IDENTIFY: &str = "/photon/identify/1";
pub(crate) const KADEMLIA: StreamProtocol = StreamProtocol::new("/photon/kad/1");

/// All protocols of a connection.
#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    pub(crate) gate: Gate,
    pub(crate) ping: ping::Behaviour,
    pub(crate) identify: Toggle<identify::Behaviour>,
    pub(crate) kademlia: Toggle<kad::Behaviour<kad::store::MemoryStore>>,
    pub(crate) local: Toggle<mdns::tokio::Behaviour>,
}

/// Sets up the transports and protocols; must be called within a Tokio runtime.
pub(crate) fn swarm(
    config: &Config,
    keypair: Keypair,
    counters: Arc<Counters>,
) -> Result<Swarm<Behaviour>, Error> {
    let behaviour = behaviour(config, &keypair, counters)?;
    let timing = &config.timing;
    let dial = timing.dial;
    let ping = timing.ping;
    let builder = SwarmBuilder::with_existing_identity(keypair)
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, || {
            let mut yamux = yamux::Config::default();
            yamux.set_max_num_streams(MAX_STREAMS);
            yamux
        })
        .map_err(|error| Error::Transport(error.into()))?
        .with_quic_config(|mut quic| {
            quic.handshake_timeout = dial;
            quic.keep_alive_interval = ping / 2;
            quic.max_idle_timeout = u32::try_from((ping * 2).as_millis()).unwrap_or(u32::MAX);
            quic.max_concurrent_stream_limit = u32::try_from(MAX_STREAMS).unwrap_or(u32::MAX);
            quic.max_stream_data = QUIC_STREAM_WINDOW;
            quic.max_connection_data = QUIC_CONNECTION_WINDOW;
            quic
        });
    #[cfg(feature = "dns")]
    let builder = builder.with_dns().map_err(|error| Error::Transport(error.into()))?;
    let swarm = builder
        .with_behaviour(|_| behaviour)
        .map_err(|error| Error::Transport(error.into()))?
        .with_swarm_config(|swarm| {
            swarm
                .with_idle_connection_timeout(IDLE)
                .with_max_negotiating_inbound_streams(MAX_NEGOTIATING)
        })
        .with_connection_timeout(timing.dial)
        .build();
    Ok(swarm)
}

fn behaviour(
    config: &Config,
    keypair: &Keypair,
    counters: Arc<Counters>,
) -> Result<Behaviour, Error> {
    let peer = keypair.public().to_peer_id();
    let ping =
        ping::Config::new().with_interval(config.timing.ping).with_timeout(config.timing.ping);
    let identify = config.discovery.as_ref().map(|_| {
        identify::Behaviour::new(identify::Config::new(IDENTIFY.to_owned(), keypair.public()))
    });
    let kademlia = config.discovery.as_ref().map(|_| {
        let store = kad::store::MemoryStore::new(peer);
        let mut config = kad::Config::new(KADEMLIA);
        // Records are checked before they are kept.
        config.set_record_filtering(kad::StoreInserts::FilterBoth);
        kad::Behaviour::with_config(peer, store, config)
    });
    let local = config
        .local_discovery
        .then(|| mdns::tokio::Behaviour::new(mdns::Config::default(), peer))
        .transpose()
        .map_err(Error::LocalDiscovery)?;
    Ok(Behaviour {
        gate: Gate::new(config, counters),
        ping: ping::Behaviour::new(ping),
        identify: identify.into(),
        kademlia: kademlia.into(),
        local: local.into(),
    })
}

/// Binds all addresses and waits until each has its real port.
pub(crate) async fn listen(
    swarm: &mut Swarm<Behaviour>,
    addresses: &[Multiaddr],
) -> Result<Vec<Multiaddr>, Error> {
    let mut waiting = HashSet::new();
    for address in addresses {
        let refused = |source| Error::Listen { address: address.clone(), source };
        let id = swarm.listen_on(address.clone()).map_err(|error| refused(error.into()))?;
        waiting.insert(id);
    }
    let mut listening = Vec::new();
    while !waiting.is_empty() {
        let event = swarm.select_next_some().await;
        if let SwarmEvent::NewListenAddr { listener_id, address } = event {
            waiting.remove(&listener_id);
            listening.push(address);
        } else if let SwarmEvent::ListenerClosed { listener_id, reason, .. } = event
            && waiting.contains(&listener_id)
        {
            let source = reason.err().unwrap_or_else(|| std::io::ErrorKind::Other.into());
            let address = addresses.first().cloned().unwrap_or_else(Multiaddr::empty);
            return Err(Error::Listen { address, source: source.into() });
        }
    }
    Ok(listening)
}

/// Checks that the bootstrap addresses name a peer id.
pub(crate) fn check_bootstrap(config: &Config) -> Result<(), Error> {
    let addresses = config.discovery.iter().flat_map(|discovery| &discovery.bootstrap);
    for address in addresses {
        named_peer(address).ok_or_else(|| Error::Bootstrap(address.clone()))?;
    }
    Ok(())
}
