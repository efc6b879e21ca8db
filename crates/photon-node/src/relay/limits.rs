//! What strangers may make a relay spend.

use lru::LruCache;
use photon_wire::Timestamp;
use std::hash::Hash;
use std::io::{self, ErrorKind, Write as _};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How many names are remembered; beyond them the budget alone holds.
const NAMES: NonZeroUsize = NonZeroUsize::new(65_536).expect("65536 is not zero");
const DAY: u64 = 24 * 3_600;

/// So many of each name within a length of time, which begins with the first.
pub(super) struct Windows<K: Hash + Eq> {
    most: u32,
    length: Duration,
    names: LruCache<K, (Instant, u32)>,
}

impl<K: Hash + Eq> Windows<K> {
    /// At most so many.
    pub(super) fn new(most: u32, length: Duration) -> Self {
        Self { most, length, names: LruCache::new(NAMES) }
    }

    /// One more; false where there were too many.
    pub(super) fn take(&mut self, name: K, now: Instant) -> bool {
        let (begin, count) = self.names.get_or_insert_mut(name, || (now, 0));
        if now.saturating_duration_since(*begin) >= self.length {
            (*begin, *count) = (now, 0);
        }
        let more = *count < self.most;
        *count = count.saturating_add(u32::from(more));
        more
    }
}

/// So much gas a day, counted in a file: a restart makes no new day.
pub(super) struct Budget {
    path: PathBuf,
    most: u64,
    /// Days since 1970.
    day: u64,
    spent: u64,
}

impl Budget {
    /// Reads what was spent.
    pub(super) fn open(path: &Path, most: u64) -> io::Result<Self> {
        let (day, spent) = match std::fs::read_to_string(path) {
            Ok(text) => read(&text).ok_or_else(|| {
                let reason = format!("{} is garbled; remove it", path.display());
                io::Error::new(ErrorKind::InvalidData, reason)
            })?,
            Err(error) if error.kind() == ErrorKind::NotFound => (0, 0),
            Err(error) => return Err(error),
        };
        Ok(Self { path: path.to_owned(), most, day, spent })
    }

    /// Takes this much gas, where there is as much left today; written down before it is spent.
    pub(super) fn take(&mut self, gas: u64, now: Timestamp) -> io::Result<bool> {
        let day = now.0 / DAY;
        let before = if day == self.day { self.spent } else { 0 };
        let spent = before.saturating_add(gas);
        if spent > self.most {
            return Ok(false);
        }
        let fresh = self.path.with_extension("new");
        let mut file = std::fs::File::create(&fresh)?;
        file.write_all(format!("{day} {spent}\n").as_bytes())?;
        file.sync_all()?;
        drop(file);
        std::fs::rename(&fresh, &self.path)?;
        (self.day, self.spent) = (day, spent);
        Ok(true)
    }
}

fn read(text: &str) -> Option<(u64, u64)> {
    let (day, spent) = text.trim().split_once(' ')?;
    Some((day.parse().ok()?, spent.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_has_its_share_and_a_fresh_one_after_a_while() {
        let begin = Instant::now();
        let mut windows = Windows::new(2, Duration::from_secs(60));
        assert_eq!([(); 4].map(|()| windows.take("a", begin)), [true, true, false, false]);
        assert!(windows.take("b", begin));
        let later = begin + Duration::from_secs(60);
        assert!(windows.take("a", later) && windows.take("a", later) && !windows.take("a", later));
    }

    #[test]
    fn a_budget_is_of_a_day_and_outlives_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("relay.gas");
        let (today, tomorrow) = (Timestamp(10 * DAY), Timestamp(11 * DAY));
        let mut budget = Budget::open(&path, 100).unwrap();
        assert!(budget.take(60, today).unwrap());
        let mut budget = Budget::open(&path, 100).unwrap();
        assert!(!budget.take(41, today).unwrap());
        assert!(budget.take(40, today).unwrap());
        assert!(budget.take(100, tomorrow).unwrap());
        std::fs::write(&path, "much").unwrap();
        assert!(Budget::open(&path, 100).is_err());
    }
}
