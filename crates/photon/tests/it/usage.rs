//! What the command says of itself, and how it ends when it is used wrongly.

use crate::support::run;

const COMMANDS: [&str; 18] = [
    "demo",
    "node",
    "devchain",
    "contracts",
    "account",
    "token",
    "config",
    "channel",
    "pay",
    "invoice",
    "quote",
    "history",
    "events",
    "status",
    "peers",
    "fees",
    "tokens",
    "completions",
];
const NESTED: [(&str, &[&str]); 7] = [
    ("contracts", &["deploy", "show"]),
    ("account", &["new", "import", "list"]),
    ("token", &["deploy", "mint", "balance"]),
    ("channel", &["open", "deposit", "list", "show", "close", "settle"]),
    ("invoice", &["create", "decode", "show", "list"]),
    ("peers", &["add", "remove"]),
    ("tokens", &["examine"]),
];
const ACCOUNT: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

#[test]
fn every_command_has_a_manual() {
    let top = run(&["--help"]).good();
    assert!(top.contains("Exit codes:"), "{top}");
    for command in COMMANDS {
        assert!(top.contains(&format!("\n  {command} ")), "{command} is not in\n{top}");
        let help = run(&[command, "--help"]).good();
        assert!(help.contains("Usage: photon"), "{help}");
    }
    for (command, nested) in NESTED {
        for inner in nested {
            let help = run(&[command, inner, "--help"]).good();
            assert!(help.contains(&format!("Usage: photon {command} {inner}")), "{help}");
        }
    }
}

#[test]
fn every_shell_has_completions() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(run(&["completions", shell]).good().contains("photon"));
    }
}

#[test]
#[cfg(unix)]
fn a_reader_of_completions_may_go_before_the_end() {
    let photon = env!("CARGO_BIN_EXE_photon");
    let script = format!("set -o pipefail; {photon} completions bash | head -1");
    let output = std::process::Command::new("bash").args(["-c", &script]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn a_wrong_command_line_is_2_and_says_what_is_wrong() {
    for (arguments, said) in [
        (vec![], "Usage:"),
        (vec!["payy"], "pay"),
        (vec!["pay", ACCOUNT, "-5"], "-5"),
        (vec!["pay", ACCOUNT, "0.5", "--token", ACCOUNT], "bad_amount"),
        (vec!["pay", ACCOUNT, "1e3", "--token", ACCOUNT], "bad_amount"),
        (vec!["pay", ACCOUNT, "5"], "--token"),
        (vec!["pay", ACCOUNT, "--token", ACCOUNT], "amount"),
        (vec!["pay", "0x12", "5", "--token", ACCOUNT], "bad_address"),
        (vec!["channel", "open", "0x12", "--token", ACCOUNT], "bad_address"),
        (vec!["channel", "close", "nonsense"], "no channel"),
        (vec!["--api", "x", "status"], "unexpected"),
        (vec!["status", "--api", "ftp://x"], "no URL"),
        (vec!["node", "--set", "nonsense"], "KEY=VALUE"),
        (vec!["contracts", "deploy"], "--keystore"),
    ] {
        let ended = run(&arguments);
        assert_eq!(ended.code, 2, "{arguments:?}: {ended:?}");
        assert!(ended.err.contains(said), "{arguments:?}: {ended:?}");
    }
}

#[test]
fn a_bad_invoice_is_1_without_any_node() {
    for text in ["photon1", "photon1qqqq", "lnbc1", ""] {
        let ended = run(&["invoice", "decode", text]);
        assert_eq!(ended.code, 1, "{ended:?}");
        assert!(ended.err.contains("(invoice_unreadable)"), "{ended:?}");
    }
}

#[test]
fn a_node_that_is_not_there_is_3() {
    // Port 1 of loopback: nobody listens there.
    let here = ["--api", "http://127.0.0.1:1", "--api-token", "00"];
    for command in [vec!["status"], vec!["channel", "list"], vec!["history"], vec!["events"]] {
        let ended = run(&[&command[..], &here[..]].concat());
        assert_eq!(ended.code, 3, "{ended:?}");
        assert!(ended.err.contains("no node answers at http://127.0.0.1:1"), "{ended:?}");
    }
}
