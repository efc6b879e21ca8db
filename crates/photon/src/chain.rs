//! Speaking with a chain directly, and with whose key.

use crate::failure::Failure;
use anyhow::Context as _;
use clap::Args;
use photon_chain::{Account, Endpoint, Mnemonic, Wallet, WalletConfig, keystore};
use photon_wire::B256;
use std::path::{Path, PathBuf};

/// Which chain.
#[derive(Args, Clone, Debug)]
pub(crate) struct ChainArgs {
    /// The chain's JSON-RPC: http, https, ws or wss
    #[arg(
        long,
        value_name = "URL",
        env = "PHOTON_CHAIN_ENDPOINT",
        default_value = "http://127.0.0.1:8545",
        hide_env_values = true
    )]
    chain: String,
}

impl ChainArgs {
    /// Nothing is asked yet.
    pub(crate) fn endpoint(&self) -> anyhow::Result<Endpoint> {
        Ok(Endpoint::new(&self.chain)?)
    }
}

/// Whose key signs. One of the three.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Who pays")]
pub(crate) struct KeyArgs {
    /// A keystore file (V3) of the account that pays for the gas
    #[arg(long, value_name = "FILE", env = "PHOTON_ACCOUNT_KEYSTORE", hide_env_values = true)]
    keystore: Option<PathBuf>,
    /// The file with its password; without it, it is asked for
    #[arg(long, value_name = "FILE", env = "PHOTON_ACCOUNT_PASSWORD_FILE", hide_env_values = true)]
    password_file: Option<PathBuf>,
    /// A file with a BIP-39 mnemonic
    #[arg(long, value_name = "FILE", env = "PHOTON_ACCOUNT_MNEMONIC_FILE", hide_env_values = true)]
    mnemonic_file: Option<PathBuf>,
    /// Which account of the mnemonic, from 0
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    mnemonic_index: u32,
    /// A private key, in hexadecimal: only for development chains, others can see it
    #[arg(long, value_name = "KEY", env = "PHOTON_PRIVATE_KEY", hide_env_values = true)]
    private_key: Option<String>,
}

impl KeyArgs {
    /// Opens it.
    pub(crate) fn account(&self) -> anyhow::Result<Account> {
        match (&self.private_key, &self.keystore, &self.mnemonic_file) {
            (Some(key), ..) => private_key(key),
            (None, Some(file), _) => {
                let password = match &self.password_file {
                    Some(password_file) => read_password(password_file)?,
                    None => ask_password("Password: ")?,
                };
                Ok(keystore::open(file, &password)?)
            }
            (None, None, Some(file)) => {
                let words = std::fs::read_to_string(file)
                    .with_context(|| format!("mnemonic file {}", file.display()))?;
                Ok(Mnemonic::from_phrase(&words)?.account(self.mnemonic_index)?)
            }
            (None, None, None) => Err(Failure::usage(
                "no account is given; add --keystore, --mnemonic-file or --private-key",
            )),
        }
    }

    /// A wallet of it.
    pub(crate) fn wallet(&self, chain: &ChainArgs) -> anyhow::Result<Wallet> {
        Ok(Wallet::new(chain.endpoint()?, self.account()?, WalletConfig::quick()))
    }
}

/// Reads a private key: 64 hexadecimal digits, with or without 0x.
pub(crate) fn private_key(text: &str) -> anyhow::Result<Account> {
    let digits = text.trim();
    let key: B256 = digits
        .parse()
        .map_err(|_| Failure::usage("the private key has not 64 hexadecimal digits"))?;
    Ok(Account::from_bytes(&key.0)?)
}

/// The first line of a file.
pub(crate) fn read_password(file: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("password file {}", file.display()))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// Asks for a secret on the terminal, without showing it.
pub(crate) fn ask_password(prompt: &str) -> anyhow::Result<String> {
    let terminal = console::Term::stderr();
    if !terminal.is_term() {
        return Err(Failure::usage("there is no terminal to ask on; give --password-file"));
    }
    terminal.write_str(prompt)?;
    Ok(terminal.read_secure_line()?)
}
