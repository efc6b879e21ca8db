//! What a process has used, as the system says. Systems without /proc say nothing.

use std::time::Duration;

/// In which the system counts processor time; the same on every Linux.
const TICKS_PER_SECOND: u64 = 100;

/// What a process has used since it started.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Usage {
    /// Of all its threads.
    pub(super) processor: Duration,
    /// Bytes that it had written to disks.
    pub(super) written: u64,
}

impl Usage {
    /// Of a process; `self` is this one.
    pub(super) fn of(process: &str) -> Self {
        let read = |file| std::fs::read_to_string(format!("/proc/{process}/{file}"));
        Self {
            processor: read("stat").map_or(Duration::ZERO, |stat| processor(&stat)),
            written: read("io").map_or(0, |io| field(&io, "write_bytes:")),
        }
    }

    /// What was used since then.
    pub(super) fn since(&self, before: &Self) -> Self {
        Self {
            processor: self.processor.saturating_sub(before.processor),
            written: self.written.saturating_sub(before.written),
        }
    }
}

/// What a process holds in memory, in KiB.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Memory {
    pub(super) now: u64,
    pub(super) most: u64,
}

impl Memory {
    /// Of a process.
    pub(super) fn of(process: u32) -> Self {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        Self { now: field(&status, "VmRSS:"), most: field(&status, "VmHWM:") }
    }
}

/// User and system time; the name of the process before them may contain anything.
fn processor(stat: &str) -> Duration {
    let numbers = stat.rsplit_once(')').map_or("", |(_, numbers)| numbers);
    let ticks: u64 =
        numbers.split_whitespace().skip(11).take(2).filter_map(|it| it.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks.saturating_mul(1_000 / TICKS_PER_SECOND))
}

fn field(text: &str, name: &str) -> u64 {
    text.lines()
        .find_map(|line| line.strip_prefix(name))
        .and_then(|value| value.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_is_understood() {
        let stat = "17 (a ) b) S 1 17 17 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 5 0 100";
        assert_eq!(processor(stat), Duration::from_secs(3));
        let status = "Name:\tphoton\nVmHWM:\t   61440 kB\nVmRSS:\t   40960 kB\n";
        assert_eq!(field(status, "VmRSS:"), 40_960);
        assert_eq!(field(status, "VmSwap:"), 0);
        assert_eq!(processor(""), Duration::ZERO);
    }
}
