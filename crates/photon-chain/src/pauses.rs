//! Pauses between tries: longer each time, and never the same for all who wait.

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use std::time::Duration;

/// Grow from the least to the most by doubling; a random part of up to as much again is added, so
/// that the nodes that an endpoint has dropped together do not come back together.
pub(crate) struct Pauses {
    least: Duration,
    most: Duration,
    coming: ExponentialBackoff,
}

impl Pauses {
    pub(crate) fn new(least: Duration, most: Duration) -> Self {
        let most = most.max(least);
        Self { least, most, coming: growing(least, most) }
    }

    pub(crate) fn next(&mut self) -> Duration {
        self.coming.next().unwrap_or(self.most)
    }

    /// Begins with the least again.
    pub(crate) fn reset(&mut self) {
        self.coming = growing(self.least, self.most);
    }
}

fn growing(least: Duration, most: Duration) -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(least)
        .with_max_delay(most)
        .with_factor(2.0)
        .with_jitter()
        .without_max_times()
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_most_and_begin_again() {
        let (least, most) = (Duration::from_millis(100), Duration::from_millis(400));
        let mut pauses = Pauses::new(least, most);
        for _ in 0..2 {
            for expected in [100, 200, 400, 400, 400] {
                let pause = pauses.next().as_millis();
                assert!((expected..=2 * expected).contains(&pause), "{pause} for {expected}");
            }
            pauses.reset();
        }
    }
}
