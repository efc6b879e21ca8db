//! Opening and depositing without a coin: we sign, somebody's relay carries it to the chain.
//!
//! What is signed is written down before it leaves, so that a node that ends in between goes on
//! with it; the relay takes the same authorization any number of times. It moves tokens of ours
//! into a channel of ours and nowhere else, once, until its last second: whatever the relay does
//! with it, nothing is lost.

mod book;
mod relayer;

use crate::api::Problem;
use crate::handle::NodeHandle;
use crate::shared::Shared;
use book::{Book, Entry};
use photon_wire::claim::Claim as _;
use photon_wire::claim::Domain;
use photon_wire::contract::Call;
use photon_wire::{B256, ChannelId, ChannelKey, Timestamp};
use relayer::{Relayer, Reply};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;
use tracing::{info, warn};

/// How often the relay is asked how far it is, and how long it is left alone after silence.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How far an authorization is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Relayed {
    /// The relay has not answered yet.
    Asking,
    /// The relay does not answer, for this reason; it is asked again.
    Silent(String),
    /// The relay took it, and has sent this transaction, where it said so.
    Taken(Option<B256>),
    /// The relay will not take it.
    Refused {
        /// The relay's code.
        code: String,
        /// The relay's words.
        detail: String,
    },
    /// The relay tried and it cannot be done.
    Failed(String),
    /// It is in the chain.
    Done(Option<B256>),
    /// Its last second is past for good, and nothing came of it.
    Expired(Timestamp),
}

impl Relayed {
    /// Whether nothing more comes of it.
    pub const fn is_over(&self) -> bool {
        match self {
            Self::Asking | Self::Silent(_) | Self::Taken(_) => false,
            Self::Refused { .. } | Self::Failed(_) | Self::Done(_) | Self::Expired(_) => true,
        }
    }
}

/// What we signed and somebody is to carry.
pub(crate) struct Gasless {
    book: Mutex<Book>,
    relayer: Option<Relayer>,
}

/// The name of an authorization: what was signed, of our own typed data.
pub(crate) fn id_of(call: &Call, domain: &Domain) -> Option<B256> {
    if let Call::OpenAuthorized { authorization, .. } = call {
        Some(authorization.digest(domain).0)
    } else if let Call::DepositAuthorized { authorization, .. } = call {
        Some(authorization.digest(domain).0)
    } else {
        None
    }
}

/// The last second of an authorization, and its channel.
fn bounds_of(call: &Call) -> Option<(Timestamp, ChannelId)> {
    if let Call::OpenAuthorized { authorization, .. } = call {
        let key =
            ChannelKey::new(authorization.token, authorization.participant, authorization.partner)?;
        Some((authorization.valid_until, key.id()))
    } else if let Call::DepositAuthorized { authorization, .. } = call {
        Some((authorization.valid_until, authorization.key.id()))
    } else {
        None
    }
}

impl Gasless {
    /// Reads what an earlier process signed.
    pub(crate) fn open(data_dir: &Path, relayer: Option<&str>) -> io::Result<Self> {
        let book = Book::open(&data_dir.join("authorizations"))?;
        Ok(Self { book: Mutex::new(book), relayer: relayer.map(Relayer::new) })
    }

    /// Whether a relay is known.
    pub(crate) const fn has_relayer(&self) -> bool {
        self.relayer.is_some()
    }

    /// A number that no authorization of ours has had, durably so.
    pub(crate) fn next_nonce(&self) -> io::Result<B256> {
        self.book().next_nonce()
    }

    /// Whether an authorization that opens this channel is on its way.
    pub(crate) fn is_opening(&self, channel: ChannelId) -> bool {
        self.book().entries().iter().any(|entry| {
            matches!(entry.call, Call::OpenAuthorized { .. })
                && bounds_of(&entry.call).is_some_and(|(_, of)| of == channel)
        })
    }

    fn book(&self) -> std::sync::MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Goes on with what an earlier process signed.
pub(crate) fn resume(handle: &NodeHandle) {
    let entries = handle.shared.gasless.book().entries().to_vec();
    for entry in entries {
        info!(id = %entry.id, "an authorization is carried on");
        spawn(handle.clone(), entry);
    }
}

/// Writes a signed call down and has it carried; tells how far it is.
pub(crate) fn begin(
    handle: &NodeHandle,
    id: B256,
    call: Call,
) -> io::Result<watch::Receiver<Relayed>> {
    let entry = Entry { id, call };
    handle.shared.gasless.book().add(entry.clone())?;
    Ok(spawn(handle.clone(), entry))
}

fn spawn(handle: NodeHandle, entry: Entry) -> watch::Receiver<Relayed> {
    let (told, far) = watch::channel(Relayed::Asking);
    tokio::spawn(async move {
        let stop = handle.shared.stop.clone();
        tokio::select! {
            () = carry(&handle, &entry, &told) => {}
            () = stop.cancelled() => return,
        }
        if let Err(error) = handle.shared.gasless.book().remove(entry.id) {
            // It is looked at again after the next start, and found to be over.
            warn!(%error, "an authorization that is over stays in the book");
        }
    });
    far
}

/// Until it is over.
async fn carry(handle: &NodeHandle, entry: &Entry, told: &watch::Sender<Relayed>) {
    let Some((valid_until, channel)) = bounds_of(&entry.call) else { return };
    let opens = matches!(entry.call, Call::OpenAuthorized { .. });
    let mut pause = PAUSE;
    loop {
        let reply = ask(&handle.shared, entry).await;
        let hash = match &reply {
            Ok(Reply::Sending(hash) | Reply::Done(hash)) => *hash,
            Ok(Reply::Refused { .. } | Reply::Failed(_)) | Err(_) => None,
        };
        // Of an opening the chain itself is believed, whatever the relay says.
        if opens && handle.channel(channel).await.is_ok_and(|view| view.is_some()) {
            told.send_replace(Relayed::Done(hash));
            return;
        }
        let far = match reply {
            Ok(Reply::Sending(hash)) => Relayed::Taken(hash),
            Ok(Reply::Done(hash)) if opens => Relayed::Taken(hash),
            Ok(Reply::Done(hash)) => Relayed::Done(hash),
            Ok(Reply::Refused { code, detail }) => Relayed::Refused { code, detail },
            Ok(Reply::Failed(reason)) => Relayed::Failed(reason),
            Err(reason) => Relayed::Silent(reason),
        };
        pause = if matches!(far, Relayed::Silent(_)) {
            pause.saturating_mul(2).min(LONGEST_PAUSE)
        } else {
            PAUSE
        };
        let over = far.is_over();
        told.send_replace(far);
        if over {
            return;
        }
        if is_past(handle, valid_until).await {
            told.send_replace(Relayed::Expired(valid_until));
            return;
        }
        sleep(pause).await;
    }
}

/// By the time of a block at the depth that we demand: only that cannot be taken back.
async fn is_past(handle: &NodeHandle, instant: Timestamp) -> bool {
    let block = handle.look(|machine| machine.block()).await;
    block.is_ok_and(|block| block.is_some_and(|block| block.time > instant))
}

async fn ask(shared: &Arc<Shared>, entry: &Entry) -> Result<Reply, String> {
    let Some(relayer) = &shared.gasless.relayer else {
        return Err("no relay is configured any more".to_owned());
    };
    relayer.submit(shared.network.chain_id, shared.network.contract, &entry.call).await
}

/// What a relay says where it refuses.
pub(crate) fn refusal_of(problem: Problem) -> Reply {
    Reply::Refused { code: problem.code, detail: problem.detail }
}
