//! Bad input at the command: each a clear sentence with an exit code, and nothing sent.

use crate::ground::{Ground, owners};
use crate::support::{Ended, run, text};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

/// 2^96, the first amount that is too much.
const TOO_MUCH: &str = "79228162514264337593543950336";
const NOBODY: &str = "0x00000000000000000000000000000000DeaDBeef";
const ZERO: &str = "0x0000000000000000000000000000000000000000";
/// Of an account that no development chain gives coins to.
const POOR: &str = "0x1111111111111111111111111111111111111111111111111111111111111111";

#[track_caller]
fn refused(ended: &Ended, code: i32, words: &[&str]) {
    assert_eq!(ended.code, code, "{ended:?}");
    for word in words {
        assert!(ended.err.contains(word), "no `{word}` in {ended:?}");
    }
    assert!(!ended.err.contains("panicked"), "{ended:?}");
}

/// The network file with one line changed.
fn changed(ground: &Ground, name: &str, from: &str, to: &str) -> PathBuf {
    let path = ground.folder.path().join(name);
    let whole = fs::read_to_string(&ground.network).unwrap();
    let line = whole.lines().find(|line| line.starts_with(from)).unwrap().to_owned();
    fs::write(&path, whole.replace(&line, to)).unwrap();
    path
}

/// Starts a node that cannot start.
fn node(ground: &Ground, network: &Path, account: &[&str]) -> Ended {
    let data_dir = ground.folder.path().join("fails");
    let usual = [
        "node",
        "--data-dir",
        text(&data_dir),
        "--network",
        text(network),
        "--chain",
        &ground.url,
        "--listen",
        "/ip4/127.0.0.1/tcp/0",
        "--api-listen",
        "127.0.0.1:0",
    ];
    run(&[&usual, account].concat())
}

#[test]
#[cfg(unix)]
fn a_network_that_is_not_there_starts_no_node() {
    let ground = Ground::new();
    let words = ground.folder.path().join("words");
    let account = ["--mnemonic-file", text(&words), "--mnemonic-index", "1"];
    let other_chain = changed(&ground, "chain.toml", "chain_id", "chain_id = 5");
    refused(&node(&ground, &other_chain, &account), 1, &["chain id is 1337", "expected 5"]);
    let nowhere = changed(&ground, "nowhere.toml", "contract", &format!("contract = \"{NOBODY}\""));
    refused(&node(&ground, &nowhere, &account), 1, &["no contract at", NOBODY]);
    let token = ground.token();
    let other = changed(&ground, "other.toml", "contract", &format!("contract = \"{token}\""));
    refused(&node(&ground, &other, &account), 1, &["is not Photon's"]);
    let longer = changed(&ground, "longer.toml", "challenge", "challenge = 11");
    refused(&node(&ground, &longer, &account), 1, &["challenge 10 s, expected 11 s"]);
    let missing = ground.folder.path().join("missing.toml");
    refused(&node(&ground, &missing, &account), 1, &["missing.toml"]);
    for network in [&other_chain, &nowhere, &other, &longer] {
        let check = ["contracts", "show", "--check", "--network", text(network)];
        let ended = run(&[&check[..], &["--chain", &ground.url]].concat());
        assert_eq!(ended.code, 1, "{ended:?}");
    }
}

#[test]
#[cfg(unix)]
fn a_key_that_does_not_open_starts_no_node() {
    let ground = Ground::new();
    let folder = ground.folder.path();
    let [password, wrong, key, garbled] =
        ["password", "wrong", "key", "garbled"].map(|name| folder.join(name));
    for (file, words) in [(&password, "a password"), (&wrong, "another"), (&key, POOR)] {
        fs::write(file, words).unwrap();
        owners(file);
    }
    let dir = folder.join("keystore");
    let import = ["account", "import", "--light", "--keystore-dir", text(&dir)];
    let from = ["--private-key-file", text(&key), "--password-file", text(&password)];
    let keystore = run(&[&import[..], &from[..]].concat()).fact("key file");
    let whole = fs::read_to_string(&keystore).unwrap();
    fs::write(&garbled, &whole[..whole.len() / 2]).unwrap();
    owners(&garbled);
    let written = folder.join("n.toml");
    for (keystore, password, words) in [
        (keystore.as_str(), text(&wrong), "wrong password"),
        (text(&garbled), text(&password), "is no keystore file"),
        (text(&folder.join("nothing")), text(&password), "nothing"),
        (keystore.as_str(), text(&folder.join("nothing")), "nothing"),
    ] {
        let account = ["--keystore", keystore, "--password-file", password];
        refused(&node(&ground, &ground.network, &account), 1, &[words]);
        let deploy = ["contracts", "deploy", "--network", text(&written)];
        let chain = ["--chain", &ground.url];
        let ended = run(&[&deploy[..], &chain[..], &account[..]].concat());
        refused(&ended, 1, &[words]);
        assert!(!written.exists());
    }
    for key in ["0x12", "nonsense", ZERO] {
        let deploy = ["contracts", "deploy", "--private-key", key, "--chain", &ground.url];
        refused(&run(&deploy), 2, &["64 hexadecimal digits"]);
    }
}

#[test]
#[cfg(unix)]
fn who_cannot_pay_for_gas_sends_nothing() {
    let ground = Ground::new();
    let file = ground.folder.path().join("n.toml");
    let deploy = ["contracts", "deploy", "--private-key", POOR, "--network", text(&file)];
    let ended = run(&[&deploy[..], &["--chain", &ground.url]].concat());
    refused(&ended, 1, &["has 0 wei and needs"]);
    assert!(!file.exists());

    let person = ground.person(1, None);
    ground.mint(&person.account, "1000");
    ground.rpc("anvil_setBalance", &json!([person.account, "0x0"]));
    let open = ["channel", "open", NOBODY, "--token", "TEST", "--deposit", "5"];
    refused(&person.tried(&open), 1, &["(insufficient_coins)", "has 0 wei", "--gasless"]);
    refused(&person.tried(&[&open[..], &["--gasless"]].concat()), 1, &["(no_relayer)"]);
    assert_eq!(ground.sent_by(&person.account), "0x0");
}

#[test]
#[cfg(unix)]
fn channels_that_make_no_sense_are_refused_and_nothing_is_sent() {
    let mut ground = Ground::new();
    let person = ground.person(1, None);
    ground.mint(&person.account, "1000");
    let own = person.account.clone();
    let open = |partner: &str, token: &str, more: &[&str]| {
        person.tried(&[&["channel", "open", partner, "--token", token], more].concat())
    };
    for (partner, token, more, code, words) in [
        (NOBODY, "TEST", &["--deposit", "-5"][..], 2, "-5"),
        (NOBODY, "TEST", &["--deposit", "1.5"], 2, "bad_amount"),
        (NOBODY, "TEST", &["--deposit", "1e3"], 2, "bad_amount"),
        (NOBODY, "TEST", &["--deposit", "many"], 2, "bad_amount"),
        (NOBODY, "TEST", &["--deposit", ""], 2, "bad_amount"),
        (NOBODY, "TEST", &["--deposit", TOO_MUCH], 1, "(bad_amount)"),
        (NOBODY, "TEST", &["--deposit", "1001"], 1, "(insufficient_tokens)"),
        (NOBODY, "TEST", &["--deposit", "5", "--way", "pigeon"], 2, "--way"),
        (NOBODY, "TEST", &["--deposit", "5", "--way", "erc1363"], 1, "(no_such_way)"),
        (NOBODY, "TEST", &["--settle-timeout", "1"], 1, "(settle_timeout_out_of_bounds)"),
        (NOBODY, NOBODY, &["--deposit", "5"], 1, "(not_a_token)"),
        (NOBODY, NOBODY, &[], 1, "(not_a_token)"),
        (NOBODY, ZERO, &["--deposit", "5"], 1, "(zero_address)"),
        (NOBODY, "native", &["--deposit", "5"], 1, "(no_wrapped_native)"),
        (NOBODY, "NONE", &["--deposit", "5"], 2, "no token of this network"),
        (&own, "TEST", &["--deposit", "5"], 1, "(partner_is_self)"),
        (ZERO, "TEST", &["--deposit", "5"], 1, "(zero_address)"),
        ("0x12", "TEST", &[], 2, "bad_address"),
    ] {
        refused(&open(partner, token, more), code, &[words]);
    }
    assert_eq!(ground.sent_by(&own), "0x0");
    let opened = open(NOBODY, "TEST", &["--deposit", "5"]).good();
    assert!(opened.contains("way ") && opened.contains("allowance, about"), "{opened}");
    assert!(opened.contains(" wei\n"), "{opened}");
    let sent = ground.sent_by(&own);
    for (amount, code, words) in [
        ("0", 1, "(bad_amount)"),
        ("-1", 2, "-1"),
        (TOO_MUCH, 1, "(bad_amount)"),
        ("996", 1, "(insufficient_tokens)"),
    ] {
        refused(&person.tried(&["channel", "deposit", NOBODY, amount]), code, &[words]);
    }
    refused(&open(NOBODY, "TEST", &[]), 1, &["(channel_exists)"]);
    let table = person.ask(&["tokens", "examine", "TEST", "--amount", "7"]);
    assert!(table.contains("7 sent, 7 would arrive") && table.contains("allowance"), "{table}");
    assert_eq!(ground.sent_by(&own), sent, "nothing was sent");
    ground.chain.interrupt();
    let deposit = person.tried(&["channel", "deposit", NOBODY, "5"]);
    refused(&deposit, 1, &["(chain_unavailable)", "chain_trouble"]);
    let deploy = ["contracts", "deploy", "--private-key", POOR, "--chain", &ground.url];
    refused(&run(&deploy), 1, &["no chain answers at http://127.0.0.1"]);
}
