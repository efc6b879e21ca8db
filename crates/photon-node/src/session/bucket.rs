//! How much somebody may make us do.

use std::time::Instant;

/// Records a second, and at once, of an account without a channel.
const STRANGER: (u32, u32) = (16, 1_024);
/// The same of a partner.
const PARTNER: (u32, u32) = (256, 16_384);

/// A bucket that fills with time.
#[derive(Debug)]
pub(crate) struct Bucket {
    rate: u32,
    most: u32,
    left: u32,
    filled: Instant,
}

impl Bucket {
    /// A full one of a peer's node records.
    pub(crate) fn of(partner: bool, now: Instant) -> Self {
        let (rate, most) = if partner { PARTNER } else { STRANGER };
        Self::new(rate, most, now)
    }

    /// A full one: `rate` a second, and `most` at once.
    pub(crate) const fn new(rate: u32, most: u32, now: Instant) -> Self {
        Self { rate, most, left: most, filled: now }
    }

    /// The peer turned out to be a partner.
    pub(crate) fn widen(&mut self) {
        (self.rate, self.most) = PARTNER;
    }

    /// Takes one, if there is one.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let whole = now.saturating_duration_since(self.filled).as_secs();
        if whole > 0 {
            let more = u32::try_from(whole).unwrap_or(u32::MAX).saturating_mul(self.rate);
            self.left = self.left.saturating_add(more).min(self.most);
            self.filled = now;
        }
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_stranger_gets_its_burst_and_then_its_rate() {
        let begin = Instant::now();
        let mut bucket = Bucket::of(false, begin);
        assert_eq!((0..5_000).filter(|_| bucket.take(begin)).count(), 1_024);
        let later = begin + Duration::from_secs(2);
        assert_eq!((0..5_000).filter(|_| bucket.take(later)).count(), 32);
    }
}
