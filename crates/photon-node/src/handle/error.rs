//! Why the owner was refused.

use photon_core::Rejection;
use photon_wire::contract::Way;
use photon_wire::invoice::InvoiceError;
use photon_wire::{Address, Amount, PaymentId, SecretHash, Timestamp, Token};
use std::time::Duration;

/// Why a request was not carried out. Nothing was changed, unless the variant says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The node's rules forbid it.
    #[error("{0}")]
    Rejected(#[from] Rejection),
    /// The text is no invoice.
    #[error("{0}")]
    InvoiceUnreadable(#[from] InvoiceError),
    /// The invoice is for another network.
    #[error("the invoice is for chain {chain_id}, contract {contract}; this node is on another")]
    InvoiceForeign {
        /// The invoice's chain.
        chain_id: u64,
        /// The invoice's contract.
        contract: Address,
    },
    /// One does not pay oneself.
    #[error("the invoice is this node's own")]
    InvoiceOwn,
    /// The invoice names an amount, and another one was asked for.
    #[error("the invoice asks for {expected}, the request says {got}")]
    InvoiceAmount {
        /// The invoice's.
        expected: Amount,
        /// The request's.
        got: Amount,
    },
    /// The invoice leaves the amount to the payer, and none was given.
    #[error("the invoice names no amount; say how much to pay")]
    AmountMissing,
    /// An invoice would be past at once, or years away.
    #[error("the invoice would expire at {expires}, expected {least} to {most}")]
    ExpiryOutOfBounds {
        /// Asked for.
        expires: Timestamp,
        /// The earliest.
        least: Timestamp,
        /// The latest.
        most: Timestamp,
    },
    /// More text than fits.
    #[error("the description has {length} bytes, at most {limit} fit")]
    DescriptionTooLong {
        /// Its length.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// The idempotency key is empty or too long.
    #[error("the idempotency key has {length} bytes, expected 1 to {limit}")]
    BadIdempotencyKey {
        /// Its length.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// Nothing at that address is a token.
    #[error("there is no token contract at {token}")]
    NotAToken {
        /// The address.
        token: Token,
    },
    /// The account holds too little of the token.
    #[error("the account holds {held} of token {token}, {needed} is needed")]
    InsufficientTokens {
        /// Which token.
        token: Token,
        /// On the chain.
        held: Amount,
        /// For the deposit.
        needed: Amount,
    },
    /// The token would not do what a token must.
    #[error("token {token}: {reason}")]
    OddToken {
        /// Which token.
        token: Token,
        /// A stable word for what is odd.
        oddity: &'static str,
        /// The same as a sentence.
        reason: String,
    },
    /// The token keeps a part, and nobody said that this is fine.
    #[error("token {token} keeps a part: {sent} sent, {arrives} would arrive")]
    TokenFee {
        /// Which token.
        token: Token,
        /// What leaves the account.
        sent: Amount,
        /// What the channel would be credited with.
        arrives: Amount,
    },
    /// The token cannot be deposited by this way, or by none.
    #[error(
        "token {token} cannot be deposited {} now; it can {}",
        by(*.wanted), names(.offered)
    )]
    NoSuchWay {
        /// Which token.
        token: Token,
        /// Asked for.
        wanted: Option<Way>,
        /// What would work.
        offered: Vec<Way>,
    },
    /// The account has too few coins of the chain for the gas.
    #[error("the account has {held} wei, about {needed} wei are needed")]
    InsufficientCoins {
        /// On the chain.
        held: u128,
        /// For the gas, and for what is wrapped.
        needed: u128,
    },
    /// Nobody is known who would pay for the gas.
    #[error("no relay is configured")]
    NoRelayer,
    /// The token cannot be brought in by a signature.
    #[error("{reason}")]
    NoGaslessWay {
        /// Why not.
        reason: String,
    },
    /// The relay takes no such thing, or it came to nothing.
    #[error("the relay refuses: {detail} ({code})")]
    RelayRefused {
        /// The relay's code.
        code: String,
        /// The relay's words.
        detail: String,
    },
    /// The relay does not answer; what was signed is offered again until it is past.
    #[error(
        "the relay at {url} does not answer ({reason}); what was signed is offered to it again \
         until it is past, and moves nothing but what was asked for"
    )]
    RelaySilent {
        /// Where it should be.
        url: String,
        /// What the system says.
        reason: String,
    },
    /// The last second of what was signed is past, and nothing came of it.
    #[error("what was signed was good until {valid_until}, and nobody brought it to the chain")]
    AuthorizationExpired {
        /// The last second.
        valid_until: Timestamp,
    },
    /// There is no payment of this name.
    #[error("there is no payment {payment}")]
    UnknownPayment {
        /// Asked for.
        payment: PaymentId,
    },
    /// There is no invoice of ours with this hash.
    #[error("there is no invoice {secret_hash}")]
    UnknownInvoice {
        /// Asked for.
        secret_hash: SecretHash,
    },
    /// An address of a peer that cannot be dialled.
    #[error("{address} is no address of a peer: {reason}")]
    BadPeerAddress {
        /// As given.
        address: String,
        /// What is wrong.
        reason: String,
    },
    /// The transaction was tried and cannot be done; the request is over.
    #[error("the {kind} transaction failed: {reason}")]
    TransactionFailed {
        /// Opening, deposit, ….
        kind: &'static str,
        /// In the chain's words.
        reason: String,
    },
    /// What needs the partner's consent came to nothing; the channel goes on.
    #[error("it came to nothing: {}", Rejection::code_of(*.rule).unwrap_or("declined"))]
    Disagreed {
        /// The number of the rule; see [`Rejection::code_of`].
        rule: u16,
    },
    /// The wait was shorter than the thing; it goes on by itself.
    #[error("not done within {} s; it goes on by itself", .0.as_secs())]
    StillPending(Duration),
    /// The chain was asked something and did not answer.
    #[error("the chain does not answer: {0}")]
    Chain(String),
    /// More commands wait than the node takes; try again at once.
    #[error("too many requests are waiting; try again")]
    Busy,
    /// The node is stopping, or had to stop because its disk failed.
    #[error("the node is stopping")]
    Stopped,
    /// The history could not be read.
    #[error("the history could not be read: {0}")]
    Store(String),
}

fn by(way: Option<Way>) -> String {
    way.map_or_else(|| "by any way".to_owned(), |way| format!("by {way}"))
}

fn names(ways: &[Way]) -> String {
    let names: Vec<&str> = ways.iter().map(|way| way.as_str()).collect();
    if names.is_empty() { "by none".to_owned() } else { format!("by {}", names.join(", ")) }
}

impl RequestError {
    /// The stable name that programs see; that of the rejection where there is one.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Rejected(rejection) => rejection.code(),
            Self::InvoiceUnreadable(_) => "invoice_unreadable",
            Self::InvoiceForeign { .. } => "invoice_foreign",
            Self::InvoiceOwn => "invoice_own",
            Self::InvoiceAmount { .. } => "invoice_amount",
            Self::AmountMissing => "amount_missing",
            Self::ExpiryOutOfBounds { .. } => "expiry_out_of_bounds",
            Self::DescriptionTooLong { .. } => "description_too_long",
            Self::BadIdempotencyKey { .. } => "bad_idempotency_key",
            Self::NotAToken { .. } => "not_a_token",
            Self::InsufficientTokens { .. } => "insufficient_tokens",
            Self::OddToken { .. } => "odd_token",
            Self::TokenFee { .. } => "token_fee",
            Self::NoSuchWay { .. } => "no_such_way",
            Self::InsufficientCoins { .. } => "insufficient_coins",
            Self::NoRelayer => "no_relayer",
            Self::NoGaslessWay { .. } => "no_gasless_way",
            Self::RelayRefused { .. } => "relay_refused",
            Self::RelaySilent { .. } => "relay_silent",
            Self::AuthorizationExpired { .. } => "authorization_expired",
            Self::UnknownPayment { .. } => "unknown_payment",
            Self::UnknownInvoice { .. } => "unknown_invoice",
            Self::BadPeerAddress { .. } => "bad_peer_address",
            Self::TransactionFailed { .. } => "transaction_failed",
            Self::Disagreed { rule } => Rejection::code_of(*rule).unwrap_or("not_in_step"),
            Self::StillPending(_) => "still_pending",
            Self::Chain(_) => "chain_unavailable",
            Self::Busy => "busy",
            Self::Stopped => "stopping",
            Self::Store(_) => "store_failed",
        }
    }
}
