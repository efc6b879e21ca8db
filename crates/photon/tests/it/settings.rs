//! `photon config`: what holds, and where it came from.

use crate::support::{Ended, command, run, text};
use std::fs;

fn line(ended: &Ended, key: &str) -> String {
    let found = ended.out.lines().find(|line| line.starts_with(&format!("{key} ")));
    let found = found.unwrap_or_else(|| panic!("no {key} in {ended:?}"));
    found.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_flag_beats_the_environment_which_beats_the_file_which_beats_the_default() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = text(folder.path());
    let file = folder.path().join("config.toml");
    fs::write(&file, "[chain]\nconfirmations = 7\n[fees]\nbase = 3\n[timing]\nhop_margin = 9\n")
        .unwrap();
    let mut command = command(&["config", "--data-dir", data_dir, "--confirmations", "2"]);
    command.env("PHOTON_CHAIN_CONFIRMATIONS", "5").env("PHOTON_FEES_BASE", "4");
    let ended = Ended::from(command.output().unwrap());
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(line(&ended, "chain.confirmations"), "chain.confirmations 2 command line");
    let base = line(&ended, "fees.base");
    assert!(base.ends_with("environment PHOTON_FEES_BASE") && base.contains('4'), "{base}");
    let margin = line(&ended, "timing.hop_margin");
    assert_eq!(margin, format!("timing.hop_margin 9 file {}", file.display()));
    assert!(line(&ended, "net.mdns").ends_with("false default"));
}

#[test]
fn what_makes_no_sense_is_refused_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = text(folder.path());
    for (setting, said) in [
        ("chain.confirmations=many", "confirmations"),
        ("chain.nonsense=1", "nonsense"),
        ("fees.parts_per_million=1000001", "1000000"),
        ("net.peers=somebody", "net.peers"),
    ] {
        let ended = run(&["config", "--data-dir", data_dir, "--set", setting]);
        assert_eq!(ended.code, 1, "{ended:?}");
        assert!(ended.err.contains(said), "{ended:?}");
    }
}

#[test]
fn a_node_without_what_it_needs_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(&["node", "--data-dir", text(folder.path()), "--log", "error"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.err.contains("photon account new"), "{ended:?}");
}
