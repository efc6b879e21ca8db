//! Where an account is reached, signed so that nobody else can say it: a node record.
//!
//! The statement binds the account to the transport key, the transport key signs the addresses.
//! On the wire: statement length (2 bytes, big-endian), statement, signed libp2p peer record.

use alloy_primitives::Address;
use libp2p::{
    Multiaddr, PeerId,
    core::{PeerRecord, SignedEnvelope},
    identity::Keypair,
    multiaddr::Protocol,
};

use crate::{MAX_STATEMENT, VerifyStatement, identity::ed25519_key};

/// The largest record, in bytes.
pub(crate) const MAX_RECORD: usize = 4096;

/// Addresses in a record that are looked at.
const MAX_ADDRESSES: usize = 16;

/// A record that holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NodeRecord {
    /// Rises with each new record of the same key.
    pub(crate) sequence: u64,
    /// Each ends in the peer id that the statement names.
    pub(crate) addresses: Vec<Multiaddr>,
}

/// Signs our addresses; none if they are too many for one record.
pub(crate) fn seal(
    keypair: &Keypair,
    statement: &[u8],
    addresses: Vec<Multiaddr>,
) -> Option<Vec<u8>> {
    let record = PeerRecord::new(keypair, addresses).ok()?;
    let envelope = record.into_signed_envelope().into_protobuf_encoding();
    let length = u16::try_from(statement.len()).ok()?;
    let bytes = [&length.to_be_bytes(), statement, &envelope].concat();
    (bytes.len() <= MAX_RECORD).then_some(bytes)
}

/// Checks a record about `account`; none if anything about it is wrong.
pub(crate) fn open(
    bytes: &[u8],
    account: &Address,
    verify: &VerifyStatement,
    now: u64,
) -> Option<NodeRecord> {
    if bytes.len() > MAX_RECORD {
        return None;
    }
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    let (statement, envelope) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
    if statement.len() > MAX_STATEMENT {
        return None;
    }
    let envelope = SignedEnvelope::from_protobuf_encoding(envelope).ok()?;
    let record = PeerRecord::from_signed_envelope(envelope).ok()?;
    let peer = record.peer_id();
    if verify(statement, &ed25519_key(&peer)?, now)? != *account {
        return None;
    }
    let addresses = record.addresses().iter().take(MAX_ADDRESSES);
    let addresses = addresses.filter_map(|address| name(address, peer)).collect();
    Some(NodeRecord { sequence: record.seq(), addresses })
}

/// The address with the peer id at its end; none if it names another one.
fn name(address: &Multiaddr, peer: PeerId) -> Option<Multiaddr> {
    match crate::dialer::named_peer(address) {
        Some(named) if named == peer => Some(address.clone()),
        Some(_) => None,
        None => Some(address.clone().with(Protocol::P2p(peer))),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::Identity;

    fn verify() -> VerifyStatement {
        Arc::new(|statement: &[u8], key: &[u8; 32], _| {
            let (account, named) = statement.split_first_chunk::<20>()?;
            (named == key).then(|| Address::from(*account))
        })
    }

    #[test]
    fn only_the_key_that_the_statement_names_can_say_where_an_account_is() {
        let account = Address::repeat_byte(1);
        let seed = [5; 32];
        let keypair = Keypair::ed25519_from_bytes(seed).unwrap();
        let statement = [account.as_slice(), &Identity::transport_public_key(seed)].concat();
        let address: Multiaddr = "/ip4/127.0.0.1/tcp/1".parse().unwrap();
        let peer = keypair.public().to_peer_id();
        let bytes = seal(&keypair, &statement, vec![address.clone()]).unwrap();
        let record = open(&bytes, &account, &verify(), 0).expect("a record of our own holds");
        assert_eq!(record.addresses, [address.clone().with(Protocol::P2p(peer))]);
        assert_eq!(open(&bytes, &Address::repeat_byte(2), &verify(), 0), None);
        let thief = Keypair::ed25519_from_bytes([6; 32]).unwrap();
        let forged = seal(&thief, &statement, vec![address]).unwrap();
        assert_eq!(open(&forged, &account, &verify(), 0), None);
        for length in 0..bytes.len() {
            assert_eq!(open(&bytes[..length], &account, &verify(), 0), None);
        }
    }
}
