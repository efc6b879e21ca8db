//! The JSON of the API, the same for whoever serves it and whoever asks.
//!
//! Amounts are decimal texts in base units of the token. Instants are seconds since 1970 in UTC,
//! durations are seconds. What is not there is left out.

mod agreement;
mod channel;
mod event;
mod invoice;
mod node;
mod payment;
mod relay;
mod scalar;
mod token;

pub use agreement::{ReleaseBody, SettleTogetherBody, WithdrawBody};
pub use channel::{
    Channel, ChannelState, DepositBody, OpenBody, Side, Submission, TransactionOutcome,
    TransactionState, TransactionView, WaitBody,
};
pub use event::{Event, EventKind};
pub use invoice::{DecodeBody, InvoiceBody, InvoiceContents, InvoiceState, InvoiceView};
pub use node::{CounterView, FeeBody, FeeView, Health, NodeStatus, PeerBody, PeerView, TokenView};
pub use payment::{
    BulkAnswer, BulkBody, FailureView, Page, PaymentBody, PaymentState, PaymentView, QuoteBody,
    QuoteView, ReceiptView, Way,
};
pub use relay::{AuthorizationBody, MeansName, PermitBody, RelayView, RelayedView};
pub use scalar::{Decimal, HexAddress, HexHash, HexId, Malformed};
pub use token::{ExaminationView, OddityView, OfferView, WayName};
