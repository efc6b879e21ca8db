//! A chain to point other tools at: `cargo run -p photon-devchain --example serve -- 8545`, and
//! with `spectrum` after the port one like Spectrum.

use std::net::SocketAddr;

use photon_devchain::{Config, DevChain, Error};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(0);
    let spectrum = std::env::args().nth(2).is_some_and(|preset| preset == "spectrum");
    let preset = if spectrum { Config::spectrum() } else { Config::default() };
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let chain = DevChain::start(Config { address, ..preset }).await?;
    println!("{}", chain.url());
    for (address, private_key) in chain.accounts() {
        println!("{address} {private_key}");
    }
    std::future::pending::<()>().await;
    Ok(())
}
