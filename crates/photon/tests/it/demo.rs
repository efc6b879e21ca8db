//! `photon demo`, as the first user types it.

use crate::support::{Running, run};
use std::time::Instant;

#[test]
fn the_demonstration_ends_with_the_right_figures() {
    let begun = Instant::now();
    let ended = run(&["demo"]);
    println!("the demonstration took {:?}", begun.elapsed());
    assert_eq!(ended.code, 0, "{ended:?}");
    let told = ended.out;
    let mut from = 0;
    for figure in [
        "Alice 100 ━",
        "━╋ 0   Bob",
        "Bob    80 ━",
        "Alice  70 ━",
        "━ 30  Bob",
        "Alice → Bob → Carol",
        "Alice  50 ━",
        "━ 50  Bob",
        "Bob    60 ━",
        "━ 20  Carol",
        "Alice    closes the channel",
        "She declared all that she has paid Bob",
        "the contract pays out: Alice 50, Bob 50",
        "Alice has  950",
        "Bob   has  970",
        "Carol has 1000",
        "All figures are right.",
    ] {
        let squeezed: String = told.chars().skip(from).collect();
        let at = squeezed.find(figure);
        let at = at.unwrap_or_else(|| panic!("no `{figure}` behind character {from} in\n{told}"));
        from += squeezed[..at].chars().count();
    }
    assert!(told.contains("2  payments arrived"), "{told}");
}

#[test]
#[cfg(unix)]
fn an_interrupted_demonstration_ends_at_once_and_leaves_nothing() {
    let mut demo = Running::start(&["demo"], "4  Alice opens");
    let begun = Instant::now();
    assert_eq!(demo.interrupt(), 130);
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
}

#[test]
#[cfg(unix)]
fn a_demonstration_that_stays_can_be_used_and_ends_cleanly() {
    let mut demo = Running::start(&["demo", "--stay"], "Ctrl-C");
    let bob =
        demo.said.lines().find_map(|line| line.trim().strip_prefix("export PHOTON_DATA_DIR="));
    let bob = bob.expect("it says where Bob is").to_owned();
    let carol = demo.said.lines().rev().find_map(|line| line.trim().strip_prefix("Carol "));
    let carol = carol.expect("it says who Carol is").trim().to_owned();
    let paid = run(&["pay", &carol, "5", "--token", "DEMO", "--data-dir", &bob]).good();
    assert!(paid.contains("paid in"), "{paid}");
    let listed = run(&["channel", "list", "--data-dir", &bob]).good();
    assert!(listed.contains(" 55 ") && listed.contains(" 25 "), "{listed}");
    assert_eq!(demo.interrupt(), 0);
    assert!(!std::path::Path::new(&bob).exists());
    assert_eq!(run(&["status", "--data-dir", &bob]).code, 3);
}
