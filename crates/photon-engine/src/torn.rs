//! The end of the journal after a power cut.
//!
//! A commit that was being written when the power went may be there in part, with zeros where the
//! disk had not got to. Where its end is missing, the store cuts it off by itself. Where its end
//! is there and its middle is not, the store refuses to open; since nothing of that commit ever
//! left the node, it is cut off here.
//!
//! Source: fjall 3.1, `journal/entry.rs` and `journal/batch_reader.rs`.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::Xxh3;

const START: u8 = 1;
const ITEM: u8 = 2;
const END: u8 = 3;
const CLEAR: u8 = 4;

/// Cuts off the last commit of the journal if it, and nothing before it, is damaged and nothing
/// follows it. Tells whether it did.
pub(crate) fn cut(rows: &Path) -> io::Result<bool> {
    let Some(journal) = newest_journal(rows)? else { return Ok(false) };
    let bytes = fs::read(&journal)?;
    let Some(end) = torn_at(&bytes) else { return Ok(false) };
    let file = OpenOptions::new().write(true).open(&journal)?;
    file.set_len(u64::try_from(end).unwrap_or(u64::MAX))?;
    file.sync_all()?;
    Ok(true)
}

fn newest_journal(rows: &Path) -> io::Result<Option<PathBuf>> {
    let mut newest: Option<(u64, PathBuf)> = None;
    for entry in fs::read_dir(rows)? {
        let path = entry?.path();
        let is_journal = path.extension().is_some_and(|extension| extension == "jnl");
        let number = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
        if let Some(number) = number.filter(|_| is_journal)
            && newest.as_ref().is_none_or(|(other, _)| *other < number)
        {
            newest = Some((number, path));
        }
    }
    Ok(newest.map(|(_, path)| path))
}

/// Where the last commit begins, if it is the only damaged one.
fn torn_at(bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes;
    while let Some((whole, after)) = commit(rest) {
        if !whole {
            let nothing_follows = after.iter().all(|byte| *byte == 0);
            return nothing_follows.then_some(bytes.len() - rest.len());
        }
        rest = after;
    }
    None
}

/// Whether the commit at the front is what its end says of it, and what follows it; none where
/// there is no commit with an end.
fn commit(bytes: &[u8]) -> Option<(bool, &[u8])> {
    let (start, mut rest) = bytes.split_at_checked(13)?;
    let (tag, head) = start.split_first()?;
    if *tag != START {
        return None;
    }
    let count = u32::from_le_bytes(*head.first_chunk()?);
    let mut hasher = Xxh3::new();
    let mut items = 0_u32;
    loop {
        let length = match *rest.first()? {
            ITEM => item_length(rest)?,
            CLEAR => 9,
            END => break,
            _ => return None,
        };
        let (item, after) = rest.split_at_checked(length)?;
        hasher.update(item);
        items = items.checked_add(1)?;
        rest = after;
    }
    const TRAILER: usize = 4;
    let (end, after) = rest.split_at_checked(9 + TRAILER)?;
    let checksum = u64::from_le_bytes(*end.get(1..)?.first_chunk()?);
    Some((count == items && checksum == hasher.digest(), after))
}

/// Tag, kind of value, compression, table, and the lengths of key, value and stored value.
fn item_length(item: &[u8]) -> Option<usize> {
    const HEAD: usize = 1 + 1 + 1 + 8 + 2 + 4 + 4;
    let key = u16::from_le_bytes(*item.get(11..)?.first_chunk()?);
    let stored = u32::from_le_bytes(*item.get(17..)?.first_chunk()?);
    HEAD.checked_add(key.into())?.checked_add(usize::try_from(stored).ok()?)
}
