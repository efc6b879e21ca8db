use core::fmt;
use core::iter::Sum;

/// Base units of a token (its smallest indivisible part); arithmetic is checked only.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Amount(pub u128);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The most one side can deposit in a channel, and the most one payment can carry: 2^96 − 1.
    ///
    /// Source: the contract's channel word holds 96 bits a side.
    pub const MAX_DEPOSIT: Self = Self((1 << 96) - 1);

    /// The sum, or none past 2^128 − 1.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// The difference, or none below zero.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(difference) => Some(Self(difference)),
            None => None,
        }
    }

    /// The difference, or zero: for what may be spent, where less than nothing is nothing.
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The sum, or 2^128 − 1: for limits, where more than everything is everything.
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Whether this is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// `self × parts / 1,000,000`, rounded down; none on overflow.
    pub fn parts_per_million(self, parts: u32) -> Option<Self> {
        const MILLION: u128 = 1_000_000;
        let parts = u128::from(parts);
        let whole = self.0.checked_div(MILLION)?.checked_mul(parts)?;
        let rest = self.0.checked_rem(MILLION)?.checked_mul(parts)?.checked_div(MILLION)?;
        whole.checked_add(rest).map(Self)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl Sum for Amount {
    /// Saturates; sums of real balances stay far below the end of 128 bits.
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Self::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_per_million_round_down_and_do_not_overflow_early() {
        assert_eq!(Amount(1_000_000).parts_per_million(100), Some(Amount(100)));
        assert_eq!(Amount(999).parts_per_million(1_000), Some(Amount(0)));
        assert_eq!(Amount(1_999_999).parts_per_million(1), Some(Amount(1)));
        assert_eq!(Amount(u128::MAX).parts_per_million(1_000_000), Some(Amount(u128::MAX)));
        assert_eq!(Amount(u128::MAX).parts_per_million(1_000_001), None);
    }
}
