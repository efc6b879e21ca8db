use photon_wire::codec::DecodeError;
use photon_wire::{Address, ChannelId, Nonce};
use std::error::Error;
use std::io::ErrorKind;
use std::path::PathBuf;

/// What the library below says; nobody above needs to know which one it is.
pub type Cause = Box<dyn Error + Send + Sync + 'static>;

/// Why the store cannot go on, and what helps.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Two processes would sign two truths.
    #[error(
        "the store {} is in use by another process; stop that node first, or give this one a data \
         directory of its own", path.display()
    )]
    InUse {
        /// Where.
        path: PathBuf,
    },
    /// What is stored was signed by somebody else.
    #[error(
        "the store {} belongs to account {stored}, this node is {given}; start it with the key of \
         {stored}, or give it a data directory of its own", path.display()
    )]
    OtherAccount {
        /// Where.
        path: PathBuf,
        /// Whose it is.
        stored: Address,
        /// Who asks.
        given: Address,
    },
    /// What is stored was signed for another contract.
    #[error(
        "the store {} belongs to contract {} on chain {}, this node is set to contract {} on chain \
         {}; set it back, or give it a data directory of its own",
        path.display(), stored.1, stored.0, given.1, given.0
    )]
    OtherNetwork {
        /// Where.
        path: PathBuf,
        /// Chain and contract of what is stored.
        stored: (u64, Address),
        /// Chain and contract of the configuration.
        given: (u64, Address),
    },
    /// The format is of the future.
    #[error(
        "the store {} has format {stored}, this program knows formats up to {known}; install the \
         version of Photon that wrote it, or a newer one", path.display()
    )]
    Newer {
        /// Where.
        path: PathBuf,
        /// Its format.
        stored: u32,
        /// The newest that we know.
        known: u32,
    },
    /// The store was put back to an earlier state.
    #[error(
        "the store {} ends at commit {stored}, but this node has committed up to {remembered}: it \
         was restored from an older copy, or its end was damaged. Signing on from there could \
         cost deposits. Put the newest copy back", path.display()
    )]
    Stale {
        /// Where.
        path: PathBuf,
        /// The last commit in the store.
        stored: u64,
        /// The last commit that was made.
        remembered: u64,
    },
    /// A row is not what was written.
    #[error(
        "row {row} of the store cannot be read: {source}; restore the store from the newest copy"
    )]
    Row {
        /// Its table and key.
        row: String,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// A row belongs to something that is not there.
    #[error("row {row} of the store is missing; restore the store from the newest copy")]
    MissingRow {
        /// What and of which channel.
        row: String,
    },
    /// An update that we have signed and that the partner has not acknowledged is not there.
    #[error(
        "update {} of channel {channel} was signed, but is not in the store; restore the store \
         from the newest copy", nonce.0
    )]
    MissingUpdate {
        /// The channel.
        channel: ChannelId,
        /// Of the update.
        nonce: Nonce,
    },
    /// The files are not what was written.
    #[error(
        "the store {} is damaged ({source}); restore it from the newest copy", path.display()
    )]
    Damaged {
        /// Where.
        path: PathBuf,
        /// How.
        source: Cause,
    },
    /// There is no room.
    #[error("the disk of {} is full; make room and start the node again", path.display())]
    DiskFull {
        /// Where.
        path: PathBuf,
        /// In the system's words.
        source: Cause,
    },
    /// The disk or the file system refuses.
    #[error(
        "the store {} cannot be {action}: {source}; see to the disk and the permissions, then \
         start the node again", path.display()
    )]
    Disk {
        /// Where.
        path: PathBuf,
        /// Opened, read, written.
        action: &'static str,
        /// In the system's words.
        source: Cause,
        /// Whether it may pass by itself.
        passing: bool,
    },
    /// Memory is ahead of the disk since an earlier fault, so nothing more may be signed.
    #[error("an earlier commit failed; the node has to load its store again")]
    Poisoned,
    /// The engine that read from this store is gone.
    #[error("the node has stopped")]
    Closed,
    /// A draft was made and never committed, or committed after a later one.
    #[error(
        "draft {got} is not the one that waits for its commit ({expected}); the node has to load \
         its store again"
    )]
    LostDraft {
        /// The draft that waits.
        expected: u64,
        /// The one that came.
        got: u64,
    },
    /// Every digest of a draft has one signature.
    #[error("{got} signatures for {expected} digests; the node has to load its store again")]
    Signatures {
        /// Digests of the draft.
        expected: usize,
        /// Signatures that came.
        got: usize,
    },
}

impl Fault {
    /// Whether opening the store again a little later may go well without anybody's help.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::InUse { .. } | Self::DiskFull { .. } => true,
            Self::Disk { passing, .. } => *passing,
            Self::OtherAccount { .. }
            | Self::OtherNetwork { .. }
            | Self::Newer { .. }
            | Self::Stale { .. }
            | Self::Row { .. }
            | Self::MissingRow { .. }
            | Self::MissingUpdate { .. }
            | Self::Damaged { .. }
            | Self::Poisoned
            | Self::Closed
            | Self::LostDraft { .. }
            | Self::Signatures { .. } => false,
        }
    }

    pub(crate) fn io(path: PathBuf, action: &'static str, error: std::io::Error) -> Self {
        const FULL: [ErrorKind; 2] = [ErrorKind::StorageFull, ErrorKind::QuotaExceeded];
        const DAMAGED: [ErrorKind; 2] = [ErrorKind::InvalidData, ErrorKind::UnexpectedEof];
        const PASSING: [ErrorKind; 4] = [
            ErrorKind::Interrupted,
            ErrorKind::TimedOut,
            ErrorKind::WouldBlock,
            ErrorKind::ResourceBusy,
        ];
        let kind = error.kind();
        let source = Box::new(error);
        if FULL.contains(&kind) {
            Self::DiskFull { path, source }
        } else if DAMAGED.contains(&kind) {
            Self::Damaged { path, source }
        } else {
            Self::Disk { path, action, source, passing: PASSING.contains(&kind) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_apart_and_may_pass() {
        let full = Fault::io("x".into(), "written", ErrorKind::StorageFull.into());
        assert!(matches!(full, Fault::DiskFull { .. }) && full.is_transient());
        let denied = Fault::io("x".into(), "opened", ErrorKind::PermissionDenied.into());
        assert!(!denied.is_transient());
        assert!(denied.to_string().starts_with("the store x cannot be opened: permission denied"));
        assert!(denied.source().is_some());
    }
}
