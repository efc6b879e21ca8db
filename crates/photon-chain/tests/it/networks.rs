//! Network files and the chains they speak of.

use crate::stage::{PARAMETERS, Stage};
use photon_chain::{ChainError, Endpoint, Network};
use photon_wire::{Address, BlockNumber, Seconds};

#[tokio::test]
async fn a_deployed_network_is_found_again_from_its_file() {
    let stage = Stage::new().await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("network.toml");
    stage.network.save(&path).unwrap();
    let network = Network::load(&path).unwrap();
    assert_eq!(network, stage.network);
    network.verify(&stage.endpoint).await.unwrap();
    assert_eq!(network.parameters, PARAMETERS);
    assert_ne!(network.deploy_block, BlockNumber(0));
    let read = Network::read(&stage.endpoint, network.contract, network.deploy_block).await;
    assert_eq!(read.unwrap(), network);
    let info = photon_chain::token::info(&stage.endpoint, stage.token).await.unwrap();
    assert_eq!((info.symbol.as_str(), info.decimals), ("TEST", 6));
}

#[tokio::test]
async fn what_does_not_fit_the_chain_is_told_so_that_one_can_mend_it() {
    let stage = Stage::new().await;
    let url = stage.endpoint.shown();
    let contract = stage.network.contract;
    let told = async |change: &dyn Fn(&mut Network)| {
        let mut network = stage.network.clone();
        change(&mut network);
        network.verify(&stage.endpoint).await.unwrap_err().to_string()
    };
    let other_chain = told(&|network| network.chain_id = 1).await;
    assert_eq!(other_chain, format!("chain id is 1337 at {url}, expected 1"));
    let nothing = Address::repeat_byte(8);
    let no_contract = told(&|network| network.contract = nothing).await;
    assert_eq!(no_contract, format!("no contract at {nothing} on chain 1337"));
    let other = told(&|network| network.contract = stage.token.0).await;
    assert!(other.starts_with("the contract at "), "{other}");
    assert!(other.contains("is not Photon's: domainSeparator()"), "{other}");
    let parameters = told(&|network| network.parameters.challenge = Seconds(31)).await;
    let expected =
        format!("the contract at {contract} was deployed with challenge 30 s, expected 31 s");
    assert_eq!(parameters, expected);
}

#[tokio::test]
async fn a_chain_that_does_not_answer_is_named() {
    let stage = Stage::new().await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    drop(silent);
    for scheme in ["http", "ws"] {
        let url = format!("{scheme}://{address}");
        let endpoint = Endpoint::new(&url).unwrap();
        let error = stage.network.verify(&endpoint).await.unwrap_err();
        assert!(matches!(error, ChainError::Unreachable { .. }), "{error:?}");
        assert!(error.is_transient());
        assert!(error.to_string().starts_with(&format!("no chain answers at {url}: ")), "{error}");
    }
}
