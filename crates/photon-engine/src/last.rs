//! The number of the last commit, once more outside the store. A store that ends before it was
//! put back from an older copy, or lost its end: signing on from there would sign two truths.

use crate::fault::Fault;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// The file beside the store. It is written after each commit but not synced with it: it can only
/// be behind the store, never ahead of it, as long as the store is whole.
pub(crate) struct LastCommit(File);

impl LastCommit {
    /// Opens the file, and what it says. A file that was cut off says nothing.
    pub(crate) fn open(path: &Path) -> Result<(Self, Option<u64>), Fault> {
        let fault = |error| Fault::io(path.into(), "opened", error);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(fault)?;
        let mut bytes = Vec::new();
        Read::by_ref(&mut file).take(16).read_to_end(&mut bytes).map_err(fault)?;
        Ok((Self(file), number(&bytes)))
    }

    /// Remembers that this commit is durable.
    pub(crate) fn remember(&mut self, commit: u64) -> io::Result<()> {
        let mut bytes = [0; 16];
        let (front, back) = bytes.split_at_mut(8);
        front.copy_from_slice(&commit.to_be_bytes());
        back.copy_from_slice(&(!commit).to_be_bytes());
        self.0.seek(SeekFrom::Start(0))?;
        self.0.write_all(&bytes)
    }
}

impl Drop for LastCommit {
    fn drop(&mut self) {
        // Nothing depends on it: the file only makes a later loss visible.
        let _ = self.0.sync_data();
    }
}

fn number(bytes: &[u8]) -> Option<u64> {
    let (front, back) = bytes.split_first_chunk::<8>()?;
    let number = u64::from_be_bytes(*front);
    (back == (!number).to_be_bytes()).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_remembered_is_read_and_what_was_cut_off_is_not() {
        let space = tempfile::tempdir().unwrap();
        let path = space.path().join("last");
        let (mut last, read) = LastCommit::open(&path).unwrap();
        assert_eq!(read, None);
        last.remember(300).unwrap();
        last.remember(301).unwrap();
        drop(last);
        assert_eq!(LastCommit::open(&path).unwrap().1, Some(301));
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..15]).unwrap();
        assert_eq!(LastCommit::open(&path).unwrap().1, None);
    }
}
