/// A payment to make.
#[derive(Clone, Debug)]
pub struct PayRequest {
    /// Who, in what, how much.
    pub payee: Payee,
    /// The most that mediators may take in all; none: [`crate::NodeHandle::usual_max_fee`].
    pub max_fee: Option<Amount>,
    /// Whatever the payer wants to say, at most [`photon_wire::limits::NOTE_BYTES`] bytes.
    pub note: Vec<u8>,
    /// The payer's own name for the payment; none: a fresh one, so that nothing is repeated.
    pub idempotency_key: Option<String>,
    /// Which ways are allowed.
    pub way: PayWay,
    /// How long to wait for the end; none does not wait.
    pub wait: Option<Duration>,
}

/// Who is paid.
#[derive(Clone, Debug)]
pub enum Payee {
    /// An account, of its own accord.
    Account(Target),
    /// Whoever made this invoice.
    Invoice {
        /// The text that starts with `photon1`.
        text: String,
        /// Where the invoice leaves the amount open; where it does not, none or the same.
        amount: Option<Amount>,
    },
}

/// Which ways a payment may go.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum PayWay {
    /// Direct to a partner, else by the best route.
    #[default]
    Any,
    /// Only direct.
    Direct,
    /// Only with a lock, even to a partner: gives a proof of payment.
    Locked,
}
