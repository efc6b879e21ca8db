//! Which store: the same batches of rows, in the shapes that the engine writes, made durable by
//! each candidate. `cargo bench -p photon-engine --bench stores`; the figures are in ADR 0007.
//!
//! Each candidate runs in a process of its own, so that its memory can be told.

use fjall::config::{CompressionPolicy, PinningPolicy};
use redb::ReadableDatabase;
use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// One row to put (`Some`) or to delete.
type Write = (Table, Vec<u8>, Option<Vec<u8>>);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Table {
    State,
    Outgoing,
    History,
}

/// What a candidate must do.
trait Candidate: Sized {
    fn open(path: &Path, compressed: bool) -> Outcome<Self>;
    fn commit(&mut self, writes: Vec<Write>) -> Outcome<()>;
    fn holds(&self, key: &[u8]) -> Outcome<bool>;
}

struct Fjall {
    database: fjall::Database,
    tables: [fjall::Keyspace; 3],
}

impl Candidate for Fjall {
    fn open(path: &Path, compressed: bool) -> Outcome<Self> {
        const MIB: u64 = 1024 * 1024;
        let database = fjall::Database::builder(path)
            .worker_threads(1)
            .cache_size(4 * MIB)
            .max_journaling_size(64 * MIB)
            .journal_compression(fjall::CompressionType::None)
            .open()?;
        let compression =
            if compressed { fjall::CompressionType::Lz4 } else { fjall::CompressionType::None };
        let options = |mebibytes: u64| {
            fjall::KeyspaceCreateOptions::default()
                .max_memtable_size(mebibytes * MIB)
                .data_block_compression_policy(CompressionPolicy::all(compression))
                .filter_block_pinning_policy(PinningPolicy::all(true))
                .filter_block_partitioning_policy(PinningPolicy::all(false))
                .index_block_pinning_policy(PinningPolicy::all(true))
                .index_block_partitioning_policy(PinningPolicy::all(false))
        };
        let tables = [
            database.keyspace("state", || options(4))?,
            database.keyspace("outgoing", || options(8))?,
            database.keyspace("history", || options(4))?,
        ];
        Ok(Self { database, tables })
    }

    fn commit(&mut self, writes: Vec<Write>) -> Outcome<()> {
        let mut batch = self.database.batch().durability(Some(fjall::PersistMode::SyncData));
        let [state, outgoing, history] = &self.tables;
        for (table, key, value) in writes {
            let keyspace = match table {
                Table::State => state,
                Table::Outgoing => outgoing,
                Table::History => history,
            };
            match value {
                Some(value) => batch.insert(keyspace, key, value),
                None => batch.remove(keyspace, key),
            }
        }
        Ok(batch.commit()?)
    }

    fn holds(&self, key: &[u8]) -> Outcome<bool> {
        let [_, _, history] = &self.tables;
        Ok(history.contains_key(key)?)
    }
}

type RedbTable = redb::TableDefinition<'static, &'static [u8], &'static [u8]>;

struct Redb(redb::Database);

impl Redb {
    const TABLES: [RedbTable; 3] =
        [RedbTable::new("state"), RedbTable::new("outgoing"), RedbTable::new("history")];
}

impl Candidate for Redb {
    fn open(path: &Path, _compressed: bool) -> Outcome<Self> {
        std::fs::create_dir_all(path)?;
        let mut builder = redb::Builder::new();
        builder.set_cache_size(16 * 1024 * 1024);
        let database = builder.create(path.join("rows.redb"))?;
        let transaction = database.begin_write()?;
        for table in Self::TABLES {
            transaction.open_table(table)?;
        }
        transaction.commit()?;
        Ok(Self(database))
    }

    fn commit(&mut self, writes: Vec<Write>) -> Outcome<()> {
        let transaction = self.0.begin_write()?;
        {
            let [state, outgoing, history] = Self::TABLES;
            let mut state = transaction.open_table(state)?;
            let mut outgoing = transaction.open_table(outgoing)?;
            let mut history = transaction.open_table(history)?;
            for (table, key, value) in writes {
                let table = match table {
                    Table::State => &mut state,
                    Table::Outgoing => &mut outgoing,
                    Table::History => &mut history,
                };
                match value {
                    Some(value) => table.insert(key.as_slice(), value.as_slice())?,
                    None => table.remove(key.as_slice())?,
                };
            }
        }
        Ok(transaction.commit()?)
    }

    fn holds(&self, key: &[u8]) -> Outcome<bool> {
        let [_, _, history] = Self::TABLES;
        Ok(self.0.begin_read()?.open_table(history)?.get(key)?.is_some())
    }
}

/// Rows as a busy node writes them: bytes that do not compress where ours do not.
struct Rows {
    state: u64,
    locks: u64,
    nonce: u64,
    payments: u64,
}

impl Rows {
    const CHANNELS: u64 = 10;

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(count + 8);
        while bytes.len() < count {
            // xorshift64*: the same bytes in every run.
            self.state ^= self.state >> 12;
            self.state ^= self.state << 25;
            self.state ^= self.state >> 27;
            let word = self.state.wrapping_mul(0x2545_F491_4F6C_DD1D);
            bytes.extend_from_slice(&word.to_be_bytes());
        }
        bytes.truncate(count);
        bytes
    }

    fn key(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let mut key = vec![tag];
        parts.iter().for_each(|part| key.extend_from_slice(part));
        key
    }

    fn channel(number: u64) -> [u8; 32] {
        let mut name = [7; 32];
        name[..8].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
        name
    }

    /// A finished payment: addresses and zeros that repeat, an identifier that does not.
    fn payment(&mut self, into: &mut Vec<Write>) {
        self.payments += 1;
        let id = self.bytes(16);
        let mut row = id.clone();
        row.extend_from_slice(&[1; 60]);
        row.extend_from_slice(&self.payments.to_be_bytes());
        row.extend_from_slice(&[0; 40]);
        row.resize(150, 3);
        let time = (self.payments / 100).to_be_bytes();
        into.push((Table::History, Self::key(1, &[&id]), Some(row)));
        into.push((Table::History, Self::key(2, &[&time, &id]), Some(Vec::new())));
    }

    /// About `count` rows: of four, one is a lock, one the end of an older lock, two are history;
    /// and per batch one channel row and one update with the operations.
    fn batch(&mut self, count: usize) -> Vec<Write> {
        let channel = Self::channel(self.nonce % Self::CHANNELS);
        self.nonce += 1;
        let mut writes =
            vec![(Table::State, Self::key(1, &[&channel, &[0]]), Some(self.bytes(350)))];
        if count > 1 {
            let update = self.bytes((count * 60).min(56 * 1024));
            let nonce = self.nonce.to_be_bytes();
            writes.push((Table::Outgoing, Self::key(1, &[&channel, &nonce]), Some(update)));
            if let Some(old) = self.nonce.checked_sub(Self::CHANNELS) {
                let old = old.to_be_bytes();
                writes.push((Table::Outgoing, Self::key(1, &[&channel, &old]), None));
            }
        }
        while writes.len() < count {
            self.locks += 1;
            let slot = (self.locks % 4096).to_be_bytes();
            let older = ((self.locks + 2048) % 4096).to_be_bytes();
            writes.push((
                Table::State,
                Self::key(1, &[&channel, &[2], &slot]),
                Some(self.bytes(200)),
            ));
            writes.push((Table::State, Self::key(1, &[&channel, &[2], &older]), None));
            self.payment(&mut writes);
        }
        writes
    }
}

fn status(field: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    number_after(&text, field)
}

fn written() -> u64 {
    let text = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    number_after(&text, "write_bytes:")
}

fn number_after(text: &str, field: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

fn disk(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let Ok(entries) = std::fs::read_dir(path) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(data) if data.is_dir() => disk(&entry.path()),
            Ok(data) => data.blocks() * 512,
            Err(_) => 0,
        })
        .sum()
}

fn commits<C: Candidate>(store: &mut C, rows: &mut Rows, size: usize) -> Outcome<()> {
    let mut times = Vec::new();
    let (before, begin) = (written(), Instant::now());
    let mut count = 0;
    while begin.elapsed() < Duration::from_secs(3) {
        let batch = rows.batch(size);
        count += batch.len();
        let start = Instant::now();
        store.commit(batch)?;
        times.push(start.elapsed().as_micros());
    }
    times.sort_unstable();
    let spent: u128 = times.iter().sum();
    let per_second = times.len() as u128 * 1_000_000 / spent.max(1);
    println!(
        "  {size:>5} rows: {per_second:>6} commits/s  {:>8} rows/s  p50 {:>6} µs  p99 {:>6} µs  \
         {:>5} bytes written a row",
        per_second * count as u128 / times.len() as u128,
        times[times.len() / 2],
        times[times.len() * 99 / 100],
        (written() - before) / count as u64,
    );
    Ok(())
}

fn measure<C: Candidate>(path: &Path, compressed: bool) -> Outcome<()> {
    let mut rows = Rows { state: 0x5EED, locks: 0, nonce: 0, payments: 0 };
    let start = Instant::now();
    let mut store = C::open(path, compressed)?;
    println!("  made in {:?}, resident {} KiB", start.elapsed(), status("VmRSS:"));
    for size in [1, 10, 100, 1000] {
        commits(&mut store, &mut rows, size)?;
    }
    drop(store);
    std::fs::remove_dir_all(path)?;

    let mut store = C::open(path, compressed)?;
    let (before, start) = (written(), Instant::now());
    for _ in 0..1_000 {
        let mut writes = Vec::new();
        (0..1_000).for_each(|_| rows.payment(&mut writes));
        store.commit(writes)?;
    }
    println!(
        "  a million payments of history in {:?}, {} bytes written each, resident {} KiB",
        start.elapsed(),
        (written() - before) / 1_000_000,
        status("VmRSS:"),
    );
    std::thread::sleep(Duration::from_secs(3));
    println!("  {} bytes on disk each", disk(path) / 1_000_000);
    let start = Instant::now();
    let absent: Vec<_> = (0..100_000).map(|_| Rows::key(1, &[&rows.bytes(16)])).collect();
    for key in &absent {
        store.holds(key)?;
    }
    println!("  a look for what is not there {:?}", start.elapsed() / 100_000);
    Ok(())
}

fn reopen<C: Candidate>(path: &Path, compressed: bool) -> Outcome<()> {
    let start = Instant::now();
    let store = C::open(path, compressed)?;
    println!("  opened with it in {:?}, resident {} KiB", start.elapsed(), status("VmRSS:"));
    std::thread::sleep(Duration::from_secs(2));
    println!("  two seconds later {} KiB, {} MB on disk", status("VmRSS:"), disk(path) / 1_000_000);
    drop(store);
    Ok(())
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["run", "fjall", path] => measure::<Fjall>(Path::new(path), false),
        ["run", "fjall-lz4", path] => measure::<Fjall>(Path::new(path), true),
        ["run", "redb", path] => measure::<Redb>(Path::new(path), false),
        ["open", "fjall", path] => reopen::<Fjall>(Path::new(path), false),
        ["open", "fjall-lz4", path] => reopen::<Fjall>(Path::new(path), true),
        ["open", "redb", path] => reopen::<Redb>(Path::new(path), false),
        _ => {
            let this = std::env::current_exe()?;
            let space = tempfile::tempdir_in(".")?;
            for name in ["fjall", "fjall-lz4", "redb"] {
                println!("{name}");
                let path = space.path().join(name);
                for mode in ["run", "open"] {
                    Command::new(&this).args([mode, name]).arg(&path).status()?;
                }
            }
            Ok(())
        }
    }
}
