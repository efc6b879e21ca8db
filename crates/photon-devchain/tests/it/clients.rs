//! Scripts for viem, ethers and cast, as one writes them against any Ethereum node.

use std::{
    ffi::OsString,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use photon_devchain::{Config, DevChain};

/// Long for a chain in this process, short enough to notice that a script waits in vain.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(120);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// Installs what the lock file pins, unless that is done; `cargo xtask setup` does the same.
fn install() {
    let folder = folder();
    let stamp = folder.join("node_modules/.photon-installed");
    let wanted = fs::read_to_string(folder.join("package-lock.json")).unwrap();
    // The tests are processes of their own: one installs, the others wait for it.
    let lock = File::create(Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients.lock")).unwrap();
    lock.lock().unwrap();
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return;
    }
    let npm = Command::new("npm").args(["ci", "--ignore-scripts"]).current_dir(&folder).status();
    assert!(npm.expect("npm is needed to test with viem, ethers and cast").success());
    fs::write(stamp, wanted).unwrap();
}

/// The search path with the native cast first: the one of npm in `.bin` hides its failures.
fn search_path() -> OsString {
    let scope = folder().join("node_modules/@foundry-rs");
    let native = fs::read_dir(scope)
        .unwrap()
        .map(|entry| entry.unwrap().path().join("bin/cast"))
        .find(|program| program.exists())
        .expect("npm installs cast for this platform");
    let before = std::env::var_os("PATH").unwrap_or_default();
    let first = native.parent().unwrap().to_path_buf();
    std::env::join_paths(std::iter::once(first).chain(std::env::split_paths(&before))).unwrap()
}

async fn run(program: &str, script: &str, config: Config, legacy: bool) {
    install();
    let chain = DevChain::start(config).await.unwrap();
    let artefact =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts/artefacts/TestToken.json");
    let child = tokio::process::Command::new(program)
        .arg(folder().join(script))
        .env("CHAIN_URL", chain.url())
        .env("CHAIN_WS_URL", chain.ws_url())
        .env("CHAIN_ID", chain.chain_id().to_string())
        .env("CHAIN_LEGACY", legacy.to_string())
        .env("ARTEFACT", artefact)
        .env("PATH", search_path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the program of the script is on the PATH");
    let ended = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
    let output = ended.expect("the script waits in vain").unwrap();
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{script}: {}\n{said}\n{complained}", output.status);
    assert!(said.contains("is content"), "{said}\n{complained}");
    chain.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn viem_is_content() {
    run("node", "viem.mjs", Config::default(), false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn viem_is_content_with_spectrum() {
    run("node", "viem.mjs", Config::spectrum(), true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ethers_is_content() {
    run("node", "ethers.mjs", Config::default(), false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ethers_is_content_with_spectrum() {
    run("node", "ethers.mjs", Config::spectrum(), true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cast_is_content() {
    run("sh", "cast.sh", Config::default(), false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cast_is_content_with_spectrum() {
    run("sh", "cast.sh", Config::spectrum(), true).await;
}
