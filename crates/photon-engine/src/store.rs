//! Ordered rows in four tables, and one durable transaction over all of them. Only this file
//! knows which library keeps them.

use crate::fault::Fault;
use crate::torn;
use fjall::config::{
    BlockSizePolicy, CompressionPolicy, FilterPolicy, PartitioningPolicy, PinningPolicy,
};
use fjall::{CompressionType, Database, Keyspace, KeyspaceCreateOptions, PersistMode, Readable};
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};

const MIB: u64 = 1024 * 1024;

/// Where rows live. Each table is tuned for how its rows are used.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Table {
    /// What the machine is restored from: small, rewritten all the time, read once.
    State,
    /// Signed updates until they are acknowledged: large, and gone soon.
    Outgoing,
    /// Finished payments by name: written once; asked for names that are mostly not there.
    Payments,
    /// Everything else that is past, and the orders to read it in: written once.
    History,
}

impl Table {
    const ALL: [Self; 4] = [Self::State, Self::Outgoing, Self::Payments, Self::History];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Outgoing => "outgoing",
            Self::Payments => "payments",
            Self::History => "history",
        }
    }

    const fn index(self) -> usize {
        match self {
            Self::State => 0,
            Self::Outgoing => 1,
            Self::Payments => 2,
            Self::History => 3,
        }
    }

    /// Small write buffers keep the idle node small; the history is compressed, since it stays.
    fn options(self) -> KeyspaceCreateOptions {
        let options = KeyspaceCreateOptions::default().max_memtable_size(4 * MIB);
        let plain = CompressionPolicy::all(CompressionType::None);
        let compressed = CompressionPolicy::all(CompressionType::Lz4);
        match self {
            Self::State => options.max_memtable_size(4 * MIB).data_block_compression_policy(plain),
            Self::Outgoing => {
                options.max_memtable_size(4 * MIB).data_block_compression_policy(plain)
            }
            // The filters of all names stay in memory, 10 bits a payment: looking for a new name
            // must not read the disk.
            Self::Payments => options
                .data_block_compression_policy(compressed)
                .data_block_size_policy(BlockSizePolicy::all(8 * 1024))
                .filter_block_pinning_policy(PinningPolicy::all(true))
                .filter_block_partitioning_policy(PartitioningPolicy::all(false))
                .index_block_pinning_policy(PinningPolicy::all(true))
                .index_block_partitioning_policy(PartitioningPolicy::all(false)),
            Self::History => options
                .data_block_compression_policy(compressed)
                .data_block_size_policy(BlockSizePolicy::all(16 * 1024))
                .filter_policy(FilterPolicy::disabled()),
        }
    }
}

/// The place of a row.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Key {
    pub(crate) table: Table,
    pub(crate) bytes: Vec<u8>,
}

impl std::fmt::Display for Key {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}/", self.table.name())?;
        self.bytes.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

/// Rows to put and to delete, all or none. The last word on a row counts.
#[derive(Default, Debug)]
pub(crate) struct Batch(Vec<(Key, Option<Vec<u8>>)>);

impl Batch {
    pub(crate) fn put(&mut self, key: Key, value: Vec<u8>) {
        self.0.push((key, Some(value)));
    }

    pub(crate) fn delete(&mut self, key: Key) {
        self.0.push((key, None));
    }

    /// Deletes what was put under this prefix so far in this batch; rows of the store are not
    /// seen from here.
    pub(crate) fn delete_put(&mut self, prefix: &Key) {
        for (key, value) in &mut self.0 {
            if key.table == prefix.table && key.bytes.starts_with(&prefix.bytes) {
                *value = None;
            }
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each row once, in order: the library below gives all rows of a transaction the same age,
    /// so it must never see a row twice.
    pub(crate) fn into_rows(mut self) -> Vec<(Key, Option<Vec<u8>>)> {
        self.0.sort_by(|(one, _), (other, _)| one.cmp(other));
        self.0.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                kept.1 = later.1.take();
            }
            same
        });
        self.0
    }
}

/// A row as it was found.
pub(crate) type Row = (Key, Vec<u8>);

/// The open store. Held by one process at a time.
pub(crate) struct Store {
    path: PathBuf,
    database: Database,
    tables: [Keyspace; 4],
    #[cfg(test)]
    failure: std::sync::Mutex<Option<Failure>>,
}

/// How the next commit fails, for tests.
#[cfg(test)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Failure {
    /// Nothing is stored.
    Before,
    /// Everything is stored, but the disk does not say so.
    After,
}

impl Store {
    /// Opens the store in this directory, or makes it.
    pub(crate) fn open(path: &Path) -> Result<Self, Fault> {
        make_private(path).map_err(|error| Fault::io(path.into(), "opened", error))?;
        // The library asserts some things about its files that damage can break.
        std::panic::catch_unwind(|| Self::open_tables(path)).unwrap_or_else(|_| {
            let source = "its files contradict each other".into();
            Err(Fault::Damaged { path: path.into(), source })
        })
    }

    fn open_tables(path: &Path) -> Result<Self, Fault> {
        let fault = |error| Fault::of(path, "opened", error);
        let database = match open_database(path) {
            Err(error @ fjall::Error::JournalRecovery(_)) => {
                let cut = torn::cut(path).map_err(|error| Fault::io(path.into(), "read", error))?;
                if cut { open_database(path) } else { Err(error) }
            }
            opened => opened,
        };
        let database = database.map_err(fault)?;
        let keyspace = |table: Table| database.keyspace(table.name(), || table.options());
        let [state, outgoing, payments, history] = Table::ALL;
        let tables = [
            keyspace(state).map_err(fault)?,
            keyspace(outgoing).map_err(fault)?,
            keyspace(payments).map_err(fault)?,
            keyspace(history).map_err(fault)?,
        ];
        Ok(Self {
            path: path.into(),
            database,
            tables,
            #[cfg(test)]
            failure: std::sync::Mutex::default(),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn keyspace(&self, table: Table) -> &Keyspace {
        &self.tables[table.index()]
    }

    fn unread(&self, error: fjall::Error) -> Fault {
        Fault::of(&self.path, "read", error)
    }

    /// Makes the batch durable. After a fault nobody knows whether it is.
    pub(crate) fn commit(&self, batch: Batch) -> Result<(), Fault> {
        #[cfg(test)]
        let failure = self.failure.lock().expect("no test panics with it").take();
        #[cfg(test)]
        if failure == Some(Failure::Before) {
            return Err(self.failed());
        }
        let mut writes = self.database.batch().durability(Some(PersistMode::SyncData));
        let mut rows = batch.into_rows();
        // A payment ends: its row goes from the pending to the finished ones. Whenever the library
        // has moved rows to its files, it shows other threads what is half applied of the batch
        // after it; they must then see the payment twice rather than not at all.
        rows.sort_by_key(|(_, value)| value.is_none());
        for (key, value) in rows {
            let keyspace = self.keyspace(key.table);
            match value {
                Some(value) => writes.insert(keyspace, key.bytes, value),
                None => writes.remove(keyspace, key.bytes),
            }
        }
        writes.commit().map_err(|error| Fault::of(&self.path, "written", error))?;
        #[cfg(test)]
        if failure == Some(Failure::After) {
            return Err(self.failed());
        }
        Ok(())
    }

    #[cfg(test)]
    pub(crate) fn fail_next(&self, failure: Failure) {
        *self.failure.lock().expect("no test panics with it") = Some(failure);
    }

    /// Moves everything from the write buffers and the journal to the tables' files.
    #[cfg(test)]
    pub(crate) fn flush(&self) {
        self.tables.iter().for_each(|table| table.rotate_memtable_and_wait().expect("it can"));
    }

    #[cfg(test)]
    fn failed(&self) -> Fault {
        Fault::io(self.path.clone(), "written", io::ErrorKind::StorageFull.into())
    }

    pub(crate) fn read(&self, key: &Key) -> Result<Option<Vec<u8>>, Fault> {
        let found = self.keyspace(key.table).get(&key.bytes);
        Ok(found.map_err(|error| self.unread(error))?.map(|value| value.to_vec()))
    }

    /// What is stored at this moment, whatever is committed later.
    pub(crate) fn view(&self) -> View<'_> {
        View { store: self, snapshot: self.database.snapshot() }
    }
}

/// The store at one moment.
pub(crate) struct View<'a> {
    store: &'a Store,
    snapshot: fjall::Snapshot,
}

impl View<'_> {
    pub(crate) fn read(&self, key: &Key) -> Result<Option<Vec<u8>>, Fault> {
        let found = self.snapshot.get(self.store.keyspace(key.table), &key.bytes);
        let found = found.map_err(|error| self.store.unread(error))?;
        Ok(found.map(|value| value.to_vec()))
    }

    /// The rows under a prefix, in order; from the back, the last ones first.
    pub(crate) fn under(
        &self,
        prefix: &Key,
    ) -> impl DoubleEndedIterator<Item = Result<Row, Fault>> {
        let rows = self.snapshot.prefix(self.store.keyspace(prefix.table), &prefix.bytes);
        self.rows(prefix.table, rows)
    }

    /// The rows from one bound to another, both of one table, in order.
    pub(crate) fn between(
        &self,
        from: Bound<Key>,
        to: Bound<Key>,
        table: Table,
    ) -> impl DoubleEndedIterator<Item = Result<Row, Fault>> {
        let bounds = (from.map(|key| key.bytes), to.map(|key| key.bytes));
        let rows = self.snapshot.range::<Vec<u8>, _>(self.store.keyspace(table), bounds);
        self.rows(table, rows)
    }

    fn rows(
        &self,
        table: Table,
        rows: fjall::Iter,
    ) -> impl DoubleEndedIterator<Item = Result<Row, Fault>> {
        rows.map(move |row| {
            let (bytes, value) = row.into_inner().map_err(|error| self.store.unread(error))?;
            Ok((Key { table, bytes: bytes.to_vec() }, value.to_vec()))
        })
    }
}

impl Fault {
    fn of(path: &Path, action: &'static str, error: fjall::Error) -> Self {
        let path = path.to_path_buf();
        if let fjall::Error::Io(error) | fjall::Error::Storage(fjall::LsmError::Io(error)) = error {
            Self::io(path, action, error)
        } else if matches!(error, fjall::Error::Locked) {
            Self::InUse { path }
        } else if matches!(error, fjall::Error::Poisoned) {
            Self::Poisoned
        } else {
            Self::Damaged { path, source: Box::new(error) }
        }
    }
}

fn open_database(path: &Path) -> fjall::Result<Database> {
    Database::builder(path)
        .worker_threads(1)
        .cache_size(4 * MIB)
        .max_journaling_size(64 * MIB)
        .journal_compression(CompressionType::None)
        .open()
}

/// Makes the directory, for nobody's eyes but ours: the rows hold secrets.
fn make_private(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUNDS: u32 = 100;

    #[test]
    fn a_row_that_moves_is_always_seen_by_other_threads() {
        let space = tempfile::tempdir().unwrap();
        let store = Store::open(space.path()).unwrap();
        let from = |round: u32| Key {
            table: Table::Payments,
            bytes: [&[1], &round.to_be_bytes()[..]].concat(),
        };
        let to = |round: u32| Key {
            table: Table::Payments,
            bytes: [&[2], &round.to_be_bytes()[..]].concat(),
        };
        let filler = |row: u32| Key { table: Table::History, bytes: row.to_be_bytes().to_vec() };
        let at = std::sync::atomic::AtomicU32::new(0);
        let mut first = Batch::default();
        first.put(from(0), vec![1]);
        store.commit(first).unwrap();
        std::thread::scope(|threads| {
            threads.spawn(|| {
                for round in 0..ROUNDS {
                    let mut batch = Batch::default();
                    batch.delete(from(round));
                    batch.put(to(round), vec![1]);
                    batch.put(from(round + 1), vec![1]);
                    (0..500).for_each(|row| batch.put(filler(row), vec![1; 20]));
                    store.commit(batch).unwrap();
                    at.store(round + 1, std::sync::atomic::Ordering::Release);
                }
            });
            threads.spawn(|| {
                while at.load(std::sync::atomic::Ordering::Acquire) < ROUNDS {
                    store.flush();
                }
            });
            loop {
                let round = at.load(std::sync::atomic::Ordering::Acquire);
                let view = store.view();
                let seen =
                    view.read(&from(round)).unwrap().or_else(|| view.read(&to(round)).unwrap());
                assert!(seen.is_some(), "round {round}");
                if round == ROUNDS {
                    return;
                }
            }
        });
    }

    #[test]
    fn the_last_word_on_a_row_counts() {
        let key = |byte| Key { table: Table::State, bytes: vec![1, byte] };
        let mut batch = Batch::default();
        batch.put(key(2), vec![1]);
        batch.put(key(1), vec![2]);
        batch.delete(key(2));
        batch.put(key(3), vec![3]);
        batch.put(key(2), vec![4]);
        batch.delete(key(1));
        let rows = batch.into_rows();
        assert_eq!(rows, [(key(1), None), (key(2), Some(vec![4])), (key(3), Some(vec![3]))]);
    }
}
