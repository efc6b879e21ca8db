//! Key files as geth writes them, one for each account, in one directory.
//!
//! Source: the Web3 Secret Storage Definition, version 3.

use crate::account::Account;
use crate::error::AccountError;
use aes::cipher::{KeyIvInit, StreamCipher};
use alloy::primitives::{hex, keccak256};
use alloy::signers::local::{LocalSignerError, PrivateKeySigner};
use photon_wire::Address;
use rand::RngCore;
use serde::{Deserialize, Serialize};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

type Cipher = ctr::Ctr128BE<aes::Aes128>;

/// The most memory that opening a file may ask for: 1 GiB, four times geth's standard.
const MOST_MEMORY: u64 = 1 << 30;

/// The most rounds of PBKDF2: forty times geth's.
const MOST_ROUNDS: u64 = 10_000_000;

/// What guessing a password costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cost {
    /// As geth: about a second and 256 MiB for each guess.
    Standard,
    /// For tests and demonstrations: a few milliseconds.
    Light,
}

impl Cost {
    const fn log_n(self) -> u8 {
        match self {
            Self::Standard => 18,
            Self::Light => 10,
        }
    }
}

/// A key file of a directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyFile {
    /// Whose key is in it.
    pub address: Address,
    /// Where it is.
    pub path: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct File {
    #[serde(default)]
    address: Option<String>,
    crypto: Crypto,
    id: String,
    version: u8,
}

#[derive(Serialize, Deserialize)]
struct Crypto {
    cipher: String,
    cipherparams: CipherParameters,
    ciphertext: String,
    kdf: String,
    kdfparams: serde_json::Value,
    mac: String,
}

#[derive(Serialize, Deserialize)]
struct CipherParameters {
    iv: String,
}

#[derive(Serialize, Deserialize)]
struct Scrypt {
    dklen: u64,
    n: u64,
    p: u64,
    r: u64,
    salt: String,
}

/// Writes a new key file, readable by its owner only. The directory is made where it is missing.
///
/// # Errors
/// Where the file cannot be written, or one for this account is there already.
pub fn store(
    directory: &Path,
    account: &Account,
    password: &str,
    cost: Cost,
) -> Result<PathBuf, AccountError> {
    let path = directory.join(format!("{:x}.json", account.address()));
    let failed = |source| AccountError::File { path: path.clone(), source };
    fs::create_dir_all(directory).map_err(failed)?;
    if path.exists() {
        return Err(AccountError::Exists(path));
    }
    let text =
        serde_json::to_string(&sealed(account, password, cost)).expect("text and numbers are JSON");
    let draft = path.with_extension("draft");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    fs::rename(&draft, &path).map_err(failed)?;
    Ok(path)
}

fn sealed(account: &Account, password: &str, cost: Cost) -> File {
    let mut salt = [0; 32];
    let mut iv = [0; 16];
    let mut id = [0; 16];
    for bytes in [salt.as_mut_slice(), &mut iv, &mut id] {
        rand::rng().fill_bytes(bytes);
    }
    let mut derived = Zeroizing::new([0; 32]);
    let parameters = scrypt::Params::new(cost.log_n(), 8, 1).expect("these are in bounds");
    scrypt::scrypt(password.as_bytes(), &salt, &parameters, derived.as_mut_slice())
        .expect("32 bytes can be derived");
    let (key, mac_key) = derived.split_at(16);
    let mut ciphertext = account.to_bytes();
    Cipher::new_from_slices(key, &iv)
        .expect("key and iv have 16 bytes")
        .apply_keystream(ciphertext.as_mut_slice());
    let mac = keccak256([mac_key, ciphertext.as_slice()].concat());
    let kdf = Scrypt { dklen: 32, n: 1 << cost.log_n(), p: 1, r: 8, salt: hex::encode(salt) };
    File {
        address: Some(format!("{:x}", account.address())),
        crypto: Crypto {
            cipher: "aes-128-ctr".to_owned(),
            cipherparams: CipherParameters { iv: hex::encode(iv) },
            ciphertext: hex::encode(ciphertext),
            kdf: "scrypt".to_owned(),
            kdfparams: serde_json::to_value(kdf).expect("text and numbers are JSON"),
            mac: hex::encode(mac),
        },
        id: uuid(id),
        version: 3,
    }
}

/// Source: RFC 9562, version 4.
fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let text = hex::encode(bytes);
    let parts = [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]];
    parts.join("-")
}

/// Opens a key file of ours or geth's.
///
/// # Errors
/// Where it cannot be read, is no key file, or the password is wrong.
pub fn open(path: &Path, password: &str) -> Result<Account, AccountError> {
    check(path, &read(path)?)?;
    let failed = |reason: String| AccountError::Format { path: path.to_owned(), reason };
    match PrivateKeySigner::decrypt_keystore(path, password) {
        Ok(signer) => Ok(Account::from(signer)),
        Err(LocalSignerError::EthKeystoreError(error)) if error.to_string() == WRONG_MAC => {
            Err(AccountError::WrongPassword(path.to_owned()))
        }
        Err(error) => Err(failed(error.to_string())),
    }
}

/// The library does not export its error's type.
const WRONG_MAC: &str = "Mac Mismatch";

/// Refuses what the library would trip over, or take all memory for.
fn check(path: &Path, file: &File) -> Result<(), AccountError> {
    let refused = |reason: &str| {
        Err(AccountError::Format { path: path.to_owned(), reason: reason.to_owned() })
    };
    if file.version != 3 || file.crypto.cipher != "aes-128-ctr" {
        return refused("expected version 3 with aes-128-ctr");
    }
    if hex::decode(&file.crypto.cipherparams.iv).map(|iv| iv.len()) != Ok(16) {
        return refused("the iv has not 16 bytes");
    }
    let number = |name: &str| file.crypto.kdfparams.get(name).and_then(serde_json::Value::as_u64);
    if number("dklen") != Some(32) {
        return refused("the derived key has not 32 bytes");
    }
    if file.crypto.kdf == "scrypt" {
        let (n, r) = (number("n").unwrap_or(0), number("r").unwrap_or(0));
        let p = number("p").unwrap_or(0);
        let memory = n.saturating_mul(r).saturating_mul(128);
        if !n.is_power_of_two() || n < 2 || r == 0 || memory > MOST_MEMORY || !(1..=16).contains(&p)
        {
            return refused("the parameters of scrypt are out of bounds");
        }
    }
    if file.crypto.kdf == "pbkdf2" && number("c").is_none_or(|rounds| rounds > MOST_ROUNDS) {
        return refused("too many rounds of pbkdf2");
    }
    Ok(())
}

fn read(path: &Path) -> Result<File, AccountError> {
    let text = fs::read_to_string(path)
        .map_err(|source| AccountError::File { path: path.to_owned(), source })?;
    serde_json::from_str(&text)
        .map_err(|error| AccountError::Format { path: path.to_owned(), reason: error.to_string() })
}

/// The key files of a directory, by address; other files are passed over. A directory that is not
/// there is empty.
///
/// # Errors
/// Where the directory cannot be read.
pub fn list(directory: &Path) -> Result<Vec<KeyFile>, AccountError> {
    let failed = |source| AccountError::File { path: directory.to_owned(), source };
    if !directory.exists() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let Ok(file) = read(&path) else { continue };
        if let Some(address) = file.address.and_then(|address| address.parse().ok()) {
            files.push(KeyFile { address, path });
        }
    }
    files.sort_by_key(|file| file.address);
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored() -> (tempfile::TempDir, Account, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let account = Account::from_bytes(&[7; 32]).unwrap();
        let path = store(directory.path(), &account, "secret", Cost::Light).unwrap();
        (directory, account, path)
    }

    #[test]
    fn a_stored_key_opens_with_its_password_only() {
        let (_directory, account, path) = stored();
        assert_eq!(open(&path, "secret").unwrap().address(), account.address());
        assert!(matches!(open(&path, "Secret"), Err(AccountError::WrongPassword(_))));
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&hex::encode([7; 32])));
    }

    #[test]
    fn a_key_is_never_overwritten() {
        let (directory, account, _) = stored();
        let again = store(directory.path(), &account, "other", Cost::Light);
        assert!(matches!(again, Err(AccountError::Exists(_))));
    }

    #[test]
    fn a_directory_lists_its_keys_and_nothing_else() {
        let (directory, account, path) = stored();
        fs::write(directory.path().join("notes.txt"), "none").unwrap();
        let listed = list(directory.path()).unwrap();
        assert_eq!(listed, [KeyFile { address: account.address(), path }]);
        assert_eq!(list(&directory.path().join("none")).unwrap(), []);
    }

    #[test]
    fn broken_files_are_refused_without_a_panic() {
        let (_directory, _, path) = stored();
        let text = fs::read_to_string(&path).unwrap();
        let changes = [
            ("\"version\":3", "\"version\":1"),
            ("\"dklen\":32", "\"dklen\":8"),
            ("\"n\":1024", "\"n\":1099511627776"),
            ("\"n\":1024", "\"n\":0"),
            ("\"iv\":\"", "\"iv\":\"00"),
            ("\"ciphertext\":\"", "\"ciphertext\":\"zz"),
            ("{", ""),
        ];
        for (from, to) in changes {
            fs::write(&path, text.replacen(from, to, 1)).unwrap();
            assert!(matches!(open(&path, "secret"), Err(AccountError::Format { .. })), "{to}");
        }
    }

    /// The test vector of the Web3 Secret Storage Definition for PBKDF2.
    #[test]
    fn a_file_of_another_program_opens() {
        let text = r#"{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":
            "6087dab2f9fdbbfaddc31a909735c1e6"},"ciphertext":
            "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46","kdf":"pbkdf2",
            "kdfparams":{"c":262144,"dklen":32,"prf":"hmac-sha256","salt":
            "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"},"mac":
            "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},"id":
            "3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3}"#;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        fs::write(&path, text).unwrap();
        let account = open(&path, "testpassword").unwrap();
        let key = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";
        assert_eq!(hex::encode(account.to_bytes()), key);
    }
}
