//! The contract's interface and code, and those of the test tokens, as their artefacts tell them.

use alloy::primitives::{Bytes, U256};
use alloy::sol_types::SolValue as _;

#[allow(missing_docs, clippy::all, clippy::too_many_lines, reason = "generated")]
mod artefacts {
    alloy::sol!(
        #[derive(Debug, PartialEq, Eq)]
        PhotonNetwork,
        "../../contracts/artefacts/PhotonNetwork.json"
    );
    alloy::sol!(
        #[derive(Debug, PartialEq, Eq)]
        BlockingToken,
        "../../contracts/artefacts/BlockingToken.json"
    );
    alloy::sol!(FeeToken, "../../contracts/artefacts/FeeToken.json");
    alloy::sol!(TestToken, "../../contracts/artefacts/TestToken.json");
}

pub use artefacts::{BlockingToken, FeeToken, IPhotonNetwork, PhotonNetwork, TestToken};

/// What a deployed contract is made with, in seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Terms {
    /// The least settle timeout.
    pub least: u64,
    /// The greatest.
    pub greatest: u64,
    /// How long after the updates punishing goes on.
    pub challenge: u64,
}

/// The code that deploys the contract.
pub fn network_code(terms: Terms) -> Bytes {
    let arguments = (terms.least, terms.greatest, terms.challenge).abi_encode_params();
    [PhotonNetwork::BYTECODE.as_ref(), &arguments].concat().into()
}

/// The code that deploys a plain token.
pub fn token_code() -> Bytes {
    let arguments = (String::from("Test"), String::from("TST"), U256::from(18));
    [TestToken::BYTECODE.as_ref(), &arguments.abi_encode_params()].concat().into()
}
