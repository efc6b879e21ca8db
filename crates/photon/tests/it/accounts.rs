//! Key files.

use crate::support::{command, run, text};
use std::fs;
use std::io::Write as _;
use std::process::Stdio;
use tempfile::TempDir;

const WORDS: &str = "test test test test test test test test test test test junk";
const SECOND: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

fn folder() -> (TempDir, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    fs::write(&password, "secret\n").unwrap();
    let keys = folder.path().join("keys");
    let (keys, password) = (text(&keys).to_owned(), text(&password).to_owned());
    (folder, keys, password)
}

#[test]
fn a_new_account_is_listed_and_its_file_is_its_owners() {
    let (_folder, keys, password) = folder();
    let empty = run(&["account", "list", "--keystore-dir", &keys]).good();
    assert!(empty.contains("photon account new"), "{empty}");
    let made =
        run(&["account", "new", "--light", "--keystore-dir", &keys, "--password-file", &password]);
    let (account, file) = (made.fact("account"), made.fact("key file"));
    assert_eq!(made.code, 0, "{made:?}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let listed = run(&["account", "list", "--keystore-dir", &keys]).good();
    assert!(listed.contains(&account) && listed.contains(&file), "{listed}");
    let json = run(&["account", "list", "--json", "--keystore-dir", &keys]).good();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json[0]["address"].as_str().unwrap().to_lowercase(), account.to_lowercase());
}

#[test]
fn words_give_the_account_that_every_wallet_gives() {
    let (_folder, keys, password) = folder();
    let arguments = [
        "account",
        "import",
        "--light",
        "--keystore-dir",
        &keys,
        "--password-file",
        &password,
        "--mnemonic-file",
        "-",
        "--mnemonic-index",
        "1",
    ];
    let mut child = command(&arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(WORDS.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && said.contains(SECOND), "{said}");
}

#[test]
fn drawn_words_make_the_same_account_again() {
    let (folder, keys, password) = folder();
    let made = run(&[
        "account",
        "new",
        "--light",
        "--mnemonic",
        "--keystore-dir",
        &keys,
        "--password-file",
        &password,
    ]);
    let words = made.out.lines().last().unwrap().trim();
    assert_eq!(words.split(' ').count(), 12, "{made:?}");
    let file = folder.path().join("words");
    fs::write(&file, words).unwrap();
    let others = folder.path().join("others");
    let again = run(&[
        "account",
        "import",
        "--light",
        "--keystore-dir",
        text(&others),
        "--password-file",
        &password,
        "--mnemonic-file",
        text(&file),
    ]);
    assert_eq!(again.fact("account"), made.fact("account"));
}

#[test]
fn what_is_no_key_is_refused_and_nothing_is_written() {
    let (folder, keys, password) = folder();
    let file = folder.path().join("key");
    for (contents, code) in [("nonsense", 2), (&*"0".repeat(64), 1), ("0x12", 2)] {
        fs::write(&file, contents).unwrap();
        let ended = run(&[
            "account",
            "import",
            "--keystore-dir",
            &keys,
            "--password-file",
            &password,
            "--private-key-file",
            text(&file),
        ]);
        assert_eq!(ended.code, code, "{ended:?}");
    }
    assert!(!folder.path().join("keys").exists());
}
