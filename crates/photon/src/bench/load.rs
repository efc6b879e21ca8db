//! What a load did, payment by payment.

use super::node::Node;
use anyhow::bail;
use photon_node::api::types::{PaymentState, PaymentView};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// When payments count for the figures. Those before and after it count for the books only.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) from: Instant,
    pub(super) until: Instant,
}

impl Window {
    /// Whether callers go on.
    pub(super) fn is_open(&self) -> bool {
        Instant::now() < self.until
    }
}

/// What came of payments.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Paid, whenever it was.
    pub(super) paid: u64,
    /// Refused or failed, by code.
    pub(super) failed: BTreeMap<String, u64>,
    /// Answered as pending: their names.
    unclear: Vec<String>,
    /// Microseconds of those that were answered within the window.
    latencies: Vec<u32>,
}

impl Tally {
    /// A payment that was sent then is answered as paid now.
    pub(super) fn paid(&mut self, window: &Window, sent: Instant) {
        self.paid += 1;
        let now = Instant::now();
        if now >= window.from && now < window.until {
            let length = now.saturating_duration_since(sent).as_micros();
            self.latencies.push(u32::try_from(length).unwrap_or(u32::MAX));
        }
    }

    /// A payment did not happen.
    pub(super) fn failed(&mut self, code: &str, reason: Option<&str>) {
        let code = reason.map_or_else(|| code.to_owned(), |reason| format!("{code}/{reason}"));
        *self.failed.entry(code).or_default() += 1;
    }

    /// A payment's answer came before its end.
    pub(super) fn unclear(&mut self, payment: &str) {
        self.unclear.push(payment.to_owned());
    }

    /// Both together.
    pub(super) fn merge(&mut self, other: Self) {
        self.paid += other.paid;
        for (code, count) in other.failed {
            *self.failed.entry(code).or_default() += count;
        }
        self.unclear.extend(other.unclear);
        self.latencies.extend(other.latencies);
    }

    /// Asks what became of payments that were answered as pending: for the books they are paid or
    /// not, for the figures each is a failure, since its caller was left waiting.
    pub(super) async fn resolve(mut self, payer: &Node) -> anyhow::Result<Self> {
        for payment in std::mem::take(&mut self.unclear) {
            let view: PaymentView = payer.get(&format!("/payments/{payment}")).await?;
            match view.status {
                PaymentState::Paid => self.paid += 1,
                PaymentState::Failed => {}
                PaymentState::Pending => bail!("payment {payment} does not end"),
            }
            self.failed("still_pending", None);
        }
        Ok(self)
    }

    /// How many were answered within the window, and how long they took.
    pub(super) fn latencies(&mut self) -> Latencies {
        self.latencies.sort_unstable();
        Latencies(std::mem::take(&mut self.latencies))
    }
}

/// Times of answers, the shortest first.
#[derive(Debug)]
pub(super) struct Latencies(Vec<u32>);

impl Latencies {
    /// How many.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// The time that this share of all, in thousandths, does not exceed.
    pub(super) fn share(&self, thousandths: usize) -> Duration {
        let index = self.0.len().saturating_mul(thousandths) / 1_000;
        let last = self.0.len().saturating_sub(1);
        let micros = self.0.get(index.min(last)).copied().unwrap_or_default();
        Duration::from_micros(micros.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_the_sorted_times() {
        let now = Instant::now();
        let window = Window { from: now, until: now + Duration::from_secs(60) };
        let mut tally = Tally { latencies: (1..=1_000).rev().collect(), ..Tally::default() };
        tally.paid(&window, Instant::now());
        assert_eq!((tally.paid, tally.latencies.len()), (1, 1_001));
        let latencies = tally.latencies();
        assert_eq!(latencies.share(500).as_micros(), 500);
        assert_eq!(latencies.share(1_000).as_micros(), 1_000);
        assert_eq!(Latencies(Vec::new()).share(990), Duration::ZERO);
    }

    #[test]
    fn failures_are_counted_by_code_and_reason() {
        let mut tally = Tally::default();
        tally.failed("no_route", None);
        let mut other = Tally::default();
        other.failed("no_route", None);
        other.failed("payment_failed", Some("channel_busy"));
        tally.merge(other);
        let counts: Vec<_> = tally.failed.into_iter().collect();
        let expected = [("no_route", 2), ("payment_failed/channel_busy", 1)];
        assert_eq!(counts, expected.map(|(code, count)| (code.to_owned(), count)));
    }
}
