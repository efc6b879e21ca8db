//! The local clock.

use photon_wire::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970 by this machine's clock.
pub(crate) fn now() -> Timestamp {
    Timestamp(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}
