//! `photon account`.

use crate::chain::{ask_password, private_key, read_password};
use crate::failure::Failure;
use crate::show;
use anyhow::Context as _;
use clap::{Args, Subcommand};
use photon_chain::keystore::{self, Cost};
use photon_chain::{Account, Mnemonic};
use photon_node::config::{Config, Options};
use std::io::Read as _;
use std::path::PathBuf;

/// What can be done with accounts.
#[derive(Subcommand, Debug)]
pub(crate) enum AccountCommand {
    /// Make a new account and write its key file (geth's keystore V3)
    New {
        #[command(flatten)]
        keystore: KeystoreArgs,
        #[command(flatten)]
        password: PasswordArgs,
        /// Draw twelve words (BIP-39), print them once, and make the account from them
        #[arg(long)]
        mnemonic: bool,
    },
    /// Write the key file of an account that there is: from words, or from a private key
    Import {
        #[command(flatten)]
        keystore: KeystoreArgs,
        #[command(flatten)]
        password: PasswordArgs,
        /// A file with a BIP-39 mnemonic; `-` reads the standard input
        #[arg(long, value_name = "FILE", conflicts_with = "private_key_file")]
        mnemonic_file: Option<PathBuf>,
        /// Which account of the mnemonic, from 0
        #[arg(long, value_name = "NUMBER", default_value_t = 0)]
        mnemonic_index: u32,
        /// A file with a private key in hexadecimal; `-` reads the standard input
        #[arg(long, value_name = "FILE", required_unless_present = "mnemonic_file")]
        private_key_file: Option<PathBuf>,
    },
    /// List key files
    List {
        #[command(flatten)]
        keystore: KeystoreArgs,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Where key files are.
#[derive(Args, Debug)]
pub(crate) struct KeystoreArgs {
    /// The directory of the key files; without it, `keystore` in the data directory
    #[arg(long, value_name = "DIRECTORY")]
    keystore_dir: Option<PathBuf>,
    /// The node's data directory
    #[arg(long, value_name = "DIRECTORY", env = "PHOTON_DATA_DIR", hide_env_values = true)]
    data_dir: Option<PathBuf>,
}

/// The password of a key file.
#[derive(Args, Debug)]
pub(crate) struct PasswordArgs {
    /// A file whose first line is the password; without it, it is asked for
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Make the file open in milliseconds instead of a second: for tests, guessing is cheap then
    #[arg(long)]
    light: bool,
}

impl KeystoreArgs {
    fn directory(&self) -> anyhow::Result<PathBuf> {
        if let Some(directory) = &self.keystore_dir {
            return Ok(directory.clone());
        }
        let data_dir = match &self.data_dir {
            Some(data_dir) => data_dir.clone(),
            None => Config::load(&Options::default())?.config.data_dir,
        };
        Ok(data_dir.join("keystore"))
    }
}

impl PasswordArgs {
    fn password(&self) -> anyhow::Result<String> {
        if let Some(file) = &self.password_file {
            return read_password(file);
        }
        let password = ask_password("New password: ")?;
        if password != ask_password("Once more: ")? {
            return Err(Failure::usage("the two passwords differ"));
        }
        Ok(password)
    }

    const fn cost(&self) -> Cost {
        if self.light { Cost::Light } else { Cost::Standard }
    }
}

/// Does it.
pub(crate) fn run(command: AccountCommand) -> anyhow::Result<()> {
    match command {
        AccountCommand::New { keystore, password, mnemonic } => {
            let words = mnemonic.then(Mnemonic::random);
            let account = match &words {
                Some(words) => words.account(0)?,
                None => Account::random(),
            };
            write(&keystore, &password, &account)?;
            if let Some(words) = words {
                show::line("\nWrite these words down; they are shown only now:\n")?;
                show::line(format_args!("  {}", words.phrase()))?;
            }
            Ok(())
        }
        AccountCommand::Import {
            keystore,
            password,
            mnemonic_file,
            mnemonic_index,
            private_key_file,
        } => {
            let account = match (mnemonic_file, private_key_file) {
                (Some(file), _) => Mnemonic::from_phrase(&read(&file)?)?.account(mnemonic_index)?,
                (None, Some(file)) => private_key(&read(&file)?)?,
                (None, None) => return Err(Failure::usage("say where the words or the key are")),
            };
            write(&keystore, &password, &account)
        }
        AccountCommand::List { keystore, json } => list(&keystore, json),
    }
}

fn write(
    keystore: &KeystoreArgs,
    password: &PasswordArgs,
    account: &Account,
) -> anyhow::Result<()> {
    let directory = keystore.directory()?;
    let path = keystore::store(&directory, account, &password.password()?, password.cost())?;
    show::facts(&[
        ("account", account.address().to_string()),
        ("key file", path.display().to_string()),
    ])
}

fn list(keystore: &KeystoreArgs, json: bool) -> anyhow::Result<()> {
    let directory = keystore.directory()?;
    let files = keystore::list(&directory)?;
    if json {
        let file =
            |it: &keystore::KeyFile| serde_json::json!({ "address": it.address, "path": it.path });
        return show::json(&files.iter().map(file).collect::<Vec<_>>());
    }
    if files.is_empty() {
        return show::line(format_args!(
            "no key files in {}; `photon account new` makes one",
            directory.display()
        ));
    }
    let rows = files.iter().map(|it| [it.address.to_string(), it.path.display().to_string()]);
    show::table(["account", "key file"], &[], rows)
}

/// A file, or the standard input.
fn read(file: &PathBuf) -> anyhow::Result<String> {
    if file.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    std::fs::read_to_string(file).with_context(|| file.display().to_string())
}
