//! The chain as something to keep: all of it at once, and taken over at once.

use std::collections::VecDeque;

use super::{Chain, Clock};
use crate::{events::Cursor, saved::Saved};

/// What is different whenever there is something new to save.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    events: Cursor,
    tampered: u64,
    waiting: usize,
    clock: Clock,
}

impl Chain {
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint {
            events: self.events.end(),
            tampered: self.tampered,
            waiting: self.pool.len(),
            clock: self.clock,
        }
    }

    /// Everything that outlives the process; cheap, for almost all of it is shared.
    pub(crate) fn saved(&self) -> Saved {
        Saved {
            chain_id: self.rules.chain_id,
            hardfork: self.rules.hardfork.to_string(),
            forks: self.forks,
            clock: self.clock,
            coinbase: self.coinbase,
            blocks: self.blocks.clone(),
            state: self.head_state().clone(),
            waiting: self.pool.in_order(),
        }
    }

    /// Becomes the chain that was saved, or says in words why it does not.
    ///
    /// Snapshots stay: one can go back to what was before.
    pub(crate) fn load(&mut self, bytes: &[u8]) -> Result<(), String> {
        let saved = Saved::of_bytes(bytes)?;
        if saved.chain_id != self.rules.chain_id {
            return Err(format!(
                "it is of chain {}, this is chain {}",
                saved.chain_id, self.rules.chain_id
            ));
        }
        if saved.hardfork != self.rules.hardfork.name() {
            return Err(format!(
                "its rules are those of {}, this chain has {}",
                saved.hardfork, self.rules.hardfork
            ));
        }
        self.forks = self.forks.max(saved.forks);
        self.replace_blocks(&saved.blocks);
        self.states = VecDeque::from([saved.state]);
        self.clock = saved.clock;
        self.coinbase = saved.coinbase;
        self.set_base_fee = None;
        self.pool.clear();
        for transaction in saved.waiting {
            self.put_back(transaction);
        }
        Ok(())
    }
}
