//! The handle that the node holds.

use std::{collections::HashSet, sync::Arc, time::Instant};

use alloy_primitives::Address;
use bytes::Bytes;
use libp2p::{Multiaddr, PeerId};
use tokio::{
    sync::{Mutex, mpsc},
    task::JoinHandle,
};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    Config, Events, Identity, MAX_STATEMENT, PeerInfo, Stats, VerifyStatement,
    directory::Directory, hub::Hub, session::Context, stats::Counters, transport,
};

/// Messages from sessions that may wait for the hub.
const HUB_QUEUE: usize = 256;

/// The running network. Clones are handles to the same one; it stops with the last of them.
#[derive(Clone, Debug)]
pub struct Net {
    directory: Arc<Directory>,
    counters: Arc<Counters>,
    local_peer: PeerId,
    stop: CancellationToken,
    task: Arc<Mutex<Option<JoinHandle<()>>>>,
    _guard: Arc<DropGuard>,
}

/// Why the network could not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The transport key is not an ed25519 seed.
    #[error("the transport key is not an ed25519 seed")]
    TransportKey,
    /// The statement is longer than peers accept.
    #[error("the statement has {length} bytes, at most {MAX_STATEMENT}")]
    StatementTooLong {
        /// Its length.
        length: usize,
    },
    /// The encrypted transport could not be set up.
    #[error("the transport could not be set up: {0}")]
    Transport(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A listen address cannot be used.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which.
        address: Multiaddr,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Local discovery could not be set up.
    #[error("local discovery could not be set up: {0}")]
    LocalDiscovery(#[source] std::io::Error),
    /// A bootstrap address does not end in `/p2p/<peer id>`.
    #[error("bootstrap address {0} does not name a peer id")]
    Bootstrap(Multiaddr),
}

/// Why a frame was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// No session with that account is up.
    #[error("not connected")]
    NotConnected,
    /// The peer's queue is full; try again when it has moved on.
    #[error("the peer's queue is full")]
    Full,
    /// The frame is above [`MAX_FRAME`](crate::MAX_FRAME).
    #[error("frame of {length} bytes, at most {}", crate::MAX_FRAME)]
    TooLarge {
        /// Its length.
        length: usize,
    },
}

impl Net {
    /// Starts listening, and returns once every listen address is bound.
    pub async fn start(
        config: Config,
        identity: Identity,
        verify: VerifyStatement,
    ) -> Result<(Self, Events), Error> {
        check_statement(&identity.statement)?;
        transport::check_bootstrap(&config)?;
        let counters = Arc::new(Counters::default());
        let keypair = identity.keypair()?;
        let mut swarm = transport::swarm(&config, keypair.clone(), Arc::clone(&counters))?;
        let listening = transport::listen(&mut swarm, &config.listen).await?;
        let directory = Arc::new(Directory::default());
        {
            let mut state = directory.write();
            state.listening = listening;
            state.statement = identity.statement.clone().into();
        }
        let (events, receiver) = mpsc::channel(config.limits.event_queue.max(1));
        let (sender, messages) = mpsc::channel(HUB_QUEUE);
        let stop = CancellationToken::new();
        let local_peer = *swarm.local_peer_id();
        let context = Context {
            config,
            verify,
            directory: Arc::clone(&directory),
            counters: Arc::clone(&counters),
            events,
            hub: sender,
            started: Instant::now(),
        };
        let hub = Hub::new(swarm, identity.account, keypair, context, messages);
        let task = tokio::spawn(hub.run(stop.clone()));
        let net = Self {
            directory,
            counters,
            local_peer,
            _guard: Arc::new(stop.clone().drop_guard()),
            stop,
            task: Arc::new(Mutex::new(Some(task))),
        };
        Ok((net, Events::new(receiver)))
    }

    /// Queues a frame for a peer, at once or not at all.
    pub fn send(&self, peer: Address, frame: Bytes) -> Result<(), SendError> {
        self.directory.outbox(&peer).ok_or(SendError::NotConnected)?.try_send(frame)
    }

    /// Queues a frame for a peer, and waits while its queue is full. Cancel safe: a frame is either
    /// queued whole or not at all. Frames of one caller keep their order.
    pub async fn send_when_ready(&self, peer: Address, frame: Bytes) -> Result<(), SendError> {
        let outbox = self.directory.outbox(&peer).ok_or(SendError::NotConnected)?;
        outbox.send(frame).await
    }

    /// Keeps a session with this account: dials it now, and again for ever after each failure.
    /// Replaces earlier addresses. Without any, the account is looked for by discovery only.
    /// An explicit peer is a friend.
    pub fn add_peer(&self, account: Address, addresses: Vec<Multiaddr>) {
        self.directory.write().explicit.insert(account, addresses);
        self.directory.changed.notify_one();
    }

    /// Stops dialling this account, and ends its session.
    pub fn remove_peer(&self, account: Address) {
        {
            let mut state = self.directory.write();
            state.explicit.remove(&account);
            state.failures.remove(&account);
            if state.links.contains_key(&account) {
                state.unwanted.insert(account);
            }
        }
        self.directory.changed.notify_one();
    }

    /// Ends the account's session, for instance since it sends what cannot be decoded. It may come
    /// back; an explicit peer is dialled again after a while.
    pub fn drop_peer(&self, account: Address) {
        {
            let mut state = self.directory.write();
            if !state.links.contains_key(&account) {
                return;
            }
            state.unwanted.insert(account);
        }
        self.directory.changed.notify_one();
    }

    /// Replaces the accounts that always have room, beside the explicit peers. Running sessions
    /// notice within a second.
    pub fn set_friends(&self, friends: Vec<Address>) {
        self.directory.write().friends = friends.into_iter().collect::<HashSet<_>>();
        self.directory.changed.notify_one();
    }

    /// Replaces our statement before it expires; running sessions go on with the old one.
    pub fn set_statement(&self, statement: Vec<u8>) -> Result<(), Error> {
        check_statement(&statement)?;
        self.directory.write().statement = statement.into();
        Ok(())
    }

    /// Everybody who is connected, explicit or a friend.
    pub fn peers(&self) -> Vec<PeerInfo> {
        self.directory.read().peers()
    }

    /// Whether a session with this account is up.
    pub fn is_connected(&self, account: Address) -> bool {
        self.directory.read().links.contains_key(&account)
    }

    /// The addresses that are bound, with real ports.
    pub fn listen_addresses(&self) -> Vec<Multiaddr> {
        self.directory.read().listening.clone()
    }

    /// The public name of our transport key; may be appended to an address as `/p2p/<peer id>`.
    pub fn local_peer_id(&self) -> PeerId {
        self.local_peer
    }

    /// Totals of what was carried and of what was refused.
    pub fn stats(&self) -> Stats {
        self.counters.snapshot()
    }

    /// Closes all connections and stops; what is queued is not sent any more. The event queue then
    /// ends, without a word about each session.
    pub async fn shutdown(&self) {
        self.stop.cancel();
        let task = self.task.lock().await.take();
        if let Some(task) = task {
            // It ends by itself once cancelled; were it to panic, it would have ended as well.
            let _ = task.await;
        }
    }
}

fn check_statement(statement: &[u8]) -> Result<(), Error> {
    if statement.len() > MAX_STATEMENT {
        return Err(Error::StatementTooLong { length: statement.len() });
    }
    Ok(())
}
