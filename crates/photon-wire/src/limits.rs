//! The stated maximum of everything that a peer can feed us.

/// Levels of a direction's lock tree.
pub const TREE_DEPTH: usize = 12;
/// Slots of a direction's lock tree, and so the most locks that can be pending in it.
pub const SLOTS: u16 = 1 << TREE_DEPTH;
/// Bytes of one frame on the transport, and so of one message.
pub const FRAME_BYTES: usize = 64 * 1024;
/// Operations in one update.
pub const OPERATIONS: usize = 2_048;
/// Bytes of the operations of one update that we send; leaves room for the rest of the frame.
pub const UPDATE_BYTES: usize = 56 * 1024;
/// Updates that a payer may have in flight in one direction.
pub const UPDATES_IN_FLIGHT: usize = 32;
/// Operations that may wait for their update in one direction.
pub const OPERATIONS_WAITING: usize = 16 * 1024;
/// Bytes of one onward packet.
pub const ONWARD_BYTES: usize = 1_300;
/// Mediators on a route.
pub const MEDIATORS: usize = 8;
/// Bytes of a payment's note.
pub const NOTE_BYTES: usize = 256;
/// Secrets in one reveal.
pub const SECRETS: usize = 1_024;
/// Locks in one disposal. Whoever punishes brings all of them to the chain for each lock: a payee
/// who gives one lock back among a thousand others could else make punishing dearer than the lock.
pub const DISPOSED_LOCKS: usize = 64;
/// Secrets in one registration on the chain.
pub const REGISTRATION_SECRETS: usize = 256;
/// Channels in one reestablishment.
pub const CHANNELS_PER_MESSAGE: usize = 256;
/// Addresses in a node record.
pub const RECORD_ADDRESSES: usize = 8;
/// Bytes of one address in a node record.
pub const ADDRESS_BYTES: usize = 256;
/// Node records in one message.
pub const RECORDS_PER_MESSAGE: usize = 32;
/// Node records that a node remembers.
pub const RECORDS: usize = 100_000;
/// Bytes of an invoice's description.
pub const DESCRIPTION_BYTES: usize = 200;
