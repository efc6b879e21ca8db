//! What each row is called and what its bytes are: keys that sort the way they are read, values
//! that are a version and the core's encoding. A golden file holds all of them.

use crate::fault::Fault;
use crate::store::{Key, Table};
use photon_core::IntentId;
use photon_core::record::LockKey;
use photon_wire::codec::{Decode, DecodeError, Encode, Reader};
use photon_wire::{Address, B256, ChannelId, Nonce, PaymentId, SecretHash, Slot, Timestamp};

/// The first byte of every value.
const VERSION: u8 = 1;

/// The value of a row.
pub(crate) fn value<T: Encode>(record: &T) -> Vec<u8> {
    const USUAL: usize = 512;
    let mut bytes = Vec::with_capacity(USUAL);
    bytes.push(VERSION);
    record.encode(&mut bytes);
    bytes
}

/// The value of a row whose key says everything.
pub(crate) fn bare() -> Vec<u8> {
    vec![VERSION]
}

/// The record of a row.
pub(crate) fn record<T: Decode>(key: &Key, value: &[u8]) -> Result<T, Fault> {
    contents(key, value).and_then(|bytes| T::from_bytes(bytes).map_err(|error| bad(key, error)))
}

/// The bytes behind the version.
pub(crate) fn contents<'a>(key: &Key, value: &'a [u8]) -> Result<&'a [u8], Fault> {
    match value.split_first() {
        Some((&VERSION, bytes)) => Ok(bytes),
        Some((&got, _)) => Err(bad(key, DecodeError::Tag { what: "row version", got })),
        None => Err(bad(key, DecodeError::Short { needed: 1, left: 0 })),
    }
}

pub(crate) fn bad(key: &Key, source: DecodeError) -> Fault {
    Fault::Row { row: key.to_string(), source }
}

/// The kinds of rows in [`Table::State`], in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum StateKind {
    Store,
    Channel,
    Payment,
    Invoice,
    Intent,
    Graph,
    Node,
    Block,
    Fees,
    Registered,
    Ended,
}

impl StateKind {
    const ALL: [Self; 11] = [
        Self::Store,
        Self::Channel,
        Self::Payment,
        Self::Invoice,
        Self::Intent,
        Self::Graph,
        Self::Node,
        Self::Block,
        Self::Fees,
        Self::Registered,
        Self::Ended,
    ];

    const fn tag(self) -> u8 {
        match self {
            Self::Store => 0,
            Self::Channel => 1,
            Self::Payment => 2,
            Self::Invoice => 3,
            Self::Intent => 4,
            Self::Graph => 5,
            Self::Node => 6,
            Self::Block => 7,
            Self::Fees => 8,
            Self::Registered => 9,
            Self::Ended => 10,
        }
    }

    /// The kind of the row with this key.
    pub(crate) fn of(key: &Key) -> Result<Self, Fault> {
        let tag = key.bytes.first().copied().unwrap_or(u8::MAX);
        let found = Self::ALL.into_iter().find(|kind| kind.tag() == tag);
        found.ok_or_else(|| bad(key, DecodeError::Tag { what: "row", got: tag }))
    }
}

/// The beginning of a key.
fn tagged(tag: u8) -> Vec<u8> {
    const LONGEST: usize = 65;
    let mut bytes = Vec::with_capacity(LONGEST);
    bytes.push(tag);
    bytes
}

fn state(kind: StateKind, name: &impl Encode) -> Key {
    let mut key = Key { table: Table::State, bytes: tagged(kind.tag()) };
    name.encode(&mut key.bytes);
    key
}

/// Which format the rows have.
pub(crate) fn format() -> Key {
    state(StateKind::Store, &0_u8)
}

/// Whose rows these are.
pub(crate) fn owner() -> Key {
    state(StateKind::Store, &1_u8)
}

/// How many commits there have been.
pub(crate) fn commits() -> Key {
    state(StateKind::Store, &2_u8)
}

/// All rows of all channels.
pub(crate) fn all_channels() -> Key {
    Key { table: Table::State, bytes: tagged(StateKind::Channel.tag()) }
}

/// All invoices that wait to be paid.
pub(crate) fn all_unpaid_invoices() -> Key {
    Key { table: Table::State, bytes: tagged(StateKind::Invoice.tag()) }
}

/// All rows of a channel: first its own, then its locks.
pub(crate) fn channel_rows(channel: ChannelId) -> Key {
    state(StateKind::Channel, &channel)
}

/// Bytes of the key of a channel's own row.
pub(crate) const CHANNEL_KEY: usize = 34;

pub(crate) fn channel(channel: ChannelId) -> Key {
    let mut key = channel_rows(channel);
    key.bytes.push(0);
    key
}

pub(crate) fn lock(lock: &LockKey) -> Key {
    let mut key = channel_rows(lock.channel);
    key.bytes.push(1);
    lock.ours.encode(&mut key.bytes);
    lock.slot.encode(&mut key.bytes);
    key
}

/// The lock whose row has this key.
pub(crate) fn lock_of(key: &Key) -> Result<LockKey, Fault> {
    let mut name = Reader::new(key.bytes.get(1..).unwrap_or_default());
    let mut decode = || {
        let channel = ChannelId::decode(&mut name)?;
        u8::decode(&mut name)?;
        let (ours, slot) = (bool::decode(&mut name)?, Slot::decode(&mut name)?);
        name.finish()?;
        Ok(LockKey { channel, ours, slot })
    };
    decode().map_err(|error| bad(key, error))
}

pub(crate) fn pending_payment(id: PaymentId) -> Key {
    state(StateKind::Payment, &id)
}

pub(crate) fn unpaid_invoice(hash: SecretHash) -> Key {
    state(StateKind::Invoice, &hash)
}

pub(crate) fn intent(id: IntentId) -> Key {
    state(StateKind::Intent, &id)
}

pub(crate) fn graph(channel: ChannelId) -> Key {
    state(StateKind::Graph, &channel)
}

pub(crate) fn node(account: Address) -> Key {
    state(StateKind::Node, &account)
}

pub(crate) fn block() -> Key {
    Key { table: Table::State, bytes: vec![StateKind::Block.tag()] }
}

pub(crate) fn fees(channel: Option<ChannelId>) -> Key {
    state(StateKind::Fees, &channel)
}

/// Whose fees the row with this key has.
pub(crate) fn fees_of(key: &Key) -> Result<Option<ChannelId>, Fault> {
    Option::from_bytes(key.bytes.get(1..).unwrap_or_default()).map_err(|error| bad(key, error))
}

/// The row is bare: its key says which secret.
pub(crate) fn registered(hash: SecretHash) -> Key {
    state(StateKind::Registered, &hash)
}

/// Which secret was registered, by the row with this key.
pub(crate) fn registered_of(key: &Key) -> Result<SecretHash, Fault> {
    let name = key.bytes.get(1..).unwrap_or_default();
    SecretHash::from_bytes(name).map_err(|error| bad(key, error))
}

/// The last life of a pair that is over.
pub(crate) fn ended(channel: ChannelId) -> Key {
    state(StateKind::Ended, &channel)
}

/// Which pair, by the row with this key.
pub(crate) fn ended_of(key: &Key) -> Result<ChannelId, Fault> {
    let name = key.bytes.get(1..).unwrap_or_default();
    ChannelId::from_bytes(name).map_err(|error| bad(key, error))
}

/// All rows of a table.
pub(crate) fn everything(table: Table) -> Key {
    Key { table, bytes: Vec::new() }
}

/// All stored updates of a channel.
pub(crate) fn updates(channel: ChannelId) -> Key {
    Key { table: Table::Outgoing, bytes: channel.to_bytes() }
}

pub(crate) fn update(channel: ChannelId, nonce: Nonce) -> Key {
    let mut key = updates(channel);
    nonce.encode(&mut key.bytes);
    key
}

/// Which update the row with this key holds.
pub(crate) fn update_of(key: &Key) -> Result<(ChannelId, Nonce), Fault> {
    let (channel, nonce) = key.bytes.split_at_checked(32).unwrap_or_default();
    let channel = ChannelId::from_bytes(channel).map_err(|error| bad(key, error))?;
    let nonce = Nonce::from_bytes(nonce).map_err(|error| bad(key, error))?;
    Ok((channel, nonce))
}

pub(crate) fn finished_payment(id: PaymentId) -> Key {
    Key { table: Table::Payments, bytes: id.to_bytes() }
}

/// The kinds of rows in [`Table::History`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Past {
    /// Payments, pending ones too, by the time they were asked for.
    PaymentTime,
    Receipt,
    Notice,
    /// Paid invoices.
    Invoice,
    /// Invoices, unpaid ones too, by the time they were made.
    InvoiceTime,
    /// Locks of ours that payees have given back.
    Disposal,
    /// Invoices of others that we have paid, and by which payment.
    Settled,
    /// How updates of ours changed our locks.
    LockHistory,
}

impl Past {
    const fn tag(self) -> u8 {
        match self {
            Self::PaymentTime => 1,
            Self::Receipt => 2,
            Self::Notice => 3,
            Self::Invoice => 4,
            Self::InvoiceTime => 5,
            Self::Disposal => 6,
            Self::Settled => 7,
            Self::LockHistory => 8,
        }
    }

    /// All rows of this kind.
    pub(crate) fn all(self) -> Key {
        Key { table: Table::History, bytes: tagged(self.tag()) }
    }

    fn row(self, name: &impl Encode) -> Key {
        let mut key = self.all();
        name.encode(&mut key.bytes);
        key
    }
}

pub(crate) fn payment_time(created: Timestamp, id: PaymentId) -> Key {
    let mut key = Past::PaymentTime.row(&created);
    id.encode(&mut key.bytes);
    key
}

pub(crate) fn receipt(number: u64) -> Key {
    Past::Receipt.row(&number)
}

pub(crate) fn notice(number: u64) -> Key {
    Past::Notice.row(&number)
}

pub(crate) fn paid_invoice(hash: SecretHash) -> Key {
    Past::Invoice.row(&hash)
}

/// The payment of ours that paid this invoice of somebody else.
pub(crate) fn settled_invoice(hash: SecretHash) -> Key {
    Past::Settled.row(&hash)
}

pub(crate) fn invoice_time(issued: Timestamp, hash: SecretHash) -> Key {
    let mut key = Past::InvoiceTime.row(&issued);
    hash.encode(&mut key.bytes);
    key
}

/// All disposals of a channel.
pub(crate) fn disposals(channel: ChannelId) -> Key {
    Past::Disposal.row(&channel)
}

/// A disposal is called by the hash of what it says: said twice, it is stored once.
pub(crate) fn disposal(channel: ChannelId, hash: B256) -> Key {
    let mut key = disposals(channel);
    hash.encode(&mut key.bytes);
    key
}

/// How our locks in a channel changed.
pub(crate) fn lock_histories(channel: ChannelId) -> Key {
    Past::LockHistory.row(&channel)
}

pub(crate) fn lock_history(channel: ChannelId, nonce: Nonce) -> Key {
    let mut key = lock_histories(channel);
    nonce.encode(&mut key.bytes);
    key
}

/// By which update, by the row with this key.
pub(crate) fn lock_history_of(key: &Key) -> Result<Nonce, Fault> {
    const NAME: usize = 33;
    let nonce = key.bytes.get(NAME..).unwrap_or_default();
    Nonce::from_bytes(nonce).map_err(|error| bad(key, error))
}

/// The number in the key of a receipt or a notice.
pub(crate) fn number_of(key: &Key) -> Result<u64, Fault> {
    let number = key.bytes.get(1..).unwrap_or_default();
    u64::from_bytes(number).map_err(|error| bad(key, error))
}

/// Time and name in the key of an order by time.
pub(crate) fn time_of<T: Decode>(key: &Key) -> Result<(Timestamp, T), Fault> {
    let name = key.bytes.get(1..).unwrap_or_default();
    let (time, name) = name.split_at_checked(8).unwrap_or_default();
    let time = Timestamp::from_bytes(time).map_err(|error| bad(key, error))?;
    Ok((time, T::from_bytes(name).map_err(|error| bad(key, error))?))
}
