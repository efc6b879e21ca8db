use photon_wire::claim::Domain;
use photon_wire::contract::Parameters;
use photon_wire::record::FeeSchedule;
use photon_wire::{Address, Amount, Seconds};

/// What a node's rules are made with; the same for its whole life, except the fees.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// Our account.
    pub account: Address,
    /// The network that our channels are on.
    pub domain: Domain,
    /// What the contract was deployed with.
    pub parameters: Parameters,
    /// When waiting stops being safe.
    pub timing: Timing,
    /// What we take for mediating, unless a channel has its own.
    pub fees: FeeSchedule,
    /// Locks below this are disposed: claiming them on the chain would cost more.
    pub least_lock: Amount,
}

/// The lengths that every deadline is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timing {
    /// Time to get a secret onto the chain under congestion, the confirmation depth included.
    pub reveal_timeout: Seconds,
    /// What a hop takes for itself on top before it forwards or reveals.
    pub hop_margin: Seconds,
    /// From now to a new lock's expiration.
    pub lock_duration: Seconds,
    /// From a lock's expiration until we, as its payee, must be done claiming it on the chain.
    pub claim_time: Seconds,
    /// How long after its confirmed expiration we, as payer, take a lock back. Longer than a
    /// payee's view of the chain lags behind ours.
    pub expire_margin: Seconds,
}

impl Default for Timing {
    /// For blocks of twelve seconds: reveal 10 min, hop 2 min, locks 40 min, claim 2 h.
    fn default() -> Self {
        Self {
            reveal_timeout: Seconds(600),
            hop_margin: Seconds(120),
            lock_duration: Seconds(2_400),
            claim_time: Seconds(7_200),
            expire_margin: Seconds(120),
        }
    }
}

impl Timing {
    /// The shortest settle timeout under which a lock of ours can be accepted at all, even by a
    /// payee whose clock is a hop margin behind its payer's.
    pub const fn least_settle_timeout(&self) -> Seconds {
        self.lock_duration.plus(self.claim_time).plus(self.hop_margin)
    }
}
