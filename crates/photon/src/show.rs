//! How things look to people, and how they are handed to programs.

use anyhow::Context as _;
use comfy_table::{Cell, CellAlignment, Table, presets};
use photon_wire::{Address, B256};
use serde::Serialize;
use std::io::Write as _;
use std::time::Duration;

/// Prints a line; a reader who has gone away is an error that ends the command quietly.
pub(crate) fn line(text: impl std::fmt::Display) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{text}")?;
    Ok(())
}

/// Prints what the API said, as it said it.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    line(serde_json::to_string_pretty(value).context("an answer is JSON")?)
}

/// A table for people; numbers stand to the right.
pub(crate) fn table<const N: usize>(
    header: [&str; N],
    numbers: &[usize],
    rows: impl IntoIterator<Item = [String; N]>,
) -> anyhow::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let align = |index: usize, cell: Cell| {
        if numbers.contains(&index) { cell.set_alignment(CellAlignment::Right) } else { cell }
    };
    let head = |(index, text): (usize, &str)| align(index, Cell::new(text.to_uppercase()));
    table.set_header(header.into_iter().enumerate().map(head).collect::<Vec<_>>());
    for row in rows {
        let cell = |(index, text): (usize, String)| align(index, Cell::new(text));
        table.add_row(row.into_iter().enumerate().map(cell).collect::<Vec<_>>());
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    line(table.trim_fmt())
}

/// Names and values, one a line.
pub(crate) fn facts(facts: &[(&str, String)]) -> anyhow::Result<()> {
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    facts.iter().try_for_each(|(name, value)| line(format_args!("{name:width$}  {value}")))
}

/// `yes` or `no`.
pub(crate) const fn yes(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

/// An instant, in UTC.
pub(crate) fn instant(seconds: u64) -> String {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .map_or_else(
            || seconds.to_string(),
            |instant| instant.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        )
}

/// A length of time as short as it can be said.
pub(crate) fn length(seconds: u64) -> String {
    let (hours, minutes, rest) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let parts = [(hours, "h"), (minutes, "min"), (rest, "s")];
    let said: Vec<String> = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    if said.is_empty() { "0 s".to_owned() } else { said.join(" ") }
}

/// How long something took.
pub(crate) fn duration(length: Duration) -> String {
    let seconds = length.as_secs_f64();
    if seconds < 0.1 { format!("{:.1} ms", seconds * 1_000.0) } else { format!("{seconds:.2} s") }
}

/// A number with commas between its thousands.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A size in memory.
pub(crate) fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

/// Enough of a hash to know it again.
pub(crate) fn short_hash(hash: &B256) -> String {
    shortened(&hash.to_string())
}

/// Enough of an address to know it again.
pub(crate) fn short_address(address: &Address) -> String {
    shortened(&address.to_string())
}

fn shortened(text: &str) -> String {
    match (text.get(..8), text.get(text.len().saturating_sub(4)..)) {
        (Some(front), Some(back)) => format!("{front}…{back}"),
        (_, _) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_lengths_read_well() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
        for (seconds, text) in [(0, "0 s"), (59, "59 s"), (9_600, "2 h 40 min"), (3_601, "1 h 1 s")]
        {
            assert_eq!(length(seconds), text);
        }
        assert_eq!(instant(0), "1970-01-01 00:00:00");
        assert_eq!(duration(Duration::from_micros(1_540)), "1.5 ms");
        assert_eq!(duration(Duration::from_millis(1_540)), "1.54 s");
        assert_eq!(short_address(&Address::repeat_byte(0x11)), "0x111111…1111");
    }
}
