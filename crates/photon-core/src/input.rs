//! Everything that can happen to a node.

use crate::effect::IntentId;
use crate::record::Recollection;
use crate::view::Target;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use photon_wire::contract::{Event, Position, Way};
use photon_wire::invoice::Invoice;
use photon_wire::message::Message;
use photon_wire::onward::ForTarget;
use photon_wire::record::{FeeSchedule, NodeRecord};
use photon_wire::{
    Address, Amount, BlockNumber, ChannelId, PaymentId, Seconds, Secret, SecretHash, Timestamp,
    Token,
};

/// One thing that happened.
#[derive(Clone, PartialEq, Debug)]
pub enum Input {
    /// The owner wants something.
    Command(Command),
    /// A peer said something; its signature is already known to be `signer`'s.
    Message(SignedMessage),
    /// A session with this account is up, and its hello was right.
    Connected(Address),
    /// It is down.
    Disconnected(Address),
    /// The contract said something, as deep in the chain as we demand.
    Contract(Position, Event),
    /// The contract said something, not as deep in the chain as we demand: it may vanish. Told
    /// again after a restart.
    Seen(Position, Event),
    /// What was seen in this block and later ones is not in the chain any more.
    Unseen {
        /// The first such block.
        from: BlockNumber,
    },
    /// What was told of later blocks is not in the chain any more, though it was as deep as we
    /// demand. Whatever holds is told again, from the block after this one.
    Reorganised {
        /// The last block that is still there.
        kept: BlockNumber,
        /// Its time.
        time: Timestamp,
    },
    /// The answer to [`crate::Effect::Recall`].
    Recalled {
        /// Which channel.
        channel: ChannelId,
        /// What the store knows.
        recollection: Box<Recollection>,
    },
    /// All events up to this block have been told.
    Block {
        /// The block at the depth we demand.
        number: BlockNumber,
        /// Its time: what is past by it is past for good.
        time: Timestamp,
        /// The time of the newest block: what may be past already.
        head_time: Timestamp,
    },
    /// Our own clock. It is only ever used to be more careful than the chain's time.
    Clock(Timestamp),
    /// The chain stopped or started answering (`true`: answers).
    ChainReachable(bool),
    /// What became of an [`crate::Effect::Submit`].
    Submitted {
        /// Which one.
        id: IntentId,
        /// Whether it is done, by us or by somebody else; the text says why not.
        outcome: Result<(), String>,
    },
}

/// A message together with what was learned about it before it reached the core.
#[derive(Clone, PartialEq, Debug)]
pub struct SignedMessage {
    /// Whose session it came through.
    pub from: Address,
    /// What was said.
    pub message: Message,
    /// Who signed the update or the disposal in it, over the digest of its own values as a claim
    /// of (update) or to (disposal) the other side; none where the message carries no signature.
    pub signer: Option<Address>,
    /// The locks of an update whose sealed part opened with our key.
    pub opened: Vec<OpenedLock>,
}

/// A lock that ends at us.
#[derive(Clone, PartialEq, Debug)]
pub struct OpenedLock {
    /// The index of the operation in the update.
    pub operation: usize,
    /// What its initiator says to us.
    pub contents: ForTarget,
}

/// What the owner can want. Everything drawn by lot comes with it.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Opens a channel on the chain, with a first deposit that may be zero.
    OpenChannel {
        /// The token.
        token: Token,
        /// The other side.
        partner: Address,
        /// How long a dispute takes updates.
        settle_timeout: Seconds,
        /// Our first deposit.
        deposit: Amount,
        /// How our tokens get in; none: the cheapest way.
        way: Option<Way>,
    },
    /// Adds to a deposit, ours or (as a gift) the partner's.
    Deposit {
        /// The channel.
        channel: ChannelId,
        /// Whose deposit grows.
        participant: Address,
        /// By how much.
        amount: Amount,
        /// How our tokens get in; none: the cheapest way.
        way: Option<Way>,
    },
    /// Takes tokens out of an open channel, with the partner's consent.
    Withdraw {
        /// The channel.
        channel: ChannelId,
        /// How much.
        amount: Amount,
    },
    /// Ends a channel together with the partner.
    SettleCooperatively {
        /// The channel.
        channel: ChannelId,
        /// Hold new payments back and wait until the pending locks are gone; else pending locks
        /// are a reason to refuse.
        drain: bool,
    },
    /// Gives up ending a channel together, while nothing is signed.
    CancelSettle(ChannelId),
    /// Ends a channel one-sidedly.
    CloseChannel(ChannelId),
    /// Settles a closed channel now; the node does it by itself once the time has come.
    SettleChannel(ChannelId),
    /// Pays somebody.
    Pay(PayCommand),
    /// Remembers an invoice of ours, and the secret that it asks for.
    AddInvoice {
        /// Signed by us.
        invoice: Invoice,
        /// Opens what is paid to it; none where the owner keeps it: what is paid is then held
        /// until he releases or cancels it.
        secret: Option<Secret>,
    },
    /// The owner shows the secret of a held payment: it is taken.
    ReleaseInvoice(Secret),
    /// The owner gives an invoice up: what is held for it goes back.
    CancelInvoice(SecretHash),
    /// Sets what we take for mediating, in one channel or wherever no channel has its own.
    SetFees {
        /// None: everywhere else.
        channel: Option<ChannelId>,
        /// The new schedule.
        fees: FeeSchedule,
    },
    /// Makes these records, our own among them, known; their signatures have been checked.
    AddRecords(Vec<NodeRecord>),
}

/// A payment to be made.
#[derive(Clone, PartialEq, Debug)]
pub struct PayCommand {
    /// The payer's name for it; the same name is the same payment.
    pub payment: PaymentId,
    /// Who is to be paid, in what, how much.
    pub target: Target,
    /// The most that mediators may take in all.
    pub max_fee: Amount,
    /// Whatever the payer wants to say.
    pub note: Vec<u8>,
    /// Set where an invoice is paid: locks are then made for this hash, and paying directly is
    /// out, because only a lock gives the payer the secret as proof.
    pub invoice: Option<SecretHash>,
    /// Never pay directly, even where the target is our partner.
    pub locked: bool,
    /// One for each route that may be tried, first to last; empty where only a direct payment
    /// will do.
    pub attempts: Vec<Attempt>,
}

/// What one attempt at a routed payment needs: a secret of its own, and the sealed part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempt {
    /// None where only the target knows it.
    pub secret: Option<Secret>,
    /// Of the secret.
    pub secret_hash: SecretHash,
    /// A [`ForTarget`] sealed to the target, bound to the secret hash.
    pub sealed: Vec<u8>,
}
