//! What all connections share.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use tokio::{sync::watch, task::spawn_blocking};

use crate::{
    accounts::Accounts,
    chain::{Chain, Fingerprint},
    config::{Config, Mining},
    error::Error,
    filters::Filters,
    state_file::StateFile,
};

/// A running chain, its keys and its filters.
pub(crate) struct Node {
    pub(crate) accounts: Accounts,
    chain: Mutex<Chain>,
    filters: Mutex<Filters>,
    /// Tells the miner that the interval changed.
    mining: watch::Sender<Mining>,
    kept: Mutex<Option<Kept>>,
}

/// Where the chain is kept between runs, and as what it was written last.
struct Kept {
    file: StateFile,
    written: Option<Fingerprint>,
}

impl Node {
    pub(crate) fn new(config: &Config) -> Result<Self, Error> {
        config.check()?;
        let accounts = Accounts::derive(config)?;
        let mut chain = Chain::new(config, &accounts);
        let kept = match &config.state {
            Some(path) => Some(Kept::load(StateFile::open(path)?, &mut chain)?),
            None => None,
        };
        let mining = watch::Sender::new(config.mining);
        let (chain, kept) = (Mutex::new(chain), Mutex::new(kept));
        Ok(Self { accounts, chain, filters: Mutex::default(), mining, kept })
    }

    fn kept(&self) -> MutexGuard<'_, Option<Kept>> {
        self.kept.lock().expect("nothing panics while it writes the file")
    }

    /// Leaves the file to others; nothing is saved any more.
    pub(crate) fn release_file(&self) {
        *self.kept() = None;
    }

    /// Writes the chain into its file, if it has one and there is something new.
    pub(crate) fn save(&self) -> Result<(), Error> {
        let mut kept = self.kept();
        let Some(kept) = kept.as_mut() else { return Ok(()) };
        let chain = self.chain();
        let now = chain.fingerprint();
        if kept.written == Some(now) {
            return Ok(());
        }
        let saved = chain.saved();
        drop(chain);
        kept.file.write(&saved.to_bytes())?;
        kept.written = Some(now);
        Ok(())
    }

    /// Saves at this interval, until the future is dropped.
    pub(crate) async fn save_on_time(self: Arc<Self>, interval: Duration) {
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let node = Arc::clone(&self);
            match spawn_blocking(move || node.save()).await {
                Ok(Ok(())) => {}
                Ok(Err(cause)) => tracing::error!(%cause, "the chain could not be saved"),
                Err(_) => return,
            }
        }
    }

    /// The chain, for as long as the guard lives; taken before [`Self::filters`].
    pub(crate) fn chain(&self) -> MutexGuard<'_, Chain> {
        self.chain.lock().expect("nothing panics while it holds the chain")
    }

    pub(crate) fn filters(&self) -> MutexGuard<'_, Filters> {
        self.filters.lock().expect("nothing panics while it holds the filters")
    }

    pub(crate) fn set_mining(&self, mining: Mining) {
        let mut chain = self.chain();
        chain.mining = mining;
        if mining == Mining::Instant {
            chain.mine_each_ready();
        }
        self.mining.send_replace(mining);
    }

    /// Makes blocks at the interval that holds, until the future is dropped.
    pub(crate) async fn mine_on_time(self: Arc<Self>) {
        let mut mining = self.mining.subscribe();
        loop {
            let now = *mining.borrow_and_update();
            let changed = mining.changed();
            match now {
                Mining::Instant | Mining::Manual => {
                    if changed.await.is_err() {
                        return;
                    }
                }
                Mining::Interval(interval) => tokio::select! {
                    biased;
                    _ = changed => {}
                    () = self.mine_each(interval) => {}
                },
            }
        }
    }

    async fn mine_each(self: &Arc<Self>, interval: Duration) {
        let start = tokio::time::Instant::now() + interval;
        let mut ticks = tokio::time::interval_at(start, interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let node = Arc::clone(self);
            // The EVM may run for long: not on the threads that serve the sockets.
            if spawn_blocking(move || node.mine_if_on_time()).await.is_err() {
                return;
            }
        }
    }

    /// The mode may have changed since the tick.
    fn mine_if_on_time(&self) {
        let mut chain = self.chain();
        if matches!(chain.mining, Mining::Interval(_)) {
            chain.mine();
        }
    }
}

impl Kept {
    /// Makes the chain what the file says, if it is there.
    fn load(file: StateFile, chain: &mut Chain) -> Result<Self, Error> {
        let bytes = file.read()?;
        if let Some(bytes) = &bytes {
            chain
                .load(bytes)
                .map_err(|why| Error::StateRefused { path: file.path().to_owned(), why })?;
        }
        Ok(Self { file, written: bytes.map(|_| chain.fingerprint()) })
    }
}
