//! The same life on a chain that others wrote.

use crate::life::live;
use crate::stage::Stage;
use crate::tokens::{Market, every_kind};
use photon_chain::WalletConfig;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

const PACKAGES: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../contracts/node_modules/@foundry-rs");

/// The program itself: its npm wrapper would leave it behind when it is killed.
fn anvil() -> PathBuf {
    let packages = std::fs::read_dir(PACKAGES).into_iter().flatten();
    packages
        .map(|package| package.unwrap().path().join("bin/anvil"))
        .find(|path| path.exists())
        .expect("anvil, which `npm ci --prefix contracts` installs")
}

struct Anvil {
    process: Child,
    url: String,
}

impl Anvil {
    fn start(arguments: &[&str]) -> Self {
        let mut process = Command::new(anvil())
            .args(["--port", "0", "--chain-id", "1337"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut lines = lines.map(Result::unwrap);
        let address = lines.find_map(|line| line.strip_prefix("Listening on ").map(str::to_owned));
        // It stops where nobody reads on.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, url: format!("http://{}", address.unwrap()) }
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn a_channel_lives_on_anvil_too() {
    let anvil = Anvil::start(&[]);
    live(&mut Stage::at(&anvil.url, WalletConfig::quick()).await).await;
}

#[tokio::test]
async fn a_channel_lives_where_there_is_no_base_fee() {
    let anvil = Anvil::start(&["--hardfork", "istanbul"]);
    live(&mut Stage::at(&anvil.url, WalletConfig::quick()).await).await;
}

#[tokio::test]
async fn every_kind_of_token_goes_by_its_own_way_on_anvil_too() {
    let anvil = Anvil::start(&[]);
    every_kind(Market { stage: Stage::at(&anvil.url, WalletConfig::quick()).await }).await;
}
