//! The file in which a chain is kept between runs.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use crate::error::Error;

/// A file that no other chain uses as long as this lives.
#[derive(Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
    /// Locked: two chains would overwrite each other's file without a word.
    _lock: File,
}

impl StateFile {
    /// Takes the file for this chain, whether it is there or not.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let refused = |source| Error::StateFile { path: path.to_owned(), source };
        let lock = File::create(beside(path, "lock")).map_err(refused)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(Error::StateInUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(refused(source)),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What is in it; none if there is no file yet.
    pub(crate) fn read(&self) -> Result<Option<Vec<u8>>, Error> {
        match fs::read(&self.path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(self.refused(cause)),
        }
    }

    /// Puts new content in the place of the old, all or nothing.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<(), Error> {
        let new = beside(&self.path, "new");
        let written = File::create(&new).and_then(|mut file| {
            file.write_all(bytes)?;
            // Renamed before its content is on the disk, it could be empty after a power cut.
            file.sync_all()?;
            fs::rename(&new, &self.path)
        });
        written.map_err(|cause| self.refused(cause))
    }

    fn refused(&self, source: io::Error) -> Error {
        Error::StateFile { path: self.path.clone(), source }
    }
}

/// A file in the same folder, with an ending more.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}
