//! Everything a node can want, and everything it must not forget.

use crate::record::{
    BlockRecord, ChannelRecord, EndedRecord, GraphRecord, IntentRecord, InvoiceRecord, LockChange,
    LockKey, LockRecord, PaymentRecord, ReceiptRecord,
};
use crate::view::NoticeKind;
use alloc::boxed::Box;
use alloc::vec::Vec;
use photon_wire::contract::Call;
use photon_wire::message::{AgreeSettle, AgreeWithdraw, Dispose, Message, Update};
use photon_wire::record::{FeeSchedule, NodeRecord};
use photon_wire::{Address, ChannelId, Nonce, SecretHash, Timestamp};

/// What came of some steps: what to store, and what to do once it is stored.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Turn {
    /// To be stored, all or none.
    pub changes: Vec<Change>,
    /// To be done, in order, but not before the changes are durable.
    pub effects: Vec<Effect>,
}

/// Something to do.
#[derive(Clone, PartialEq, Debug)]
pub enum Effect {
    /// Sign this update of ours, store the bytes *with the changes of the same turn*, and send
    /// them once they are stored. The signature in it is blank.
    SendUpdate {
        /// To whom.
        to: Address,
        /// Unsigned.
        update: Update,
    },
    /// Sign and send; the same lock can be disposed again with the same effect.
    SendDispose {
        /// To whom.
        to: Address,
        /// Unsigned.
        dispose: Dispose,
    },
    /// Sign and send: the partner may withdraw. The same can be signed again.
    SendAgreeWithdraw {
        /// To whom.
        to: Address,
        /// Unsigned.
        agree: AgreeWithdraw,
    },
    /// Sign and send: the partner may end the channel. The same can be signed again.
    SendAgreeSettle {
        /// To whom.
        to: Address,
        /// Unsigned.
        agree: AgreeSettle,
    },
    /// Read the disposals of this channel and the changes of our locks after this nonce from the
    /// store, and answer with [`crate::Input::Recalled`].
    Recall {
        /// Which channel.
        channel: ChannelId,
        /// After which nonce.
        after: Nonce,
    },
    /// Send as it is.
    Send {
        /// To whom.
        to: Address,
        /// What.
        message: Message,
    },
    /// Send the stored updates of this channel again, all after this nonce, byte for byte.
    Resend {
        /// To whom.
        to: Address,
        /// Which channel.
        channel: ChannelId,
        /// What the partner has.
        after: Nonce,
    },
    /// Get this onto the chain and say with [`crate::Input::Submitted`] what became of it.
    Submit(Intent),
    /// Tell whoever waits or watches; the number is the notice's.
    Notify(u64, Notice),
}

/// Names an intent; rises by one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct IntentId(pub u64);

/// A transaction that we want to see in the chain.
#[derive(Clone, PartialEq, Debug)]
pub struct Intent {
    /// Its name.
    pub id: IntentId,
    /// The call.
    pub call: Call,
    /// When it is too late; fees rise towards it.
    pub deadline: Option<Timestamp>,
}

/// A row to put or delete.
#[derive(Clone, PartialEq, Debug)]
pub enum Change {
    /// A channel of ours.
    Channel(Box<ChannelRecord>),
    /// A channel is over.
    ChannelGone(ChannelId),
    /// A pending lock.
    Lock(LockKey, LockRecord),
    /// A lock is over.
    LockGone(LockKey),
    /// A payee gave locks of ours back: whoever claims one on the chain can be punished with this.
    Disposal(ChannelId, Dispose),
    /// How an update of ours with this nonce changed our locks; put beside the others.
    History(ChannelId, Nonce, Vec<LockChange>),
    /// The changes of these nonces, both ends among them, need not be kept.
    HistoryGone {
        /// Which channel.
        channel: ChannelId,
        /// The first.
        from: Nonce,
        /// The last.
        to: Nonce,
    },
    /// The last life of this pair that is over.
    Ended(ChannelId, EndedRecord),
    /// Stored updates up to this nonce are acknowledged; they need not be kept.
    Acknowledged(ChannelId, Nonce),
    /// A payment of ours.
    Payment(PaymentRecord),
    /// A payment that reached us.
    Receipt(ReceiptRecord),
    /// An invoice of ours.
    Invoice(InvoiceRecord),
    /// A transaction that we want, or are done with.
    Intent(IntentRecord),
    /// The transaction is done with.
    IntentGone(IntentId),
    /// A channel of anybody, for routes.
    Graph(GraphRecord),
    /// It is gone.
    GraphGone(ChannelId),
    /// A node's record.
    Node(NodeRecord),
    /// It is past.
    NodeGone(Address),
    /// These secrets are public for ever.
    Registered(Vec<SecretHash>),
    /// Where the chain stands.
    Block(BlockRecord),
    /// Our fees.
    Fees(Option<ChannelId>, FeeSchedule),
    /// The channel has no fees of its own any more.
    FeesGone(ChannelId),
    /// Something worth telling; the number rises by one.
    Notice(u64, Notice),
}

/// Something worth telling the owner, in the past tense.
#[derive(Clone, PartialEq, Debug)]
pub struct Notice {
    /// When, by our time.
    pub at: Timestamp,
    /// What.
    pub kind: NoticeKind,
}

photon_wire::fields_codec!(Notice { at, kind });
