//! What the handles and the tasks share: who is wanted, who is there, and where to put frames for
//! them.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::SystemTime,
};

use alloy_primitives::Address;
use libp2p::{Multiaddr, swarm::ConnectionId};
use tokio::sync::Notify;

use crate::outbox::Outbox;

/// Who opened a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The peer dialled us.
    Incoming,
    /// We dialled the peer.
    Outgoing,
}

/// A session that is up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    /// Since when.
    pub since: SystemTime,
    /// The peer's end of the connection.
    pub address: Multiaddr,
    /// Who opened it.
    pub direction: Direction,
}

/// One known peer in the snapshot of [`Net::peers`](crate::Net::peers).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerInfo {
    /// Who.
    pub account: Address,
    /// The session, if one is up.
    pub presence: Option<Presence>,
    /// Added by [`Net::add_peer`](crate::Net::add_peer): dialled again and again.
    pub explicit: bool,
    /// Explicit, or named by [`Net::set_friends`](crate::Net::set_friends).
    pub friend: bool,
    /// Why the last try to reach an explicit peer failed; none once it succeeded.
    pub last_failure: Option<String>,
}

/// The shared state behind one lock, which is never held across an await.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    state: RwLock<State>,
    /// Wakes the hub after a change of who is wanted.
    pub(crate) changed: Notify,
}

/// Everything in the directory.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) links: HashMap<Address, Link>,
    pub(crate) friends: HashSet<Address>,
    pub(crate) explicit: HashMap<Address, Vec<Multiaddr>>,
    pub(crate) failures: HashMap<Address, String>,
    pub(crate) listening: Vec<Multiaddr>,
    /// Accounts whose sessions the node wants ended.
    pub(crate) unwanted: HashSet<Address>,
    pub(crate) statement: Arc<[u8]>,
}

/// A session that takes frames.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) connection: ConnectionId,
    pub(crate) outbox: Outbox,
    pub(crate) presence: Presence,
}

impl Directory {
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn outbox(&self, account: &Address) -> Option<Outbox> {
        self.read().links.get(account).map(|link| link.outbox.clone())
    }

    /// Removes the account's link if it still is that of this connection.
    pub(crate) fn unlink(&self, account: &Address, connection: ConnectionId) {
        let mut state = self.write();
        if state.links.get(account).is_some_and(|link| link.connection == connection) {
            state.links.remove(account);
        }
    }
}

impl State {
    pub(crate) fn is_friend(&self, account: &Address) -> bool {
        self.friends.contains(account) || self.explicit.contains_key(account)
    }

    /// Everybody who is connected or wanted, sorted by account.
    pub(crate) fn peers(&self) -> Vec<PeerInfo> {
        let mut accounts: Vec<&Address> =
            self.links.keys().chain(self.explicit.keys()).chain(&self.friends).collect();
        accounts.sort_unstable();
        accounts.dedup();
        accounts.into_iter().map(|account| self.peer(account)).collect()
    }

    fn peer(&self, account: &Address) -> PeerInfo {
        PeerInfo {
            account: *account,
            presence: self.links.get(account).map(|link| link.presence.clone()),
            explicit: self.explicit.contains_key(account),
            friend: self.is_friend(account),
            last_failure: self.failures.get(account).cloned(),
        }
    }
}
