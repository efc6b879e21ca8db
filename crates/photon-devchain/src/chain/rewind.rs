//! Taking blocks back: snapshots, reverts and reorganisations.

use std::{collections::VecDeque, sync::Arc};

use super::{Chain, clock::Clock};
use crate::{block::Block, error::Error, events::Event, pool::Pool, state::State};

/// The most snapshots kept; the oldest goes first.
const MAX_SNAPSHOTS: usize = 256;

/// The chain as it was; the states in it share almost everything with today's.
pub(super) struct Snapshot {
    blocks: Vec<Arc<Block>>,
    states: VecDeque<State>,
    pool: Pool,
    clock: Clock,
}

impl Chain {
    /// Remembers the chain as it is; the answer is what [`Self::revert`] takes.
    pub(crate) fn snapshot(&mut self) -> u64 {
        if self.snapshots.len() == MAX_SNAPSHOTS {
            self.snapshots.pop_first();
        }
        let id = self.next_snapshot;
        self.next_snapshot += 1;
        let snapshot = Snapshot {
            blocks: self.blocks.clone(),
            states: self.states.clone(),
            pool: self.pool.clone(),
            clock: self.clock,
        };
        self.snapshots.insert(id, snapshot);
        id
    }

    /// Goes back to a snapshot, which is then used up with all later ones; false if it is unknown.
    pub(crate) fn revert(&mut self, id: u64) -> bool {
        let Some(snapshot) = self.snapshots.remove(&id) else { return false };
        self.snapshots.split_off(&id);
        let same = |(ours, theirs): &(&Arc<Block>, &Arc<Block>)| ours.hash() == theirs.hash();
        let common = self.blocks.iter().zip(&snapshot.blocks).take_while(same).count();
        self.drop_from(common);
        for block in &snapshot.blocks[common..] {
            self.index(block);
        }
        self.states = snapshot.states;
        self.pool = snapshot.pool;
        self.clock = snapshot.clock;
        true
    }

    /// Drops the last blocks and makes one more than that, all empty, so that the new branch is the
    /// longer one.
    ///
    /// The dropped transactions go back to the pool. They wait there for the next block that is
    /// made after this: with instant mining, until the next transaction comes or one is mined.
    pub(crate) fn reorg(&mut self, depth: u64) -> Result<(), Error> {
        let max = self.states.len() as u64 - 1;
        let depth_here = usize::try_from(depth).ok().filter(|_| depth <= max);
        let Some(depth_here) = depth_here else { return Err(Error::ReorgTooDeep { depth, max }) };
        let keep = self.blocks.len() - depth_here;
        let dropped = Self::transactions_of(&self.blocks[keep..]);
        self.drop_from(keep);
        self.states.truncate(self.states.len() - depth_here);
        for _ in 0..=depth {
            self.mine_empty();
        }
        for transaction in dropped {
            self.pool.put_back(transaction);
        }
        Ok(())
    }

    /// Takes the blocks from a number on off the chain, the newest first.
    fn drop_from(&mut self, number: usize) {
        for block in self.blocks.drain(number..).rev() {
            self.by_hash.remove(&block.hash());
            for executed in &block.transactions {
                self.transactions.remove(&executed.hash());
            }
            self.events.push(Event::Removed(block));
        }
        self.forks += 1;
        self.draft = None;
    }

    /// Puts a block of a snapshot back on the chain.
    fn index(&mut self, block: &Arc<Block>) {
        self.by_hash.insert(block.hash(), block.number());
        for (index, executed) in block.transactions.iter().enumerate() {
            self.transactions.insert(executed.hash(), (block.number(), index));
        }
        self.blocks.push(Arc::clone(block));
        self.events.push(Event::Added(Arc::clone(block)));
    }
}
