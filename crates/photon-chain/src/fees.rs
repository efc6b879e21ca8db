//! What a transaction offers for its gas.

use crate::endpoint::{Endpoint, Head};
use crate::error::ChainError;

/// Without a word of the chain about it: one gwei.
const USUAL_PRIORITY: u128 = 1_000_000_000;

/// An offer for each gas, in wei.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fees {
    /// The price, as every chain takes it.
    Legacy { price: u128 },
    /// Source: EIP-1559.
    Dynamic { max: u128, priority: u128 },
}

/// By how much an offer grows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Rise {
    /// In thousandths; at least [`Rise::LEAST`].
    pub(crate) per_mille: u128,
}

impl Rise {
    /// Chains refuse to replace a transaction for less.
    pub(crate) const LEAST: Self = Self { per_mille: 125 };

    const fn of(self, fee: u128) -> u128 {
        fee.saturating_add(fee.saturating_mul(self.per_mille) / 1000).saturating_add(1)
    }
}

impl Fees {
    /// What the chain takes at present, at most `cap`.
    pub(crate) async fn usual(
        endpoint: &Endpoint,
        head: &Head,
        cap: u128,
    ) -> Result<Self, ChainError> {
        let Some(base) = head.base_fee else {
            return Ok(Self::Legacy { price: endpoint.gas_price().await?.min(cap) });
        };
        let priority = match endpoint.priority_fee().await {
            Ok(fee) => fee,
            Err(ChainError::Refused { .. }) => USUAL_PRIORITY,
            Err(error) => return Err(error),
        };
        let max = base.saturating_mul(2).saturating_add(priority).min(cap);
        Ok(Self::Dynamic { max, priority: priority.min(max) })
    }

    /// A greater offer, for the same transaction; none where the cap leaves no room for one that
    /// the chain would take in its place.
    pub(crate) fn raised(self, market: Self, rise: Rise, cap: u128) -> Option<Self> {
        match (self, market) {
            (Self::Legacy { price }, Self::Legacy { price: market }) => {
                let price = raise(price, market, rise, cap)?;
                Some(Self::Legacy { price })
            }
            (
                Self::Dynamic { max, priority },
                Self::Dynamic { max: market, priority: market_priority },
            ) => {
                let max = raise(max, market, rise, cap)?;
                let priority = raise(priority, market_priority, rise, max)?;
                Some(Self::Dynamic { max, priority })
            }
            (Self::Legacy { price }, Self::Dynamic { max, .. }) => {
                self.raised(Self::Legacy { price: max.max(price) }, rise, cap)
            }
            (Self::Dynamic { max, priority }, Self::Legacy { price }) => {
                self.raised(Self::Dynamic { max: price.max(max), priority }, rise, cap)
            }
        }
    }

    /// This offer, or what it would be at the other price where that is more.
    pub(crate) fn at_least(self, other: Self) -> Self {
        match (self, other) {
            (Self::Legacy { price }, other) => Self::Legacy { price: price.max(other.most()) },
            (Self::Dynamic { max, priority }, Self::Legacy { price }) => {
                Self::Dynamic { max: max.max(price), priority }
            }
            (Self::Dynamic { max, priority }, Self::Dynamic { max: most, priority: tip }) => {
                Self::Dynamic { max: max.max(most), priority: priority.max(tip) }
            }
        }
    }

    /// The most that each gas can cost.
    pub(crate) const fn most(self) -> u128 {
        match self {
            Self::Legacy { price } => price,
            Self::Dynamic { max, .. } => max,
        }
    }
}

fn raise(fee: u128, market: u128, rise: Rise, cap: u128) -> Option<u128> {
    let least = Rise::LEAST.of(fee);
    (least <= cap).then(|| rise.of(fee).max(market).min(cap))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEES: Fees = Fees::Dynamic { max: 1_000, priority: 100 };

    #[test]
    fn a_raise_is_at_least_an_eighth_and_at_least_the_market() {
        let raised = FEES.raised(FEES, Rise::LEAST, 10_000);
        assert_eq!(raised, Some(Fees::Dynamic { max: 1_126, priority: 113 }));
        let market = Fees::Dynamic { max: 5_000, priority: 1 };
        let raised = FEES.raised(market, Rise { per_mille: 1_000 }, 10_000);
        assert_eq!(raised, Some(Fees::Dynamic { max: 5_000, priority: 201 }));
        let legacy = Fees::Legacy { price: 1_000 };
        assert_eq!(legacy.raised(legacy, Rise::LEAST, 2_000), Some(Fees::Legacy { price: 1_126 }));
    }

    #[test]
    fn no_raise_goes_past_the_cap_or_below_what_counts() {
        let raised = FEES.raised(FEES, Rise { per_mille: 1_000 }, 1_200);
        assert_eq!(raised, Some(Fees::Dynamic { max: 1_200, priority: 201 }));
        assert_eq!(FEES.raised(FEES, Rise::LEAST, 1_125), None);
        let lower = Fees::Dynamic { max: 1, priority: 1 };
        let raised = FEES.raised(lower, Rise::LEAST, 10_000).unwrap();
        assert!(raised.most() > FEES.most());
    }
}
