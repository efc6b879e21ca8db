//! A channel as a bar between two names: whose part of it is how long.

use console::style;
use photon_wire::Amount;

/// How long the whole bar is.
const WIDTH: u128 = 30;

/// `Alice  70 ━━━━━━━━━━━━━━━━━━━━━╋━━━━━━━━━ 30   Bob`
pub(super) fn channel(left: (&str, Amount), right: (&str, Amount)) -> String {
    let whole = left.1.saturating_add(right.1).0.max(1);
    let part = left.1.0.saturating_mul(WIDTH) / whole;
    let bar = |length: u128| "━".repeat(usize::try_from(length).unwrap_or_default());
    format!(
        "{:<5} {:>3} {}{}{} {:<3} {}",
        left.0,
        left.1,
        style(bar(part)).green(),
        style("╋").bold(),
        style(bar(WIDTH.saturating_sub(part))).blue(),
        right.1,
        right.0,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_his_part_of_the_bar() {
        let shown = channel(("Alice", Amount(70)), ("Bob", Amount(30)));
        let plain = console::strip_ansi_codes(&shown);
        let (left, right) = plain.split_once('╋').unwrap();
        assert!(left.starts_with("Alice  70 ━"), "{plain}");
        assert!(right.ends_with("━ 30  Bob"), "{plain}");
        assert_eq!((left.matches('━').count(), right.matches('━').count()), (21, 9));
        let empty = channel(("Alice", Amount(0)), ("Bob", Amount(0)));
        assert!(empty.contains("━"));
    }
}
