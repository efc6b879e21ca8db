use alloy_primitives::{Address, B256, keccak256};
use core::fmt;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(out)
            }
        }
    };
}

number! {
    /// Which life of a pair's channel: grows by one at each opening and never falls.
    Epoch(u32)
}
number! {
    /// The number of a balance proof in its direction; 0 means that none was signed.
    Nonce(u64)
}
number! {
    /// The running number of a lock in its direction, unique for ever within an epoch.
    LockNumber(u64)
}
number! {
    /// The place of a lock in its direction's tree, below [`crate::limits::SLOTS`].
    Slot(u16)
}
number! {
    /// The height of a block.
    BlockNumber(u64)
}

impl Nonce {
    /// The greatest nonce that the contract stores: 2^48 − 1.
    pub const MAX: Self = Self((1 << 48) - 1);

    /// The next one; none past [`Nonce::MAX`].
    pub const fn next(self) -> Option<Self> {
        if self.0 < Self::MAX.0 { Some(Self(self.0.saturating_add(1))) } else { None }
    }
}

impl LockNumber {
    /// The next one. 2^64 locks do not happen.
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// A token contract.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Token(pub Address);

impl fmt::Display for Token {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// The hash that names a channel on the chain and in every claim.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct ChannelId(pub B256);

impl fmt::Display for ChannelId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// What a channel is: a token and two participants, the lower address first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ChannelKey {
    token: Token,
    low: Address,
    high: Address,
}

impl ChannelKey {
    /// The channel of these two, in either order; none where both are the same.
    pub fn new(token: Token, one: Address, other: Address) -> Option<Self> {
        match one.cmp(&other) {
            core::cmp::Ordering::Less => Some(Self { token, low: one, high: other }),
            core::cmp::Ordering::Greater => Some(Self { token, low: other, high: one }),
            core::cmp::Ordering::Equal => None,
        }
    }

    /// Source: `PhotonNetwork`, `channelId`: keccak256(abi.encode(token, low, high)).
    pub fn id(&self) -> ChannelId {
        let mut bytes = [0; 96];
        let words = bytes.chunks_exact_mut(32).zip([self.token.0, self.low, self.high]);
        for (word, address) in words {
            word.copy_from_slice(address.into_word().as_slice());
        }
        ChannelId(keccak256(bytes))
    }

    /// The token.
    pub const fn token(&self) -> Token {
        self.token
    }

    /// The participant with the lower address.
    pub const fn low(&self) -> Address {
        self.low
    }

    /// The participant with the higher address.
    pub const fn high(&self) -> Address {
        self.high
    }

    /// The other participant; none where `account` is neither.
    pub fn partner_of(&self, account: Address) -> Option<Address> {
        if account == self.low {
            Some(self.high)
        } else if account == self.high {
            Some(self.low)
        } else {
            None
        }
    }
}

/// The hash of a lock, which is its leaf in the tree and its name in a disposal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LockHash(pub B256);

/// The root of a direction's lock tree: commits to exactly its pending locks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Locksroot(pub B256);

impl Locksroot {
    /// No lock is pending.
    pub const EMPTY: Self = Self(B256::ZERO);
}

/// The name that a payer gives to a payment; the same name is the same payment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PaymentId(pub [u8; 16]);

impl fmt::Display for PaymentId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl fmt::Debug for PaymentId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "PaymentId({self})")
    }
}
