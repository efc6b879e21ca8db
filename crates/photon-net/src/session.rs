//! One connection's life above the encryption: prove both accounts, carry frames, say why it ended.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use alloy_primitives::Address;
use bytes::Bytes;
use futures::{SinkExt as _, StreamExt as _};
use libp2p::swarm::ConnectionId;
use tokio::{
    sync::{Mutex, mpsc, oneshot},
    time::timeout,
};

use crate::{
    Config, DisconnectReason, NetEvent, VerifyStatement,
    directory::{Direction, Directory, Link, Presence},
    event::Delivery,
    frame::{Frames, statement_frames},
    gate::Opened,
    identity::{ed25519_key, unix_now},
    outbox::outbox,
    stats::Counters,
};

mod carry;

/// What all sessions share.
pub(crate) struct Context {
    pub(crate) config: Config,
    pub(crate) verify: VerifyStatement,
    pub(crate) directory: Arc<Directory>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) events: mpsc::Sender<Delivery>,
    pub(crate) hub: mpsc::Sender<SessionMessage>,
    pub(crate) started: Instant,
}

/// What a session tells the hub.
#[derive(Debug)]
pub(crate) enum SessionMessage {
    /// The peer has proven this account: may it have a session?
    Prove {
        connection: ConnectionId,
        account: Address,
        direction: Direction,
        answer: oneshot::Sender<Result<Admission, Refusal>>,
    },
    /// The session, or the attempt at one, is over.
    Ended { connection: ConnectionId, end: End },
}

/// How a session went.
#[derive(Debug)]
pub(crate) enum End {
    /// It never came up.
    Failed(HandshakeError),
    /// It was up that long.
    Closed { account: Address, direction: Direction, lasted: Duration },
}

/// The hub lets a session be.
#[derive(Debug)]
pub(crate) struct Admission {
    /// Resolves when the session must end; also when the hub is gone.
    pub(crate) stop: oneshot::Receiver<DisconnectReason>,
    /// Held by the one session of the account that may speak to the node.
    pub(crate) turn: Arc<Mutex<()>>,
    /// When the peer was last heard or spoken to.
    pub(crate) activity: Arc<Activity>,
}

/// Why the hub does not let a session be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the peer has our own account")]
    OwnAccount,
    #[error("both sides prefer another connection")]
    Duplicate,
    #[error("there is no room for strangers")]
    NoRoom,
    #[error("the peer was removed while we dialled it")]
    Removed,
}

/// Why an attempt at a session failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HandshakeError {
    #[error("the peer does not speak this protocol")]
    Protocol,
    #[error("the peer did not prove an account in time")]
    Timeout,
    #[error("the peer broke off before it accepted us")]
    BrokenOff,
    #[error("the handshake is malformed: {0}")]
    Malformed(#[source] std::io::Error),
    #[error("the statement does not verify")]
    WrongStatement,
    #[error("the peer is {got}, expected {expected}")]
    WrongAccount { expected: Address, got: Address },
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the session was stopped before it began")]
    Stopped,
}

/// The time of the last traffic, in milliseconds since the start.
#[derive(Debug, Default)]
pub(crate) struct Activity(AtomicU64);

impl Activity {
    pub(crate) fn touch(&self, started: Instant) {
        let elapsed = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.store(elapsed, Ordering::Relaxed);
    }

    pub(crate) fn idle(&self, started: Instant) -> Duration {
        started.elapsed().saturating_sub(Duration::from_millis(self.0.load(Ordering::Relaxed)))
    }
}

/// A session that both sides have accepted.
struct Session {
    connection: ConnectionId,
    account: Address,
    direction: Direction,
    key: [u8; 32],
    statement: Bytes,
    frames: Frames,
    presence: Presence,
    admission: Admission,
}

/// Runs a session from the fresh stream to its end, and tells the hub.
pub(crate) async fn run(context: Arc<Context>, opened: Opened) {
    let connection = opened.connection;
    let attempt = timeout(context.config.timing.authenticate, handshake(&context, opened));
    let end = match attempt.await.unwrap_or(Err(HandshakeError::Timeout)) {
        Ok(session) => session.run(&context).await,
        Err(error) => End::Failed(error),
    };
    // A hub that is gone has closed the connection already.
    let _ = context.hub.send(SessionMessage::Ended { connection, end }).await;
}

/// Statements cross, the hub decides, acceptances (empty frames) cross: only what both sides accept
/// becomes a session.
async fn handshake(context: &Context, opened: Opened) -> Result<Session, HandshakeError> {
    let key = ed25519_key(&opened.peer).ok_or(HandshakeError::WrongStatement)?;
    let mut frames = statement_frames(opened.stream.ok_or(HandshakeError::Protocol)?);
    let ours = Bytes::copy_from_slice(&context.directory.read().statement);
    frames.send(ours).await.map_err(HandshakeError::Malformed)?;
    let statement = next(&mut frames).await?;
    let account =
        (context.verify)(&statement, &key, unix_now()).ok_or(HandshakeError::WrongStatement)?;
    check_account(opened.expected, account)?;
    let admission = admit(context, &opened.connection, account, opened.direction).await?;
    frames.send(Bytes::new()).await.map_err(HandshakeError::Malformed)?;
    if !next(&mut frames).await?.is_empty() {
        return Err(HandshakeError::Malformed(std::io::ErrorKind::InvalidData.into()));
    }
    let presence =
        Presence { since: SystemTime::now(), address: opened.address, direction: opened.direction };
    Ok(Session {
        connection: opened.connection,
        account,
        direction: opened.direction,
        key,
        statement,
        frames,
        presence,
        admission,
    })
}

async fn next(frames: &mut Frames) -> Result<Bytes, HandshakeError> {
    match frames.next().await {
        Some(Ok(frame)) => Ok(frame),
        Some(Err(error)) if error.kind() == std::io::ErrorKind::InvalidData => {
            Err(HandshakeError::Malformed(error))
        }
        Some(Err(_)) | None => Err(HandshakeError::BrokenOff),
    }
}

fn check_account(expected: Option<Address>, got: Address) -> Result<(), HandshakeError> {
    match expected {
        Some(expected) if expected != got => Err(HandshakeError::WrongAccount { expected, got }),
        Some(_) | None => Ok(()),
    }
}

async fn admit(
    context: &Context,
    connection: &ConnectionId,
    account: Address,
    direction: Direction,
) -> Result<Admission, HandshakeError> {
    let (answer, answered) = oneshot::channel();
    let prove = SessionMessage::Prove { connection: *connection, account, direction, answer };
    context.hub.send(prove).await.map_err(|_closed| HandshakeError::Stopped)?;
    let admission = answered.await.map_err(|_closed| HandshakeError::Stopped)?;
    Ok(admission?)
}

impl Session {
    async fn run(self, context: &Context) -> End {
        let Self { connection, account, direction, presence, mut admission, .. } = self;
        // For one account the events of sessions never interleave.
        let turn = tokio::select! {
            turn = Arc::clone(&admission.turn).lock_owned() => turn,
            _ = &mut admission.stop => return End::Failed(HandshakeError::Stopped),
        };
        let begun = Instant::now();
        admission.activity.touch(context.started);
        context.counters.sessions.increment();
        let (sender, reader) = outbox(&context.config.limits);
        let link = Link { connection, outbox: sender, presence };
        {
            let mut state = context.directory.write();
            state.links.insert(account, link);
            state.failures.remove(&account);
        }
        let carrier = carry::Carrier {
            context,
            account,
            key: self.key,
            statement: self.statement,
            activity: &admission.activity,
        };
        tell(context, NetEvent::Connected { account }).await;
        let reason = tokio::select! {
            reason = carrier.carry(self.frames, reader) => reason,
            stop = &mut admission.stop => stop.unwrap_or(DisconnectReason::DroppedByUs),
        };
        context.directory.unlink(&account, connection);
        carry::count(context, reason);
        tell(context, NetEvent::Disconnected { account, reason }).await;
        drop(turn);
        End::Closed { account, direction, lasted: begun.elapsed() }
    }
}

/// Waits for room; a node that no longer listens gets nothing.
async fn tell(context: &Context, event: NetEvent) {
    let _ = context.events.send(Delivery { event, share: None }).await;
}
