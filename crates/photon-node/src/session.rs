//! What peers say before the pump hears of it: decoded, checked, opened, in parallel over peers
//! and in order within one.

mod bucket;
mod verify;

use crate::clock;
use crate::handle::Totals;
use crate::keys::Keys;
pub(crate) use bucket::Bucket;
use photon_core::Input;
use photon_net::{Events, Net, NetEvent};
use photon_wire::Address;
use photon_wire::claim::Domain;
use photon_wire::codec::{Decode, Encode};
use photon_wire::message::{Hello, Message, VERSION};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

pub(crate) use verify::{Garbage, Verified, Verify};

/// Network events that may wait for one worker.
const WORKER_QUEUE: usize = 1_024;
/// Frames that may come before the hello: what was under way in an earlier session of the peer's.
const FRAMES_BEFORE_HELLO: u32 = 1_024;
/// Hellos that may come after the first: who was slow to greet in an earlier session, which is
/// over by then, greets in this one again.
const REPEATED_HELLOS: u32 = 16;
/// Ignored messages of an account without a channel after which its session ends.
const STRANGER_PATIENCE: u32 = 1_024;

/// Accounts with which we have a channel; written by the pump, read by the workers.
#[derive(Debug, Default)]
pub(crate) struct Partners(RwLock<HashSet<Address>>);

impl Partners {
    pub(crate) fn replace(&self, accounts: HashSet<Address>) -> bool {
        let mut partners = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let differs = *partners != accounts;
        *partners = accounts;
        differs
    }

    pub(crate) fn contains(&self, account: &Address) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains(account)
    }

    pub(crate) fn all(&self) -> HashSet<Address> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What the workers share.
pub(crate) struct Desk {
    pub(crate) net: Net,
    pub(crate) domain: Domain,
    pub(crate) keys: Arc<Keys>,
    pub(crate) partners: Arc<Partners>,
    pub(crate) totals: Arc<Totals>,
    /// Where what is in order goes.
    pub(crate) pump: mpsc::Sender<Input>,
    /// Ends the node; a node that hears nobody is none.
    pub(crate) stop: CancellationToken,
}

impl Desk {
    fn hello(&self) -> Hello {
        Hello {
            version: VERSION,
            chain_id: self.domain.chain_id(),
            contract: self.domain.contract(),
        }
    }
}

/// Takes the network's events and spreads them over workers, one for each core, until the network
/// or the pump has stopped. The node ends with it.
pub(crate) async fn run(desk: Desk, mut events: Events) {
    let desk = Arc::new(desk);
    let _ending = desk.stop.clone().drop_guard();
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    let mut workers = Vec::new();
    for index in 0..count {
        let (sender, receiver) = mpsc::channel(WORKER_QUEUE);
        let worker = Worker::new(Arc::clone(&desk));
        let thread = std::thread::Builder::new().name(format!("verify-{index}"));
        if let Err(error) = thread.spawn(move || worker.run(receiver)) {
            warn!(%error, "a thread for checking messages could not be started");
            continue;
        }
        workers.push(sender);
    }
    let spread = RandomState::new();
    let mut batch = Vec::new();
    while events.recv_many(&mut batch, 256).await > 0 {
        for event in batch.drain(..) {
            let account = match &event {
                NetEvent::Connected { account }
                | NetEvent::Disconnected { account, .. }
                | NetEvent::Frame { account, .. } => *account,
            };
            let lot = usize::try_from(spread.hash_one(account) >> 32).unwrap_or_default();
            let Some(worker) = lot.checked_rem(workers.len()).and_then(|lot| workers.get(lot))
            else {
                return;
            };
            if worker.send(event).await.is_err() {
                return;
            }
        }
    }
}

/// Where a peer's session stands.
struct Session {
    stage: Stage,
    before_hello: u32,
    /// Hellos after the first.
    repeated: u32,
    ignored: u32,
    records: Bucket,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    AwaitingHello,
    Ready,
    /// Refused; whatever still comes is not looked at.
    Over,
}

struct Worker {
    desk: Arc<Desk>,
    verify: Verify,
    sessions: HashMap<Address, Session>,
}

impl Worker {
    fn new(desk: Arc<Desk>) -> Self {
        let verify = Verify::new(desk.keys.account(), desk.domain, desk.keys.opening().clone());
        Self { desk, verify, sessions: HashMap::new() }
    }

    fn run(mut self, mut events: mpsc::Receiver<NetEvent>) {
        while let Some(event) = events.blocking_recv() {
            let going_on = match event {
                NetEvent::Connected { account } => self.on_connected(account),
                NetEvent::Disconnected { account, reason } => {
                    debug!(peer = %account, ?reason, "session ended");
                    self.on_disconnected(account)
                }
                NetEvent::Frame { account, bytes } => self.on_frame(account, &bytes),
            };
            if !going_on {
                return;
            }
        }
    }

    /// Hands an input to the pump; false once there is none.
    fn tell(&self, input: Input) -> bool {
        self.desk.pump.blocking_send(input).is_ok()
    }

    fn on_connected(&mut self, account: Address) -> bool {
        let hello = Message::Hello(self.desk.hello()).to_bytes();
        if let Err(error) = self.desk.net.send(account, hello.into()) {
            debug!(peer = %account, %error, "the hello could not be sent");
        }
        let records = Bucket::of(self.desk.partners.contains(&account), Instant::now());
        let stage = Stage::AwaitingHello;
        let session = Session { stage, before_hello: 0, repeated: 0, ignored: 0, records };
        self.sessions.insert(account, session);
        true
    }

    fn on_disconnected(&mut self, account: Address) -> bool {
        match self.sessions.remove(&account) {
            Some(Session { stage: Stage::Ready, .. }) => self.tell(Input::Disconnected(account)),
            Some(_) | None => true,
        }
    }

    fn on_frame(&mut self, account: Address, bytes: &[u8]) -> bool {
        add(&self.desk.totals.frames_received);
        match self.sessions.get(&account).map(|session| session.stage) {
            Some(Stage::AwaitingHello) => self.on_first(account, bytes),
            Some(Stage::Ready) => self.on_message(account, bytes),
            Some(Stage::Over) | None => true,
        }
    }

    fn on_first(&mut self, account: Address, bytes: &[u8]) -> bool {
        let Ok(Message::Hello(hello)) = Message::from_bytes(bytes) else {
            // What the peer's earlier session still had under way; its core says it all again.
            let patient = self.sessions.get_mut(&account).is_some_and(|session| {
                session.before_hello = session.before_hello.saturating_add(1);
                session.before_hello <= FRAMES_BEFORE_HELLO
            });
            if !patient {
                self.refuse(account, &Garbage::NoHello);
            }
            return true;
        };
        let expected = self.desk.hello();
        if hello != expected {
            warn!(
                peer = %account,
                version = hello.version, chain = hello.chain_id, contract = %hello.contract,
                our_version = expected.version, our_chain = expected.chain_id,
                our_contract = %expected.contract,
                "the peer is of another protocol version or network; its session is refused"
            );
            add(&self.desk.totals.hellos_refused);
            self.end(account);
            return true;
        }
        if let Some(session) = self.sessions.get_mut(&account) {
            session.stage = Stage::Ready;
        }
        info!(peer = %account, "peer connected");
        self.tell(Input::Connected(account))
    }

    fn on_message(&mut self, account: Address, bytes: &[u8]) -> bool {
        let partner = self.desk.partners.contains(&account);
        let Some(session) = self.sessions.get_mut(&account) else { return true };
        if !partner && !Verify::is_records(bytes) {
            // Its channel with us may be open already where we have not looked yet: not its
            // fault, and our core asks for what was missed once it knows the channel.
            add(&self.desk.totals.strangers_ignored);
            session.ignored = session.ignored.saturating_add(1);
            if session.ignored > STRANGER_PATIENCE {
                self.refuse(account, &Garbage::NotPartner);
            }
            return true;
        }
        if partner {
            session.records.widen();
        }
        let now = clock::now();
        match self.verify.message(account, bytes, &mut session.records, now) {
            Ok(Verified { message: Some(message), updates }) => {
                self.desk.totals.updates_received.fetch_add(updates, Ordering::Relaxed);
                self.tell(Input::Message(message))
            }
            Ok(Verified { message: None, .. }) => {
                add(&self.desk.totals.strangers_ignored);
                true
            }
            Err(Garbage::SecondHello) if session.repeated < REPEATED_HELLOS => {
                session.repeated = session.repeated.saturating_add(1);
                true
            }
            Err(garbage) => {
                self.refuse(account, &garbage);
                true
            }
        }
    }

    fn refuse(&mut self, account: Address, garbage: &Garbage) {
        warn!(peer = %account, reason = %garbage, "the peer sends garbage; its session is dropped");
        add(&self.desk.totals.garbage_refused);
        self.end(account);
    }

    /// Ends the session; the core hears of it when the network says so.
    fn end(&mut self, account: Address) {
        self.desk.net.drop_peer(account);
        let Some(session) = self.sessions.get_mut(&account) else { return };
        let was_ready = session.stage == Stage::Ready;
        session.stage = Stage::Over;
        if was_ready {
            self.tell(Input::Disconnected(account));
        }
    }
}

/// Counts one.
pub(crate) fn add(total: &AtomicU64) {
    total.fetch_add(1, Ordering::Relaxed);
}
