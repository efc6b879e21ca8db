//! The hashes of blocks that were told, to find where another branch begins.

use crate::endpoint::{Endpoint, Head};
use crate::error::ChainError;
use alloy::primitives::B256;
use photon_wire::BlockNumber;
use std::collections::BTreeMap;

/// How many are remembered.
const REMEMBERED: usize = 256;

#[derive(Default)]
pub(super) struct Trail(BTreeMap<u64, B256>);

/// Another branch than the one that was told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Fork {
    /// The latest remembered block that both have; none where they differ as far as we remember.
    pub(super) kept: Option<u64>,
    /// The lowest remembered block at which they differ.
    pub(super) from: u64,
}

impl Trail {
    pub(super) fn add(&mut self, number: u64, hash: B256) {
        self.0.insert(number, hash);
        if self.0.len() > REMEMBERED {
            self.0.pop_first();
        }
    }

    pub(super) fn newest(&self) -> Option<u64> {
        self.0.last_key_value().map(|(number, _)| *number)
    }

    /// Forgets what is above.
    pub(super) fn cut(&mut self, kept: u64) {
        self.0.retain(|number, _| *number <= kept);
    }

    /// Forgets this block and all below.
    pub(super) fn forget(&mut self, up_to: u64) {
        self.0.retain(|number, _| *number > up_to);
    }

    pub(super) fn has_up_to(&self, number: u64) -> bool {
        self.0.range(..=number).next().is_some()
    }

    /// Whether the chain has another block at a height that we know. A head that is lower than
    /// what was told is no sign of that: an endpoint that lags shows the same.
    pub(super) async fn fork(
        &self,
        endpoint: &Endpoint,
        head: &Head,
    ) -> Result<Option<Fork>, ChainError> {
        let mut from = None;
        for (number, hash) in self.0.range(..=head.number.0).rev() {
            let there = if *number == head.number.0 {
                Some(*head)
            } else {
                endpoint.block(BlockNumber(*number)).await?
            };
            // It vanished while we looked: the next look sees what came in its place.
            let Some(there) = there else { return Err(ChainError::Moved(*number)) };
            if there.hash == *hash {
                return Ok(from.map(|from| Fork { kept: Some(*number), from }));
            }
            from = Some(*number);
        }
        Ok(from.map(|from| Fork { kept: None, from }))
    }
}
