//! The token that opens the API: 256 random bits in a file that only its owner can read.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use subtle::ConstantTimeEq as _;

/// Bytes of a token; the text has two digits for each.
const BYTES: usize = 32;

/// What a caller must know. Prints as nothing.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token(String);

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file cannot be read or made.
    #[error("token file {}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("token file {} holds no token of 64 hexadecimal digits; remove it", path.display())]
    Contents {
        /// Which.
        path: PathBuf,
    },
    /// The file is open to others.
    #[error("token file {} can be read by others; run chmod 600 on it", path.display())]
    Open {
        /// Which.
        path: PathBuf,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(String),
}

impl Token {
    /// Reads the file, or makes it where it is missing.
    pub(crate) fn load(path: &Path) -> Result<Self, TokenError> {
        match Self::make(path)? {
            Some(token) => Ok(token),
            None => Self::read(path),
        }
    }

    /// None where the file is there.
    fn make(path: &Path) -> Result<Option<Self>, TokenError> {
        let file = |source| TokenError::File { path: path.to_owned(), source };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(file)?;
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut out = match options.open(path) {
            Ok(out) => out,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
            Err(error) => return Err(file(error)),
        };
        let token = Self::draw()?;
        out.write_all(format!("{}\n", token.0).as_bytes()).map_err(file)?;
        out.sync_all().map_err(file)?;
        Ok(Some(token))
    }

    fn draw() -> Result<Self, TokenError> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes).map_err(|error| TokenError::Random(error.to_string()))?;
        Ok(Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    fn read(path: &Path) -> Result<Self, TokenError> {
        let file = |source| TokenError::File { path: path.to_owned(), source };
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            if fs::metadata(path).map_err(file)?.permissions().mode() & 0o077 != 0 {
                return Err(TokenError::Open { path: path.to_owned() });
            }
        }
        let text = fs::read_to_string(path).map_err(file)?;
        let text = text.trim();
        let whole = text.len() == 2 * BYTES && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if whole {
            Ok(Self(text.to_owned()))
        } else {
            Err(TokenError::Contents { path: path.to_owned() })
        }
    }

    /// Whether somebody knows it, in a time that does not tell how much of it.
    pub(crate) fn is(&self, offered: &str) -> bool {
        self.0.as_bytes().ct_eq(offered.as_bytes()).into()
    }

    /// For the owner.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Token(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_made_once_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep").join("api.token");
        let token = Token::load(&path).unwrap();
        assert_eq!(token.reveal().len(), 64);
        assert_eq!(Token::load(&path).unwrap(), token);
        assert!(token.is(token.reveal()));
        for wrong in ["", "x", &token.reveal()[1..], &"0".repeat(64)] {
            assert!(!token.is(wrong));
        }
        assert_eq!(format!("{token:?}"), "Token(..)");
    }

    #[cfg(unix)]
    #[test]
    fn a_token_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("api.token");
        Token::load(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(Token::load(&path), Err(TokenError::Open { .. })));
    }

    #[test]
    fn a_file_with_something_else_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("api.token");
        Token::load(&path).unwrap();
        fs::write(&path, "secret").unwrap();
        assert!(matches!(Token::load(&path), Err(TokenError::Contents { .. })));
    }
}
