//! Authorizations that were signed and are not over, and the number of the next one.

use crate::sealing::random;
use photon_wire::B256;
use photon_wire::codec::{Decode, DecodeError, Encode, Reader};
use photon_wire::contract::Call;
use std::fs::File;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// The version of the file.
const VERSION: u8 = 1;

/// One authorization.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    /// What was signed.
    pub(super) id: B256,
    /// The signed call.
    pub(super) call: Call,
}

impl Encode for Entry {
    fn encode(&self, out: &mut Vec<u8>) {
        self.id.encode(out);
        self.call.encode(out);
    }
}

impl Decode for Entry {
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { id: B256::decode(input)?, call: Call::decode(input)? })
    }
}

/// The file, which is written anew with each change; there are never many entries.
pub(super) struct Book {
    path: PathBuf,
    contents: Contents,
}

#[derive(Clone)]
struct Contents {
    next: B256,
    entries: Vec<Entry>,
}

impl Encode for Contents {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        self.next.encode(out);
        self.entries.encode(out);
    }
}

impl Decode for Contents {
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match u8::decode(input)? {
            VERSION => {
                Ok(Self { next: B256::decode(input)?, entries: Vec::<Entry>::decode(input)? })
            }
            got => Err(DecodeError::Tag { what: "authorizations", got }),
        }
    }
}

impl Contents {
    /// With numbers that no other node, and no earlier life of this one, has drawn: 31 random
    /// bytes, and one that counts, since the contract keeps 256 neighbours in one word.
    fn fresh() -> Self {
        let mut next = B256::new(random());
        next.0[31] = 0;
        Self { next, entries: Vec::new() }
    }
}

impl Book {
    /// Reads it, or begins one.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let contents = match std::fs::read(path) {
            Ok(bytes) => Contents::from_bytes(&bytes).map_err(|error| {
                let reason = format!("{}: {error}", path.display());
                io::Error::new(ErrorKind::InvalidData, reason)
            })?,
            Err(error) if error.kind() == ErrorKind::NotFound => Contents::fresh(),
            Err(error) => return Err(error),
        };
        Ok(Self { path: path.to_owned(), contents })
    }

    /// What is not over.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.contents.entries
    }

    /// A number that was never given before, and never will be again.
    pub(super) fn next_nonce(&mut self) -> io::Result<B256> {
        let nonce = self.contents.next;
        let mut contents = self.contents.clone();
        contents.next = match nonce.0[31].checked_add(1) {
            Some(count) => {
                let mut next = nonce;
                next.0[31] = count;
                next
            }
            None => Contents::fresh().next,
        };
        self.write(contents)?;
        Ok(nonce)
    }

    /// Adds one, durably.
    pub(super) fn add(&mut self, entry: Entry) -> io::Result<()> {
        let mut contents = self.contents.clone();
        contents.entries.push(entry);
        self.write(contents)
    }

    /// It is over.
    pub(super) fn remove(&mut self, id: B256) -> io::Result<()> {
        let mut contents = self.contents.clone();
        contents.entries.retain(|entry| entry.id != id);
        self.write(contents)
    }

    /// Whole or not at all: first beside it, then in its place.
    fn write(&mut self, contents: Contents) -> io::Result<()> {
        let fresh = self.path.with_extension("new");
        let mut file = File::create(&fresh)?;
        file.write_all(&contents.to_bytes())?;
        file.sync_all()?;
        drop(file);
        std::fs::rename(&fresh, &self.path)?;
        if let (true, Some(folder)) = (cfg!(unix), self.path.parent()) {
            File::open(folder)?.sync_all()?;
        }
        self.contents = contents;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(byte: u8) -> Entry {
        let call = Call::CancelAuthorization { nonce: B256::repeat_byte(byte).into() };
        Entry { id: B256::repeat_byte(byte), call }
    }

    #[test]
    fn what_was_signed_survives_a_restart_until_it_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("authorizations");
        let mut book = Book::open(&path).unwrap();
        book.add(entry(1)).unwrap();
        book.add(entry(2)).unwrap();
        book.remove(entry(1).id).unwrap();
        assert_eq!(Book::open(&path).unwrap().entries(), [entry(2)]);
    }

    #[test]
    fn no_number_is_given_twice_even_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("authorizations");
        let mut seen = std::collections::HashSet::new();
        let mut words = std::collections::HashSet::new();
        for _ in 0..3 {
            let mut book = Book::open(&path).unwrap();
            for _ in 0..100 {
                let nonce = book.next_nonce().unwrap();
                assert!(seen.insert(nonce), "{nonce}");
                words.insert(nonce.0[..31].to_vec());
            }
        }
        assert_eq!(words.len(), 2, "256 neighbours share a word of the contract");
    }

    #[test]
    fn a_garbled_book_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("authorizations");
        std::fs::write(&path, [9, 9, 9]).unwrap();
        assert!(Book::open(&path).is_err());
    }
}
