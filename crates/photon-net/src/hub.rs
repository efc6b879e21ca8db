//! The one task that owns the connections: it dials, admits sessions, and lets them go.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use alloy_primitives::Address;
use futures::StreamExt as _;
use libp2p::{
    Multiaddr, PeerId, Swarm,
    identity::Keypair,
    mdns, ping,
    swarm::{ConnectionId, DialError, ListenError, SwarmEvent, dial_opts::DialOpts},
};
use tokio::{
    sync::{Mutex, mpsc, oneshot},
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    DisconnectReason,
    dialer::Dialer,
    directory::Direction,
    discovery::{self, Finder},
    gate::Opened,
    session::{self, Activity, Admission, Context, End, HandshakeError, Refusal, SessionMessage},
    transport::{Behaviour, BehaviourEvent},
};

/// How often late connections are looked for.
const TICK: Duration = Duration::from_secs(1);

/// How long a shutdown waits for connections to close.
const FAREWELL: Duration = Duration::from_millis(500);

/// Everything the task owns.
pub(crate) struct Hub {
    swarm: Swarm<Behaviour>,
    account: Address,
    context: Arc<Context>,
    messages: mpsc::Receiver<SessionMessage>,
    /// The admitted session of each account.
    sessions: HashMap<Address, Admitted>,
    /// Connections whose session task has not ended.
    running: HashSet<ConnectionId>,
    tasks: JoinSet<()>,
    dialer: Dialer,
    finder: Finder,
}

struct Admitted {
    connection: ConnectionId,
    direction: Direction,
    stop: Option<oneshot::Sender<DisconnectReason>>,
    turn: Arc<Mutex<()>>,
    activity: Arc<Activity>,
}

impl Admitted {
    fn stop(&mut self, reason: DisconnectReason) {
        if let Some(stop) = self.stop.take() {
            // A session that is over needs no stop.
            let _ = stop.send(reason);
        }
    }
}

impl Hub {
    pub(crate) fn new(
        mut swarm: Swarm<Behaviour>,
        account: Address,
        keypair: Keypair,
        context: Context,
        messages: mpsc::Receiver<SessionMessage>,
    ) -> Self {
        let finder = Finder::new(&context.config, account, keypair, &mut swarm);
        Self {
            swarm,
            account,
            finder,
            dialer: Dialer::new(&context.config.timing),
            context: Arc::new(context),
            messages,
            sessions: HashMap::new(),
            running: HashSet::new(),
            tasks: JoinSet::new(),
        }
    }

    /// Runs until stopped, or until nobody listens to events any more.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let context = Arc::clone(&self.context);
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.dial_due();
            let next_dial = self.dialer.next_due(|account| self.sessions.contains_key(account));
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_swarm_event(event),
                Some(message) = self.messages.recv() => self.on_session_message(message),
                () = context.directory.changed.notified() => self.on_directory_change(),
                () = sleep_until(next_dial.unwrap_or_else(Instant::now).into()),
                    if next_dial.is_some() => {}
                _ = tick.tick() => self.on_tick(),
                () = stop.cancelled() => break,
                () = context.events.closed() => break,
            }
        }
        self.say_farewell().await;
    }

    /// Closes all connections in an orderly way, so that peers need not wait for a timeout.
    async fn say_farewell(mut self) {
        self.tasks.shutdown().await;
        self.context.directory.write().links.clear();
        let peers: Vec<_> = self.swarm.connected_peers().copied().collect();
        for peer in peers {
            // A peer that left in between needs no farewell.
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        let closed = async {
            while self.swarm.network_info().num_peers() > 0 {
                self.swarm.select_next_some().await;
            }
        };
        // Whoever does not answer finds out by its own timeout.
        let _ = timeout(FAREWELL, closed).await;
    }

    fn dial_due(&mut self) {
        let now = Instant::now();
        while let Some((account, options)) =
            self.dialer.take_due(now, |account| self.sessions.contains_key(account))
        {
            let connection = options.connection_id();
            self.swarm.behaviour_mut().gate.expect(connection, Some(account));
            if let Err(error) = self.swarm.dial(options) {
                self.on_dial_failure(connection, &error);
            }
        }
    }

    fn on_dial_failure(&mut self, connection: ConnectionId, error: &DialError) {
        self.swarm.behaviour_mut().gate.forget(connection);
        if let Some(account) = self.dialer.on_end(connection, None, Instant::now()) {
            tracing::debug!(%account, %error, "dial failed");
            self.note_failure(account, error.to_string());
        }
    }

    fn note_failure(&self, account: Address, failure: String) {
        let mut state = self.context.directory.write();
        if state.explicit.contains_key(&account) && !state.links.contains_key(&account) {
            state.failures.insert(account, failure);
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "a foreign, non-exhaustive enum")]
    fn on_swarm_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(event) => self.on_behaviour_event(event),
            SwarmEvent::ConnectionClosed { connection_id, .. } => {
                self.on_connection_closed(connection_id);
            }
            SwarmEvent::OutgoingConnectionError { connection_id, error, .. } => {
                self.on_dial_failure(connection_id, &error);
            }
            // Whom the gate denied, the gate has counted.
            SwarmEvent::IncomingConnectionError { error, .. }
                if !matches!(error, ListenError::Denied { .. }) =>
            {
                self.context.counters.broken_handshakes.increment();
            }
            SwarmEvent::NewListenAddr { address, .. } => {
                let mut state = self.context.directory.write();
                if !state.listening.contains(&address) {
                    state.listening.push(address);
                }
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                self.context.directory.write().listening.retain(|known| *known != address);
            }
            _ => {}
        }
    }

    fn on_behaviour_event(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Gate(opened) => self.on_opened(opened),
            BehaviourEvent::Ping(ping::Event { connection, result: Err(failure), .. }) => {
                if !matches!(failure, ping::Failure::Unsupported) {
                    self.swarm.close_connection(connection);
                }
            }
            BehaviourEvent::Ping(ping::Event { result: Ok(_), .. })
            | BehaviourEvent::Local(mdns::Event::Expired(_)) => {}
            BehaviourEvent::Identify(event) => discovery::on_identify(&mut self.swarm, event),
            BehaviourEvent::Kademlia(event) => {
                let verify = &self.context.verify;
                let found = self.finder.on_kademlia(&mut self.swarm, verify, event);
                if let Some((account, addresses)) = found {
                    self.dialer.set_found(&account, addresses, Instant::now());
                }
            }
            BehaviourEvent::Local(mdns::Event::Discovered(nodes)) => self.on_local(nodes),
        }
    }

    /// Dials nodes of the local network while explicit peers are missing: one of them may be it.
    fn on_local(&mut self, nodes: Vec<(PeerId, Multiaddr)>) {
        for (peer, address) in nodes {
            if self.missing().is_empty() || !self.finder.on_local(peer) {
                return;
            }
            let options = DialOpts::peer_id(peer).addresses(vec![address]).build();
            let connection = options.connection_id();
            self.swarm.behaviour_mut().gate.expect(connection, None);
            if let Err(error) = self.swarm.dial(options) {
                self.on_dial_failure(connection, &error);
            }
        }
    }

    /// Explicit peers without a session.
    fn missing(&self) -> Vec<Address> {
        let state = self.context.directory.read();
        let explicit = state.explicit.keys();
        explicit.filter(|account| !self.sessions.contains_key(*account)).copied().collect()
    }

    fn on_opened(&mut self, opened: Opened) {
        self.running.insert(opened.connection);
        self.tasks.spawn(session::run(Arc::clone(&self.context), opened));
    }

    fn on_connection_closed(&mut self, connection: ConnectionId) {
        let admitted =
            self.sessions.values_mut().find(|admitted| admitted.connection == connection);
        if let Some(admitted) = admitted {
            admitted.stop(DisconnectReason::ConnectionLost);
        }
        if !self.running.contains(&connection)
            && let Some(account) = self.dialer.on_end(connection, None, Instant::now())
        {
            self.note_failure(account, HandshakeError::BrokenOff.to_string());
        }
    }

    fn on_session_message(&mut self, message: SessionMessage) {
        match message {
            SessionMessage::Prove { connection, account, direction, answer } => {
                let verdict = self.admit(connection, account, direction);
                // An attempt that has timed out meanwhile reports its end by itself.
                let _ = answer.send(verdict);
            }
            SessionMessage::Ended { connection, end } => self.on_session_end(connection, end),
        }
    }

    fn admit(
        &mut self,
        connection: ConnectionId,
        account: Address,
        direction: Direction,
    ) -> Result<Admission, Refusal> {
        if account == self.account {
            return Err(Refusal::OwnAccount);
        }
        let earlier = self.sessions.get(&account);
        if earlier.is_some_and(|earlier| !self.supersedes(account, direction, earlier.direction)) {
            return Err(Refusal::Duplicate);
        }
        let (friend, explicit) = {
            let state = self.context.directory.read();
            (state.is_friend(&account), state.explicit.contains_key(&account))
        };
        if self.swarm.behaviour().gate.expected(connection).is_some() && !explicit {
            return Err(Refusal::Removed);
        }
        if earlier.is_none() && !friend {
            self.make_room_for_stranger()?;
        }
        let turn = match self.sessions.remove(&account) {
            Some(mut earlier) => {
                earlier.stop(DisconnectReason::Replaced);
                earlier.turn
            }
            None => Arc::default(),
        };
        self.swarm.behaviour_mut().gate.prove(connection, account, friend);
        let (stop, stopped) = oneshot::channel();
        let activity = Arc::<Activity>::default();
        activity.touch(self.context.started);
        let admitted = Admitted {
            connection,
            direction,
            stop: Some(stop),
            turn: Arc::clone(&turn),
            activity: Arc::clone(&activity),
        };
        self.sessions.insert(account, admitted);
        Ok(Admission { stop: stopped, turn, activity })
    }

    /// Whether a newcomer takes the place of an earlier session of the same account. If both sides
    /// dialled at once, both prefer the connection that the lower account dialled. Of two that the
    /// same side dialled the later one counts: that side has lost the earlier one.
    fn supersedes(&self, account: Address, newcomer: Direction, earlier: Direction) -> bool {
        let preferred =
            if self.account < account { Direction::Outgoing } else { Direction::Incoming };
        newcomer == earlier || newcomer == preferred
    }

    /// When the strangers' room is full, the one that was idle longest goes, if it was idle for
    /// long enough.
    fn make_room_for_stranger(&mut self) -> Result<(), Refusal> {
        let directory = Arc::clone(&self.context.directory);
        let state = directory.read();
        let strangers = self.sessions.iter_mut().filter(|(account, _)| !state.is_friend(account));
        let mut count: usize = 0;
        let mut idlest: Option<(Duration, &mut Admitted)> = None;
        for (_, stranger) in strangers {
            count = count.saturating_add(1);
            let idle = stranger.activity.idle(self.context.started);
            if stranger.stop.is_some() && idlest.as_ref().is_none_or(|(most, _)| idle > *most) {
                idlest = Some((idle, stranger));
            }
        }
        if count < self.context.config.limits.strangers {
            return Ok(());
        }
        match idlest {
            Some((idle, stranger)) if idle >= self.context.config.timing.stranger_grace => {
                stranger.stop(DisconnectReason::Evicted);
                Ok(())
            }
            Some(_) | None => Err(Refusal::NoRoom),
        }
    }

    fn on_session_end(&mut self, connection: ConnectionId, end: End) {
        let now = Instant::now();
        self.running.remove(&connection);
        self.sessions.retain(|_, admitted| admitted.connection != connection);
        while self.tasks.try_join_next().is_some() {}
        self.swarm.close_connection(connection);
        match end {
            End::Failed(error) => {
                tracing::debug!(%connection, %error, "no session");
                self.count(&error);
                if let Some(account) = self.dialer.on_end(connection, None, now) {
                    self.note_failure(account, error.to_string());
                }
            }
            End::Closed { lasted, direction: Direction::Outgoing, .. } => {
                self.dialer.on_end(connection, Some(lasted), now);
            }
            End::Closed { lasted, direction: Direction::Incoming, account } => {
                self.dialer.on_incoming_end(&account, lasted, now);
            }
        }
    }

    fn count(&self, error: &HandshakeError) {
        let counters = &self.context.counters;
        match error {
            HandshakeError::Timeout => counters.unproven_dropped.increment(),
            HandshakeError::Protocol
            | HandshakeError::BrokenOff
            | HandshakeError::Malformed(_)
            | HandshakeError::Stopped
            | HandshakeError::Refused(Refusal::Removed) => counters.broken_handshakes.increment(),
            HandshakeError::WrongStatement => counters.wrong_statements.increment(),
            HandshakeError::WrongAccount { .. } => counters.wrong_accounts.increment(),
            HandshakeError::Refused(Refusal::OwnAccount | Refusal::Duplicate) => {
                counters.duplicates.increment();
            }
            HandshakeError::Refused(Refusal::NoRoom) => counters.strangers_refused.increment(),
        }
    }

    fn on_directory_change(&mut self) {
        let directory = Arc::clone(&self.context.directory);
        let unwanted = std::mem::take(&mut directory.write().unwanted);
        for account in unwanted {
            if let Some(admitted) = self.sessions.get_mut(&account) {
                admitted.stop(DisconnectReason::DroppedByUs);
            }
        }
        let state = directory.read();
        self.dialer.set_targets(&state.explicit, Instant::now());
        let addresses = state.explicit.values().flatten();
        let gate = &mut self.swarm.behaviour_mut().gate;
        gate.set_friends(|account| state.is_friend(account), addresses);
    }

    fn on_tick(&mut self) {
        let now = Instant::now();
        self.swarm.behaviour_mut().gate.sweep(now);
        let missing = self.missing();
        let statement = Arc::clone(&self.context.directory.read().statement);
        self.finder.on_tick(&mut self.swarm, &statement, &missing, now);
    }
}
