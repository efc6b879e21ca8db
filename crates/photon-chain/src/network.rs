use crate::bindings::PhotonNetwork;
use crate::endpoint::Endpoint;
use crate::error::{ChainError, NetworkFileError, SendError};
use crate::wallet::Wallet;
use alloy::sol_types::SolCall;
use photon_wire::claim::Domain;
use photon_wire::contract::Parameters;
use photon_wire::{Address, BlockNumber, Seconds, Token};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// One deployment of the contract: what everybody on it must agree on. Kept in a small TOML file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Network {
    /// For people.
    pub name: Option<String>,
    /// The chain.
    pub chain_id: u64,
    /// The contract.
    pub contract: Address,
    /// Nothing of the contract is in an earlier block.
    pub deploy_block: BlockNumber,
    /// What the contract was deployed with.
    pub parameters: Parameters,
    /// The token that is the chain's own coin, one for one: with it channels are opened in coins.
    pub wrapped_native: Option<Token>,
    /// Names for tokens, for people.
    pub tokens: BTreeMap<String, Token>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NetworkFile {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    chain_id: u64,
    contract: Address,
    deploy_block: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    wrapped_native: Option<Address>,
    parameters: ParametersTable,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    tokens: BTreeMap<String, Address>,
}

/// All in seconds.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ParametersTable {
    least_settle_timeout: u64,
    greatest_settle_timeout: u64,
    challenge: u64,
}

impl From<NetworkFile> for Network {
    fn from(file: NetworkFile) -> Self {
        Self {
            name: file.name,
            chain_id: file.chain_id,
            contract: file.contract,
            deploy_block: BlockNumber(file.deploy_block),
            parameters: Parameters {
                least_settle_timeout: Seconds(file.parameters.least_settle_timeout),
                greatest_settle_timeout: Seconds(file.parameters.greatest_settle_timeout),
                challenge: Seconds(file.parameters.challenge),
            },
            wrapped_native: file.wrapped_native.map(Token),
            tokens: file.tokens.into_iter().map(|(name, token)| (name, Token(token))).collect(),
        }
    }
}

impl From<&Network> for NetworkFile {
    fn from(network: &Network) -> Self {
        let tokens = network.tokens.iter();
        Self {
            name: network.name.clone(),
            chain_id: network.chain_id,
            contract: network.contract,
            deploy_block: network.deploy_block.0,
            parameters: ParametersTable {
                least_settle_timeout: network.parameters.least_settle_timeout.0,
                greatest_settle_timeout: network.parameters.greatest_settle_timeout.0,
                challenge: network.parameters.challenge.0,
            },
            wrapped_native: network.wrapped_native.map(|token| token.0),
            tokens: tokens.map(|(name, token)| (name.clone(), token.0)).collect(),
        }
    }
}

/// How the parameters in the chain differ from those of the network file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Difference {
    /// In the chain.
    pub got: Parameters,
    /// In the file.
    pub expected: Parameters,
}

impl fmt::Display for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (got, expected) = (&self.got, &self.expected);
        let all = [
            ("least settle timeout", got.least_settle_timeout, expected.least_settle_timeout),
            (
                "greatest settle timeout",
                got.greatest_settle_timeout,
                expected.greatest_settle_timeout,
            ),
            ("challenge", got.challenge, expected.challenge),
        ];
        let mut separator = "";
        for (name, got, expected) in all.into_iter().filter(|(_, got, expected)| got != expected) {
            write!(out, "{separator}{name} {got}, expected {expected}")?;
            separator = "; ";
        }
        Ok(())
    }
}

impl Network {
    /// Reads a network from TOML.
    ///
    /// # Errors
    /// Where a field is missing, unknown or malformed.
    pub fn from_toml(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str::<NetworkFile>(text).map(Self::from)
    }

    /// Writes it as TOML.
    pub fn to_toml(&self) -> String {
        toml::to_string(&NetworkFile::from(self)).expect("text, numbers and tables are TOML")
    }

    /// Reads a network file.
    ///
    /// # Errors
    /// Where it cannot be read or is no network file.
    pub fn load(path: &Path) -> Result<Self, NetworkFileError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| NetworkFileError::File { path: path.to_owned(), source })?;
        Self::from_toml(&text).map_err(|source| NetworkFileError::Format {
            path: path.to_owned(),
            source: Box::new(source),
        })
    }

    /// Writes a network file, in the place of an older one.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), NetworkFileError> {
        std::fs::write(path, self.to_toml())
            .map_err(|source| NetworkFileError::File { path: path.to_owned(), source })
    }

    /// Where claims hold on this network.
    pub fn domain(&self) -> Domain {
        Domain::new(self.chain_id, self.contract)
    }

    /// Deploys the contract and tells of it what there is to know.
    ///
    /// # Errors
    /// Where the chain cannot be asked, the parameters make no sense or the gas cannot be paid.
    pub async fn deploy(wallet: &Wallet, parameters: Parameters) -> Result<Self, SendError> {
        let chain_id = wallet.endpoint().chain_id().await?;
        let deployed = wallet.deploy(crate::bindings::network_code(&parameters)).await?;
        Ok(Self {
            name: None,
            chain_id,
            contract: deployed.address,
            deploy_block: deployed.block,
            parameters,
            wrapped_native: None,
            tokens: BTreeMap::new(),
        })
    }

    /// Makes a network out of what the chain tells of a contract.
    ///
    /// # Errors
    /// Where the chain cannot be asked, or Photon's contract is not there.
    pub async fn read(
        endpoint: &Endpoint,
        contract: Address,
        deploy_block: BlockNumber,
    ) -> Result<Self, ChainError> {
        let chain_id = endpoint.chain_id().await?;
        if !endpoint.has_code(contract).await? {
            return Err(ChainError::NoContract { contract, chain_id });
        }
        check_domain(endpoint, &Domain::new(chain_id, contract)).await?;
        let parameters = Parameters {
            least_settle_timeout: seconds::<PhotonNetwork::leastSettleTimeoutCall>(
                endpoint,
                contract,
                PhotonNetwork::leastSettleTimeoutCall {},
            )
            .await?,
            greatest_settle_timeout: seconds::<PhotonNetwork::greatestSettleTimeoutCall>(
                endpoint,
                contract,
                PhotonNetwork::greatestSettleTimeoutCall {},
            )
            .await?,
            challenge: seconds::<PhotonNetwork::challengeCall>(
                endpoint,
                contract,
                PhotonNetwork::challengeCall {},
            )
            .await?,
        };
        let tokens = BTreeMap::new();
        let wrapped_native = None;
        Ok(Self {
            name: None,
            chain_id,
            contract,
            deploy_block,
            parameters,
            wrapped_native,
            tokens,
        })
    }

    /// Asks the chain whether this network is there.
    ///
    /// # Errors
    /// Where nobody answers, the chain is another one, the contract is not there or another one,
    /// or it was deployed with other parameters.
    pub async fn verify(&self, endpoint: &Endpoint) -> Result<(), ChainError> {
        let got = endpoint.chain_id().await?;
        if got != self.chain_id {
            let (url, expected) = (endpoint.shown().to_owned(), self.chain_id);
            return Err(ChainError::WrongChain { url, got, expected });
        }
        let there = Self::read(endpoint, self.contract, self.deploy_block).await?;
        if there.parameters != self.parameters {
            let difference = Difference { got: there.parameters, expected: self.parameters };
            return Err(ChainError::OtherParameters { contract: self.contract, difference });
        }
        Ok(())
    }
}

impl fmt::Display for Network {
    /// As a person reads it.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            writeln!(out, "network                 {name}")?;
        }
        writeln!(out, "chain id                {}", self.chain_id)?;
        writeln!(out, "contract                {}", self.contract)?;
        writeln!(out, "deployed in block       {}", self.deploy_block)?;
        writeln!(out, "least settle timeout    {}", self.parameters.least_settle_timeout)?;
        writeln!(out, "greatest settle timeout {}", self.parameters.greatest_settle_timeout)?;
        write!(out, "challenge               {}", self.parameters.challenge)?;
        if let Some(wrapped) = self.wrapped_native {
            write!(out, "\nwrapped native coin     {wrapped}")?;
        }
        self.tokens.iter().try_for_each(|(name, token)| write!(out, "\ntoken {name:<17} {token}"))
    }
}

async fn check_domain(endpoint: &Endpoint, domain: &Domain) -> Result<(), ChainError> {
    let contract = domain.contract();
    let call = PhotonNetwork::domainSeparatorCall {};
    let got = ask(endpoint, contract, call).await?;
    if got == domain.separator() {
        return Ok(());
    }
    let reason = format!("its domain separator is {got}, expected {}", domain.separator());
    Err(ChainError::OtherContract { contract, reason })
}

async fn seconds<C: SolCall<Return = u64>>(
    endpoint: &Endpoint,
    contract: Address,
    call: C,
) -> Result<Seconds, ChainError> {
    ask(endpoint, contract, call).await.map(Seconds)
}

async fn ask<C: SolCall>(
    endpoint: &Endpoint,
    contract: Address,
    call: C,
) -> Result<C::Return, ChainError> {
    let other = |reason: String| ChainError::OtherContract { contract, reason };
    let data = match endpoint.call(contract, call.abi_encode().into()).await {
        Ok(data) => data,
        Err(ChainError::Reverted(revert)) => {
            return Err(other(format!("{}: {revert}", C::SIGNATURE)));
        }
        Err(error) => return Err(error),
    };
    C::abi_decode_returns(&data).map_err(|error| other(format!("{}: {error}", C::SIGNATURE)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network() -> Network {
        Network {
            name: Some("test".to_owned()),
            chain_id: 1337,
            contract: Address::repeat_byte(1),
            deploy_block: BlockNumber(7),
            parameters: Parameters {
                least_settle_timeout: Seconds(10),
                greatest_settle_timeout: Seconds(1_000),
                challenge: Seconds(5),
            },
            wrapped_native: Some(Token(Address::repeat_byte(3))),
            tokens: BTreeMap::from([("TEST".to_owned(), Token(Address::repeat_byte(2)))]),
        }
    }

    #[test]
    fn a_network_file_says_all_and_nothing_else() {
        let text = network().to_toml();
        assert_eq!(Network::from_toml(&text).unwrap(), network());
        assert!(text.contains("least_settle_timeout = 10\n"), "{text}");
        assert!(Network::from_toml(&format!("unknown = 1\n{text}")).is_err());
        assert!(Network::from_toml(&text.replace("chain_id = 1337\n", "")).is_err());
        let without = Network { wrapped_native: None, ..network() };
        assert_eq!(Network::from_toml(&without.to_toml()).unwrap(), without);
    }

    #[test]
    fn a_difference_names_only_what_differs() {
        let expected = network().parameters;
        let got = Parameters { challenge: Seconds(6), ..expected };
        let shown = Difference { got, expected }.to_string();
        assert_eq!(shown, "challenge 6 s, expected 5 s");
    }
}
