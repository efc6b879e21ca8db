//! Taking blocks back: snapshots, reverts and reorganisations.

use std::{collections::VecDeque, sync::Arc};

use alloy::consensus::{TxEnvelope, transaction::Recovered};

use super::{Chain, clock::Clock};
use crate::{block::Block, draft::Draft, error::Error, events::Event, pool::Pool, state::State};

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
        self.replace_blocks(&snapshot.blocks);
        self.states = snapshot.states;
        self.pool = snapshot.pool;
        self.clock = snapshot.clock;
        true
    }

    /// Drops the last blocks and makes one more than that, so that the new branch is the longer
    /// one. The new blocks have the given transactions, each with the place of its block among
    /// them, and no others.
    ///
    /// The dropped transactions that are still possible go back to the pool. They wait there for
    /// the next block that is made after this: with instant mining, until the next transaction
    /// comes or one is mined.
    pub(crate) fn reorg(
        &mut self,
        depth: u64,
        transactions: Vec<(Recovered<TxEnvelope>, u64)>,
    ) -> Result<(), Error> {
        let depth_here = self.check_depth(depth)?;
        let mut blocks = vec![Vec::new(); depth_here + 1];
        for (transaction, place) in transactions {
            let block = usize::try_from(place).ok().and_then(|place| blocks.get_mut(place));
            block.ok_or(Error::NoSuchNewBlock { got: place, last: depth })?.push(transaction);
        }
        self.check_branch(depth_here, &blocks)?;
        let dropped = self.drop_last(depth_here);
        for transactions in &blocks {
            self.mine_these(transactions);
        }
        for transaction in dropped {
            self.put_back(transaction);
        }
        Ok(())
    }

    /// Drops the last blocks with their transactions.
    pub(crate) fn rollback(&mut self, depth: u64) -> Result<(), Error> {
        let depth = self.check_depth(depth)?;
        self.drop_last(depth);
        Ok(())
    }

    fn check_depth(&self, depth: u64) -> Result<usize, Error> {
        let max = self.states.len() - 1;
        let here = usize::try_from(depth).ok().filter(|depth| *depth <= max);
        here.ok_or(Error::ReorgTooDeep { depth, max: max as u64 })
    }

    /// Tries the new branch before the old one is dropped.
    fn check_branch(
        &self,
        depth: usize,
        blocks: &[Vec<Recovered<TxEnvelope>>],
    ) -> Result<(), Error> {
        let base = self.blocks.len() - 1 - depth;
        let mut state = self.states[self.states.len() - 1 - depth].clone();
        let mut parent = self.blocks[base].header.inner().clone();
        for transactions in blocks {
            let mut draft = Draft::new(self.rules, self.header_after(&parent), state);
            for transaction in transactions {
                let refused = |why: String| Error::NotInBranch {
                    hash: *transaction.tx_hash(),
                    number: parent.number + 1,
                    why,
                };
                self.check_possible(transaction).map_err(|why| refused(why.to_string()))?;
                draft.push(transaction).map_err(|why| refused(why.to_string()))?;
            }
            (parent, state) = (draft.header, draft.state);
        }
        Ok(())
    }

    /// Puts a transaction that was in a block, or waited, back into the pool, if it is possible.
    pub(super) fn put_back(&mut self, transaction: Recovered<TxEnvelope>) {
        let next_nonce = self.head_state().nonce_of(transaction.signer());
        // What has found its way into the new branch, or cannot any more, is no loss.
        let _ = self.pool.add(transaction, next_nonce);
    }

    /// Drops blocks that are known to be there; answers their transactions, the oldest first.
    fn drop_last(&mut self, depth: usize) -> Vec<Recovered<TxEnvelope>> {
        let keep = self.blocks.len() - depth;
        let dropped = Self::transactions_of(&self.blocks[keep..]);
        self.drop_from(keep);
        self.states.truncate(self.states.len() - depth);
        dropped
    }

    /// Goes over to other blocks from the first on that is different; their states come after.
    pub(super) fn replace_blocks(&mut self, blocks: &[Arc<Block>]) {
        let same = |(ours, theirs): &(&Arc<Block>, &Arc<Block>)| ours.hash() == theirs.hash();
        let common = self.blocks.iter().zip(blocks).take_while(same).count();
        self.drop_from(common);
        for block in &blocks[common..] {
            self.index(block);
        }
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
