//! A token bucket: so much at once, and so much per second.

use std::time::{Duration, Instant};

/// Refills with time; never holds more than its burst.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    per_second: f64,
    burst: f64,
    tokens: f64,
    refilled: Instant,
}

impl Budget {
    pub(crate) fn new(per_second: u32, burst: u32, now: Instant) -> Self {
        let burst = f64::from(burst.max(1));
        Self { per_second: f64::from(per_second.max(1)), burst, tokens: burst, refilled: now }
    }

    /// Takes `cost` if it is there.
    pub(crate) fn try_take(&mut self, cost: u32, now: Instant) -> bool {
        self.refill(now);
        let enough = self.tokens >= f64::from(cost);
        if enough {
            self.tokens -= f64::from(cost);
        }
        enough
    }

    /// Takes `cost`, into debt if need be, and tells how long to wait until the debt is paid.
    pub(crate) fn take(&mut self, cost: u32, now: Instant) -> Duration {
        self.refill(now);
        self.tokens -= f64::from(cost);
        if self.tokens >= 0.0 {
            Duration::ZERO
        } else {
            Duration::from_secs_f64(-self.tokens / self.per_second)
        }
    }

    /// Nothing was taken for so long that it is as good as new.
    pub(crate) fn is_full(&mut self, now: Instant) -> bool {
        self.refill(now);
        self.tokens >= self.burst
    }

    fn refill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.refilled).as_secs_f64();
        self.tokens = (self.tokens + passed * self.per_second).min(self.burst);
        self.refilled = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_the_rest_waits_for_its_second() {
        let start = Instant::now();
        let mut budget = Budget::new(10, 20, start);
        assert!(budget.try_take(20, start));
        assert!(!budget.try_take(1, start));
        assert!(budget.try_take(10, start + Duration::from_secs(1)));
        assert_eq!(budget.take(10, start + Duration::from_secs(1)), Duration::from_secs(1));
        assert!(!budget.is_full(start + Duration::from_secs(2)));
        assert!(budget.is_full(start + Duration::from_secs(60)));
    }
}
