//! Transactions that were handed to the chain and whose end is not known: after a restart they are
//! looked for before anything is sent again, so that no deposit is made twice.

use photon_chain::SentTransaction;
use photon_wire::B256;
use photon_wire::codec::{Decode, DecodeError, Encode, Reader};
use std::collections::{BTreeSet, HashMap};
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

/// Bytes of one entry.
const ENTRY: usize = 48;

/// An append-only file of entries of one length; a torn last one is left out.
pub(super) struct Journal {
    file: File,
    /// Bytes of whole entries.
    length: u64,
    sent: HashMap<u64, Vec<SentTransaction>>,
}

struct Entry {
    id: u64,
    sent: SentTransaction,
}

impl Encode for Entry {
    fn encode(&self, out: &mut Vec<u8>) {
        self.id.encode(out);
        self.sent.nonce.encode(out);
        self.sent.hash.encode(out);
    }
}

impl Decode for Entry {
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let id = u64::decode(input)?;
        let sent = SentTransaction { nonce: u64::decode(input)?, hash: B256::decode(input)? };
        Ok(Self { id, sent })
    }
}

impl Journal {
    /// Opens it and keeps the entries of these intents only.
    pub(super) fn open(path: &Path, unfinished: &BTreeSet<u64>) -> io::Result<Self> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let entries = bytes.chunks_exact(ENTRY).filter_map(|entry| Entry::from_bytes(entry).ok());
        let mut kept = Vec::new();
        let mut sent: HashMap<u64, Vec<SentTransaction>> = HashMap::new();
        for entry in entries.filter(|entry| unfinished.contains(&entry.id)) {
            entry.encode(&mut kept);
            sent.entry(entry.id).or_default().push(entry.sent);
        }
        let fresh = path.with_extension("new");
        let mut file = File::create(&fresh)?;
        file.write_all(&kept)?;
        file.sync_all()?;
        drop(file);
        std::fs::rename(&fresh, path)?;
        // What is added must not go into a file that a power cut leaves without a name.
        if let Some(folder) = path.parent() {
            sync_folder(folder)?;
        }
        let file = OpenOptions::new().append(true).open(path)?;
        let length = file.metadata()?.len();
        Ok(Self { file, length, sent })
    }

    /// What was sent for each intent before the start, oldest first.
    pub(super) fn sent(&self) -> HashMap<u64, Vec<SentTransaction>> {
        self.sent.clone()
    }

    /// Adds one, durably, or nothing: half an entry would garble all that follow it.
    pub(super) fn add(&mut self, id: u64, sent: SentTransaction) -> io::Result<()> {
        let entry = Entry { id, sent }.to_bytes();
        // What an earlier fault left is cut off first.
        self.file.set_len(self.length)?;
        self.file.write_all(&entry)?;
        self.file.sync_data()?;
        self.length = self.length.saturating_add(entry.len() as u64);
        Ok(())
    }
}

/// Makes the names in a folder durable; where folders cannot be opened, the system sees to it.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_survives_a_restart_and_a_torn_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("transactions");
        let sent = |nonce: u64| SentTransaction { nonce, hash: B256::repeat_byte(9) };
        let mut journal = Journal::open(&path, &BTreeSet::new()).unwrap();
        journal.add(7, sent(1)).unwrap();
        journal.add(8, sent(2)).unwrap();
        journal.add(7, sent(3)).unwrap();
        journal.file.write_all(&[1, 2, 3]).unwrap();
        drop(journal);
        let journal = Journal::open(&path, &[7].into()).unwrap();
        assert_eq!(journal.sent(), HashMap::from([(7, vec![sent(1), sent(3)])]));
    }

    #[test]
    fn half_an_entry_of_a_full_disk_garbles_no_later_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("transactions");
        let sent = |nonce: u64| SentTransaction { nonce, hash: B256::repeat_byte(9) };
        let mut journal = Journal::open(&path, &BTreeSet::new()).unwrap();
        journal.add(7, sent(1)).unwrap();
        journal.file.write_all(&[1, 2, 3]).unwrap();
        journal.add(7, sent(2)).unwrap();
        drop(journal);
        let journal = Journal::open(&path, &[7].into()).unwrap();
        assert_eq!(journal.sent(), HashMap::from([(7, vec![sent(1), sent(2)])]));
    }
}
