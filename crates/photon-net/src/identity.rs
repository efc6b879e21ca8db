//! Who we are on the wire, and how the other side proves who it is.

use std::{
    fmt,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use alloy_primitives::Address;
use libp2p::{
    PeerId,
    identity::{Keypair, PublicKey},
};

use crate::Error;

/// Checks a peer's statement: its bytes, the ed25519 public key that the encrypted connection
/// proved, and the time now in Unix seconds. Returns the account that the key speaks for, or none
/// if the statement is malformed, expired, wrongly signed, or about another key.
pub type VerifyStatement = Arc<dyn Fn(&[u8], &[u8; 32], u64) -> Option<Address> + Send + Sync>;

/// This node's account, its transport key, and the statement that binds the two.
#[derive(Clone)]
pub struct Identity {
    /// The account that peers address.
    pub account: Address,
    /// Seed of the ed25519 transport key; its own key, never the account's.
    pub transport_key: [u8; 32],
    /// Signed and expiring: "this transport key speaks for this account". At most
    /// [`MAX_STATEMENT`](crate::MAX_STATEMENT) bytes.
    pub statement: Vec<u8>,
}

impl Identity {
    /// The ed25519 public key that the statement must name.
    pub fn transport_public_key(seed: [u8; 32]) -> [u8; 32] {
        let secret = libp2p::identity::ed25519::SecretKey::try_from_bytes(seed)
            .expect("every 32 bytes are an ed25519 seed");
        libp2p::identity::ed25519::Keypair::from(secret).public().to_bytes()
    }

    pub(crate) fn keypair(&self) -> Result<Keypair, Error> {
        Keypair::ed25519_from_bytes(self.transport_key).map_err(|_| Error::TransportKey)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Identity").field("account", &self.account).finish_non_exhaustive()
    }
}

/// The ed25519 key inside a peer id, if it is one: such ids carry the key itself, not a digest.
pub(crate) fn ed25519_key(peer: &PeerId) -> Option<[u8; 32]> {
    const IDENTITY_HASH: u64 = 0;
    let hash = peer.as_ref();
    if hash.code() != IDENTITY_HASH {
        return None;
    }
    let key = PublicKey::try_decode_protobuf(hash.digest()).ok()?;
    Some(key.try_into_ed25519().ok()?.to_bytes())
}

/// The clock that statements are checked against.
pub(crate) fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
