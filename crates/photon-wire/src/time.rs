use core::fmt;

/// An instant: seconds since 1970, as the chain's blocks tell it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Timestamp(pub u64);

/// A length of time in seconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Seconds(pub u64);

impl Timestamp {
    /// The instant `length` later; stays at the end of time instead of wrapping.
    pub const fn after(self, length: Seconds) -> Self {
        Self(self.0.saturating_add(length.0))
    }

    /// The instant `length` earlier; stays at 1970 instead of wrapping.
    pub const fn before(self, length: Seconds) -> Self {
        Self(self.0.saturating_sub(length.0))
    }

    /// How long from `earlier` to this instant; nothing if it is not earlier.
    pub const fn since(self, earlier: Self) -> Seconds {
        Seconds(self.0.saturating_sub(earlier.0))
    }
}

impl Seconds {
    /// Both lengths, one after the other.
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} s", self.0)
    }
}
