//! What the owner can ask of a running node, and everything it answers. The HTTP API is one user
//! of it; a program that embeds the node is another.

mod agreements;
mod channels;
mod error;
mod fund;
mod gasless;
mod invoices;
mod pay;
mod tokens;
mod watch;

use crate::config::Config;
use crate::events::{EventStream, EventsFrom};
use crate::pump::PumpSender;
use crate::shared::Shared;
use photon_chain::Network;
use photon_core::record::{InvoiceRecord, PaymentRecord, Purpose};
use photon_core::view::{ChannelView, PaymentStatus, Quote, Target};
use photon_core::{IntentId, Machine, Notice};
use photon_engine::History;
use photon_wire::contract::Way;
use photon_wire::invoice::Invoice;
use photon_wire::record::{FeeSchedule, NodeRecord};
use photon_wire::{
    Address, Amount, B256, BlockNumber, ChannelId, PaymentId, Seconds, SecretHash, Timestamp, Token,
};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

pub use channels::{DepositRequest, OpenRequest, Submitted};
pub use error::RequestError;
pub use fund::{How, Prospect};
pub use invoices::InvoiceRequest;
pub use pay::{PayRequest, PayWay, Payee};
pub use tokens::TokenInfo;

/// A running node. Clones are handles to the same one; cheap to clone.
///
/// Every answer that says that something happened is given after it is durable.
#[derive(Clone)]
pub struct NodeHandle {
    pub(crate) shared: Arc<Shared>,
    pub(crate) pump: PumpSender,
}

/// What a node is and how it fares.
#[derive(Clone, Debug)]
pub struct Status {
    /// Our account.
    pub account: Address,
    /// The version of this program.
    pub version: &'static str,
    /// The chain's id.
    pub chain_id: u64,
    /// The contract.
    pub contract: Address,
    /// The token that is the chain's own coin, where the network has one.
    pub wrapped_native: Option<Token>,
    /// The last block that has been handled, at the depth we demand.
    pub block: Option<(BlockNumber, Timestamp)>,
    /// The node's time: the later of the chain's and the local clock.
    pub now: Timestamp,
    /// Whether the chain can be relied on: it answers, and no witness contradicts it.
    pub chain_reachable: bool,
    /// Why not, where it cannot.
    pub chain_trouble: Option<String>,
    /// Blocks on top of an event before it counts.
    pub confirmations: u64,
    /// Where peers reach this node.
    pub listen: Vec<String>,
    /// Accounts with a session whose hello was right.
    pub online: Vec<Address>,
    /// Channels of ours, those in a dispute included.
    pub channels: usize,
    /// Channels of ours that are open.
    pub open_channels: usize,
    /// Payments of ours on their way.
    pub pending_payments: usize,
    /// When the node started.
    pub started: SystemTime,
    /// Resident memory in bytes; none where the system does not tell.
    pub memory: Option<u64>,
    /// Totals since the start.
    pub counters: Counters,
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Totals since the start.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
        pub struct Counters {
            $($(#[$doc])* pub $name: u64,)*
        }

        /// The running totals behind [`Counters`].
        #[derive(Debug, Default)]
        pub(crate) struct Totals {
            $(pub(crate) $name: std::sync::atomic::AtomicU64,)*
        }

        impl Totals {
            /// The totals now.
            pub(crate) fn snapshot(&self) -> Counters {
                Counters { $($name: self.$name.load(std::sync::atomic::Ordering::Relaxed),)* }
            }
        }
    };
}

counters! {
    /// Turns of the pump.
    turns,
    /// Turns that had something to store.
    commits,
    /// Inputs that the core took.
    steps,
    /// Inputs that the core refused.
    rejections,
    /// Updates and disposals signed.
    signed,
    /// Frames given to the network.
    frames_sent,
    /// Frames taken from the network.
    frames_received,
    /// Updates whose signature was recovered.
    updates_received,
    /// Payments of ours that arrived.
    payments_sent,
    /// Payments that reached us.
    payments_received,
    /// Payments that went through us.
    payments_mediated,
    /// Payments of ours that did not happen.
    payments_failed,
    /// Frames that no honest node sends: they do not decode, or their signature is nobody's.
    garbage_refused,
    /// Messages of accounts without a channel that were ignored, or came too often.
    strangers_ignored,
    /// Sessions that ended at the hello: another version, chain or contract.
    hellos_refused,
    /// Sessions dropped because the peer did not take its frames.
    backlogs_dropped,
}

/// A peer, connected or wanted.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Who.
    pub account: Address,
    /// Whether a session is up and its hello was right.
    pub online: bool,
    /// Since when the session is up.
    pub since: Option<SystemTime>,
    /// The peer's end of the connection.
    pub address: Option<String>,
    /// Whether we dialled.
    pub outgoing: bool,
    /// Asked for by configuration or by [`NodeHandle::add_peer`].
    pub explicit: bool,
    /// Whether there is a channel with it.
    pub partner: bool,
    /// What it says of itself, if anybody told us.
    pub record: Option<NodeRecord>,
    /// Why the last try to reach it failed.
    pub last_failure: Option<String>,
}

/// How far a transaction of ours is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transaction {
    /// Its name.
    pub id: IntentId,
    /// Opening, deposit, ….
    pub kind: &'static str,
    /// The channel it is about, where it is about one.
    pub channel: Option<ChannelId>,
    /// Of a deposit of ours: how the tokens go in, where that is decided.
    pub way: Option<Way>,
    /// How far it is.
    pub state: TransactionState,
    /// When that was learned.
    pub changed: SystemTime,
}

/// The life of a transaction of ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TransactionState {
    /// Given to the sender; nothing of it is in a block.
    Sending,
    /// Done, by us or by somebody else.
    Done {
        /// Its hash, where it was ours.
        hash: Option<B256>,
        /// What it took, where it was ours.
        spent: Option<Spent>,
    },
    /// It cannot be done.
    Failed {
        /// In the chain's words, decoded where they are the contract's.
        reason: String,
    },
}

/// What a transaction took.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spent {
    /// Gas.
    pub gas: u64,
    /// The same in wei.
    pub fee: u128,
}

/// What a payment came to, or where it stands.
pub type Payment = PaymentRecord;

/// Whether a payment is over, one way or the other.
pub(crate) fn is_over(payment: &Payment) -> bool {
    !matches!(payment.status, PaymentStatus::Pending)
}

impl NodeHandle {
    /// What this node is and how it fares.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn status(&self) -> Result<Status, RequestError> {
        watch::status(self).await
    }

    /// Our account.
    pub fn account(&self) -> Address {
        self.shared.keys.account()
    }

    /// What the node was told before it started.
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// The network that it is on.
    pub fn network(&self) -> &Network {
        &self.shared.network
    }

    /// Where peers reach this node on this machine, with real ports.
    pub fn listen_addresses(&self) -> Vec<String> {
        self.shared.net.listen_addresses().iter().map(ToString::to_string).collect()
    }

    /// Every peer that is connected or wanted.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn peers(&self) -> Result<Vec<Peer>, RequestError> {
        watch::peers(self).await
    }

    /// Keeps a session with this account: dials it now and after every failure. Not remembered
    /// over a restart; the configuration is.
    ///
    /// # Errors
    /// An address is no multiaddress.
    pub fn add_peer(&self, account: Address, addresses: &[String]) -> Result<(), RequestError> {
        watch::add_peer(self, account, addresses)
    }

    /// Stops dialling this account and ends its session; a partner's is dialled again later.
    pub fn remove_peer(&self, account: Address) {
        self.shared.net.remove_peer(account);
    }

    /// What this node says of itself to everybody, as made last.
    pub fn own_record(&self) -> Option<NodeRecord> {
        self.shared.own_record()
    }

    /// All our channels, open or in a dispute.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn channels(&self) -> Result<Vec<ChannelView>, RequestError> {
        self.look(Machine::channels).await
    }

    /// One channel of ours; none where there is none.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn channel(&self, channel: ChannelId) -> Result<Option<ChannelView>, RequestError> {
        self.look(move |machine| machine.channel(channel)).await
    }

    /// Opens a channel, with the first deposit in the same transaction where the request has one.
    /// The token is looked at first.
    ///
    /// Without `wait` it returns once the wish is durable; with it, once the channel is open at the
    /// depth we demand, or the transaction failed, or the time is over.
    ///
    /// # Errors
    /// The request is refused, the transaction failed, or it takes longer.
    pub async fn open_channel(&self, request: OpenRequest) -> Result<Submitted, RequestError> {
        channels::open(self, request).await
    }

    /// Adds to a deposit. Waits as [`Self::open_channel`] does.
    ///
    /// # Errors
    /// As there.
    pub async fn deposit(&self, request: DepositRequest) -> Result<Submitted, RequestError> {
        channels::deposit(self, request).await
    }

    /// Ends a channel one-sidedly. Waits, where asked to, until the dispute has begun; the rest
    /// happens by itself.
    ///
    /// # Errors
    /// As [`Self::open_channel`].
    pub async fn close_channel(
        &self,
        channel: ChannelId,
        wait: Option<Duration>,
    ) -> Result<Submitted, RequestError> {
        channels::close(self, channel, wait).await
    }

    /// Settles a closed channel whose time has come; the node does so by itself as well.
    ///
    /// # Errors
    /// As [`Self::open_channel`].
    pub async fn settle_channel(
        &self,
        channel: ChannelId,
        wait: Option<Duration>,
    ) -> Result<Submitted, RequestError> {
        channels::settle(self, channel, wait).await
    }

    /// How far the latest transactions are, newest first; a bounded number is remembered since the
    /// start.
    pub fn transactions(&self) -> Vec<Transaction> {
        self.shared.transactions.latest()
    }

    /// How far one is; none where it is unknown.
    pub fn transaction(&self, id: IntentId) -> Option<Transaction> {
        self.shared.transactions.of(id)
    }

    /// Pays. The same idempotency key is the same payment: it is answered with how that one
    /// stands, and refused with `payment_exists` where the contents differ.
    ///
    /// Without `wait` the answer comes once the payment is durable and usually says pending; with
    /// it, once the payment is over or the time is (the answer then says pending, which is no
    /// error: it goes on). A payment that failed is an answer, not an error.
    ///
    /// Any number of calls may run at once; the pump carries many in one turn. The caller bounds
    /// how many it keeps waiting.
    ///
    /// # Errors
    /// The payment was refused and nothing is under way.
    pub async fn pay(&self, request: PayRequest) -> Result<Payment, RequestError> {
        pay::pay(self, request).await
    }

    /// A payment of ours, pending or over.
    ///
    /// # Errors
    /// Unknown, or the store cannot be read.
    pub async fn payment(&self, payment: PaymentId) -> Result<Payment, RequestError> {
        pay::payment(self, payment).await
    }

    /// Waits until a payment is over, or the time is; answers how it stands then.
    ///
    /// # Errors
    /// As [`Self::payment`].
    pub async fn wait_for_payment(
        &self,
        payment: PaymentId,
        wait: Duration,
    ) -> Result<Payment, RequestError> {
        pay::wait(self, payment, wait).await
    }

    /// What a payment would cost and which way it would go; nothing happens.
    ///
    /// # Errors
    /// Why it could not be made.
    pub async fn quote(
        &self,
        target: Target,
        max_fee: Option<Amount>,
    ) -> Result<Quote, RequestError> {
        let max_fee = max_fee.unwrap_or_else(|| self.shared.usual_max_fee(target.amount));
        Ok(self.look(move |machine| machine.quote(target, max_fee)).await??)
    }

    /// The most that mediators may take of a payment whose request does not say.
    pub fn usual_max_fee(&self, amount: Amount) -> Amount {
        self.shared.usual_max_fee(amount)
    }

    /// Makes an invoice; its secret is durable before it is answered.
    ///
    /// # Errors
    /// The request is out of bounds.
    pub async fn create_invoice(&self, request: InvoiceRequest) -> Result<Invoice, RequestError> {
        invoices::create(self, request).await
    }

    /// Reads an invoice of anybody and checks its signature, nothing else.
    ///
    /// # Errors
    /// It is no invoice.
    pub fn decode_invoice(&self, text: &str) -> Result<Invoice, RequestError> {
        invoices::decode(text)
    }

    /// An invoice of ours, paid or not.
    ///
    /// # Errors
    /// Unknown, or the store cannot be read.
    pub async fn invoice(&self, secret_hash: SecretHash) -> Result<InvoiceRecord, RequestError> {
        invoices::of(self, secret_hash).await
    }

    /// What is past, with paging and filters, read from the store: payments, receipts, invoices,
    /// notices. Its reads block for a moment on the disk.
    pub fn history(&self) -> &History {
        &self.shared.history
    }

    /// Notices from there on, those of the past first, then as they happen. A reader that lags
    /// behind the live ones reads them from the store, and none is lost.
    pub fn events(&self, from: EventsFrom) -> EventStream {
        self.shared.events.stream(from, self.shared.history.clone())
    }

    /// Every token that some channel of the network is in, with what the chain says of it.
    ///
    /// # Errors
    /// The node is stopping. A chain that does not answer leaves symbol and decimals out.
    pub async fn tokens(&self) -> Result<Vec<TokenInfo>, RequestError> {
        tokens::all(self).await
    }

    /// What the chain says of a token.
    ///
    /// # Errors
    /// There is no token, or the chain does not answer.
    pub async fn token(&self, token: Token) -> Result<TokenInfo, RequestError> {
        tokens::of(self, token).await
    }

    /// What would come of a deposit of this token, as an opening with somebody new, and by which
    /// ways it could be made; nothing is sent.
    ///
    /// # Errors
    /// The chain does not answer.
    pub async fn examine(&self, token: Token, amount: Amount) -> Result<Prospect, RequestError> {
        fund::look(self, &fund::imagined(self, token, amount)).await
    }

    /// What we take for mediating: in this channel, or wherever no channel has its own.
    ///
    /// # Errors
    /// The node is stopping.
    pub async fn fees(&self, channel: Option<ChannelId>) -> Result<FeeSchedule, RequestError> {
        self.look(move |machine| machine.fees(channel)).await
    }

    /// Sets it.
    ///
    /// # Errors
    /// The fees or the channel are refused.
    pub async fn set_fees(
        &self,
        channel: Option<ChannelId>,
        fees: FeeSchedule,
    ) -> Result<(), RequestError> {
        watch::set_fees(self, channel, fees).await
    }

    /// The shortest and the longest settle timeout of a channel that this node opens.
    pub fn settle_timeouts(&self) -> (Seconds, Seconds) {
        self.shared.settle_timeouts()
    }

    /// Completes when the node begins to stop; the API ends its streams and its server then.
    pub async fn stopping(&self) {
        self.shared.stop.cancelled().await;
    }

    /// Cancelled when the node begins to stop.
    pub(crate) fn stop_token(&self) -> tokio_util::sync::CancellationToken {
        self.shared.stop.clone()
    }

    /// Asks the machine something, after what is already waiting is durable.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Machine) -> T + Send + 'static,
    ) -> Result<T, RequestError> {
        self.pump.look(question).await
    }
}

/// The word for a transaction's purpose that people and programs see.
pub(crate) const fn kind_of(purpose: &Purpose) -> &'static str {
    match purpose {
        Purpose::Open(_) => "open",
        Purpose::Deposit(..) => "deposit",
        Purpose::Close(_) => "close",
        Purpose::Update(..) => "update",
        Purpose::Unlock(_) => "unlock",
        Purpose::Register(_) => "register_secrets",
        Purpose::Settle(_) => "settle",
        Purpose::Withdraw(_) => "withdraw",
        Purpose::CooperativeSettle(_) => "cooperative_settle",
        Purpose::Punish(..) => "punish",
    }
}

/// A notice with its number, which is the cursor to go on from.
pub type Numbered = (u64, Notice);
