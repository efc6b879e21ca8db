//! The hashes of the blocks that were told last, kept in a file: after a restart a reorganisation
//! that happened meanwhile is noticed by them. They are a help and no promise: where the file is
//! missing or torn, the chain is believed from where the machine stands.

use photon_chain::ChainInput;
use photon_wire::codec::{Decode, Encode};
use photon_wire::{B256, BlockNumber};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use tracing::warn;

/// How many are kept.
const KEPT: usize = 64;
/// Bytes of one entry: a number and a hash.
const ENTRY: usize = 40;

pub(super) struct Blocks {
    path: PathBuf,
    hashes: BTreeMap<u64, B256>,
    /// Whether the owner was told that they cannot be written.
    told: bool,
}

impl Blocks {
    /// Reads them, as far as they are there.
    pub(super) fn open(data_dir: &Path) -> Self {
        let path = data_dir.join("blocks");
        let bytes = std::fs::read(&path).unwrap_or_default();
        let entries = bytes.chunks_exact(ENTRY);
        let hashes = entries.filter_map(|entry| <(u64, B256)>::from_bytes(entry).ok()).collect();
        Self { path, hashes, told: false }
    }

    /// Those of this block and of earlier ones.
    pub(super) fn up_to(&self, block: BlockNumber) -> Vec<(BlockNumber, B256)> {
        self.hashes.range(..=block.0).map(|(number, hash)| (BlockNumber(*number), *hash)).collect()
    }

    /// Takes in what the chain says.
    pub(super) fn note(&mut self, input: &ChainInput) {
        match input {
            ChainInput::Block { number, hash, .. } => {
                self.hashes.insert(number.0, *hash);
                if self.hashes.len() > KEPT {
                    self.hashes.pop_first();
                }
            }
            ChainInput::Reorganised { kept, .. } => {
                self.hashes.retain(|number, _| *number <= kept.0);
            }
            ChainInput::Event(..)
            | ChainInput::Seen(..)
            | ChainInput::Unseen { .. }
            | ChainInput::Trouble(_)
            | ChainInput::Recovered => return,
        }
        if let Err(error) = self.write()
            && !std::mem::replace(&mut self.told, true)
        {
            warn!(%error, "the hashes of the latest blocks cannot be written down");
        }
    }

    fn write(&self) -> io::Result<()> {
        let mut bytes = Vec::new();
        for entry in &self.hashes {
            (*entry.0, *entry.1).encode(&mut bytes);
        }
        let fresh = self.path.with_extension("new");
        std::fs::write(&fresh, bytes)?;
        std::fs::rename(&fresh, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use photon_wire::Timestamp;

    #[test]
    fn the_latest_hashes_survive_a_restart_and_a_reorganisation_takes_them_back() {
        let folder = tempfile::tempdir().unwrap();
        let mut blocks = Blocks::open(folder.path());
        let hash = |number: u64| B256::from(alloy_word(number));
        for number in 0..100 {
            blocks.note(&ChainInput::Block {
                number: BlockNumber(number),
                hash: hash(number),
                time: Timestamp(number),
                head_number: BlockNumber(number),
                head_time: Timestamp(number),
            });
        }
        let kept = Blocks::open(folder.path()).up_to(BlockNumber(98));
        assert_eq!((kept.len(), kept[0]), (KEPT - 1, (BlockNumber(36), hash(36))));
        let (kept, time) = (BlockNumber(40), Timestamp(40));
        blocks.note(&ChainInput::Reorganised { kept, time });
        assert_eq!(Blocks::open(folder.path()).up_to(BlockNumber(98)).len(), 5);
    }

    fn alloy_word(number: u64) -> [u8; 32] {
        let mut word = [0; 32];
        word[24..].copy_from_slice(&number.to_be_bytes());
        word
    }

    #[test]
    fn a_file_that_is_missing_or_torn_is_no_obstacle() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Blocks::open(folder.path()).up_to(BlockNumber(9)), []);
        std::fs::write(folder.path().join("blocks"), [7; ENTRY + 3]).unwrap();
        assert!(Blocks::open(folder.path()).up_to(BlockNumber(u64::MAX)).len() <= 1);
    }
}
