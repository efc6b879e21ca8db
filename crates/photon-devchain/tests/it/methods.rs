//! The list of methods in the README.

use std::collections::BTreeSet;

use photon_devchain::DevChain;

const README: &str = include_str!("../../README.md");

#[test]
fn the_readme_lists_exactly_the_methods_that_are_answered() {
    let (_, section) = README.split_once("## Methods\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let listed: Vec<&str> = section
        .lines()
        .filter(|line| line.starts_with("| `"))
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .collect();
    let all = DevChain::methods();
    let answered: BTreeSet<&str> = all.iter().copied().collect();
    assert_eq!(answered.len(), all.len(), "a method is in the tables twice");
    assert_eq!(listed.iter().copied().collect::<BTreeSet<_>>(), answered);
    assert_eq!(listed.len(), answered.len(), "a method is listed twice");
}
