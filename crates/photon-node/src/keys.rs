//! Everything secret that a running node holds, and the statements it makes with it.

use crate::config::AccountConfig;
use photon_chain::{Account, AccountError, Mnemonic, keystore};
use photon_net::{Identity, VerifyStatement};
use photon_wire::claim::{Claim, Domain, TransportKey};
use photon_wire::codec::{Decode, DecodeError, Encode, Reader};
use photon_wire::seal::OpeningKey;
use photon_wire::{Address, Digest, Seconds, Signature, SigningKey, Timestamp, Verifier};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// How long a transport key speaks for the account; renewed every hour.
const STATEMENT_LENGTH: Seconds = Seconds(48 * 3_600);

/// The version of the statement's bytes.
const STATEMENT_VERSION: u8 = 1;

/// From this many signatures on it pays to use a second core.
const SIGN_ALONE: usize = 16;

/// Why the account cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Nothing says which account.
    #[error(
        "no account is configured; set account.keystore and account.password_file, or \
         account.mnemonic_file (`photon account new` makes one)"
    )]
    NoAccount,
    /// Both kinds are there.
    #[error("account.keystore and account.mnemonic_file are both set; leave one out")]
    TwoAccounts,
    /// A keystore without its password.
    #[error("account.keystore is set, but account.password_file is not")]
    NoPassword,
    /// A file with a secret cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Others could read the secret.
    #[error("{0} can be read by others (mode {mode:o}); run `chmod 600 {0}`", path.display())]
    Readable {
        /// Which.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The keystore or the mnemonic does not open.
    #[error(transparent)]
    Account(#[from] AccountError),
}

/// Reads a file that only its owner may read.
fn read_secret(path: &Path) -> Result<Zeroizing<String>, KeyError> {
    let file = |source| KeyError::File { path: path.to_owned(), source };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(path).map_err(file)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyError::Readable { path: path.to_owned(), mode });
        }
    }
    std::fs::read_to_string(path).map(Zeroizing::new).map_err(file)
}

/// The account's key and those that follow from it. Prints as the account.
pub(crate) struct Keys {
    account: Account,
    opening: OpeningKey,
    transport: Zeroizing<[u8; 32]>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Keys({})", self.account())
    }
}

impl Keys {
    /// The keys that follow from an account's.
    pub(crate) fn of(account: Account) -> Self {
        let signing = account.signing_key();
        let opening = OpeningKey::derive(&signing.derive(b"photon encryption key 1"));
        let transport = Zeroizing::new(signing.derive(b"photon transport key 1"));
        Self { account, opening, transport }
    }

    /// Opens the account that the configuration names.
    pub(crate) fn load(config: &AccountConfig) -> Result<Self, KeyError> {
        let account = match (&config.keystore, &config.mnemonic_file) {
            (Some(keystore), None) => {
                let file = config.password_file.as_ref().ok_or(KeyError::NoPassword)?;
                let password = read_secret(file)?;
                keystore::open(keystore, password.trim_end_matches(['\r', '\n']))?
            }
            (None, Some(file)) => {
                Mnemonic::from_phrase(&read_secret(file)?)?.account(config.mnemonic_index)?
            }
            (None, None) => return Err(KeyError::NoAccount),
            (Some(_), Some(_)) => return Err(KeyError::TwoAccounts),
        };
        Ok(Self::of(account))
    }

    /// The account.
    pub(crate) fn account(&self) -> Address {
        self.account.address()
    }

    /// Signs claims.
    pub(crate) const fn signing(&self) -> &SigningKey {
        self.account.signing_key()
    }

    /// Signs transactions.
    pub(crate) const fn chain_account(&self) -> &Account {
        &self.account
    }

    /// Opens what is sealed to us.
    pub(crate) const fn opening(&self) -> &OpeningKey {
        &self.opening
    }

    /// Who we are on the transport, from now on for a while.
    pub(crate) fn identity(&self, domain: &Domain, now: Timestamp) -> Identity {
        Identity {
            account: self.account(),
            transport_key: *self.transport,
            statement: self.statement(domain, now),
        }
    }

    /// "This transport key speaks for this account", signed and expiring.
    pub(crate) fn statement(&self, domain: &Domain, now: Timestamp) -> Vec<u8> {
        let claim = TransportKey {
            account: self.account(),
            transport_key: Identity::transport_public_key(*self.transport),
            valid_until: now.after(STATEMENT_LENGTH),
        };
        let signature = self.signing().sign(claim.digest(domain));
        Statement { chain_id: domain.chain_id(), contract: domain.contract(), claim, signature }
            .to_bytes()
    }

    /// Signs all of them, in order; on two cores where they are many.
    pub(crate) fn sign_all(&self, digests: &[Digest]) -> Vec<Signature> {
        let sign = |part: &[Digest]| -> Vec<Signature> {
            part.iter().map(|digest| self.signing().sign(*digest)).collect()
        };
        if digests.len() < SIGN_ALONE {
            return sign(digests);
        }
        let (mine, other) = digests.split_at(digests.len() / 2);
        std::thread::scope(|scope| {
            let helper = scope.spawn(|| sign(other));
            let mut signatures = sign(mine);
            signatures.extend(helper.join().expect("signing does not panic"));
            signatures
        })
    }
}

/// A [`TransportKey`] with its signature and the network that it was signed for. The network is in
/// it so that a node of another network gets as far as the hello, which says what is wrong.
struct Statement {
    chain_id: u64,
    contract: Address,
    claim: TransportKey,
    signature: Signature,
}

impl Encode for Statement {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(STATEMENT_VERSION);
        self.chain_id.encode(out);
        self.contract.encode(out);
        self.claim.account.encode(out);
        self.claim.transport_key.encode(out);
        self.claim.valid_until.encode(out);
        self.signature.encode(out);
    }
}

impl Decode for Statement {
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match u8::decode(input)? {
            STATEMENT_VERSION => {}
            got => return Err(DecodeError::Tag { what: "transport statement", got }),
        }
        Ok(Self {
            chain_id: u64::decode(input)?,
            contract: Address::decode(input)?,
            claim: TransportKey {
                account: Address::decode(input)?,
                transport_key: input.array()?,
                valid_until: Timestamp::decode(input)?,
            },
            signature: Signature::decode(input)?,
        })
    }
}

/// Whose transport key this is, by its statement; none where the statement is malformed, past,
/// about another key or not the account's.
pub(crate) fn check_statement(
    verifier: &Verifier,
    bytes: &[u8],
    transport_key: &[u8; 32],
    now: Timestamp,
) -> Option<Address> {
    let statement = Statement::from_bytes(bytes).ok()?;
    let Statement { chain_id, contract, claim, signature } = statement;
    let domain = Domain::new(chain_id, contract);
    let holds = claim.transport_key == *transport_key
        && claim.valid_until >= now
        && verifier.signer(claim.digest(&domain), &signature) == Ok(claim.account);
    holds.then_some(claim.account)
}

/// [`check_statement`] as the network takes it.
pub(crate) fn statement_verifier() -> VerifyStatement {
    let verifier = Verifier::new();
    Arc::new(move |bytes, key, now| check_statement(&verifier, bytes, key, Timestamp(now)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Keys {
        Keys::of(Account::from_bytes(&[7; 32]).unwrap())
    }

    #[test]
    fn a_statement_speaks_for_one_key_until_it_is_past() {
        let keys = keys();
        let verifier = Verifier::new();
        let domain = Domain::new(1337, Address::repeat_byte(1));
        let now = Timestamp(1_000_000);
        let bytes = keys.statement(&domain, now);
        let key = Identity::transport_public_key(*keys.transport);
        let verdict = |bytes: &[u8], key, now| check_statement(&verifier, bytes, key, now);
        assert_eq!(verdict(&bytes, &key, now), Some(keys.account()));
        assert_eq!(verdict(&bytes, &[1; 32], now), None);
        let past = now.after(STATEMENT_LENGTH).after(Seconds(1));
        assert_eq!(verdict(&bytes, &key, past), None);
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            assert_ne!(verdict(&changed, &key, now), Some(keys.account()), "byte {index}");
            assert_eq!(verdict(&bytes[..index], &key, now), None);
        }
    }

    #[test]
    fn signatures_come_in_the_order_of_their_digests() {
        let keys = keys();
        let verifier = Verifier::new();
        for count in [0, 1, SIGN_ALONE, 101] {
            let word = |n: usize| photon_wire::B256::left_padding_from(&n.to_be_bytes());
            let digests: Vec<Digest> = (0..count).map(|n| Digest(word(n))).collect();
            let signatures = keys.sign_all(&digests);
            assert_eq!(signatures.len(), count);
            for (digest, signature) in digests.iter().zip(&signatures) {
                assert_eq!(verifier.signer(*digest, signature), Ok(keys.account()));
            }
        }
    }

    #[test]
    fn keys_print_no_secret() {
        let keys = keys();
        assert_eq!(format!("{keys:?}"), format!("Keys({})", keys.account()));
    }
}
