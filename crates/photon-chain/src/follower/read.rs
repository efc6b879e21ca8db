//! Reading the contract's logs.

use super::Follower;
use super::interest::Telling;
use crate::bindings::events;
use crate::endpoint::Head;
use crate::error::ChainError;
use alloy::rpc::types::Log;
use photon_wire::contract::{Event, Position};
use photon_wire::{BlockNumber, Timestamp};

impl Follower {
    /// The events from a block on, of as many blocks as the chain answers at once; and the last of
    /// these blocks.
    pub(super) async fn load(
        &mut self,
        from: u64,
        target: u64,
        head: &Head,
        telling: Telling,
    ) -> Result<(Head, Vec<(Position, Event)>), ChainError> {
        loop {
            let to = target.min(from.saturating_add(self.range.saturating_sub(1)));
            match self.read(from, to, head, telling).await {
                Ok(read) => {
                    self.range = self.range.saturating_mul(2).min(self.config.range.max(1));
                    return Ok(read);
                }
                // Too many results, or too long a range: each chain says it in other words.
                Err(ChainError::Refused { .. } | ChainError::Silent { .. }) if to > from => {
                    self.range = (to.saturating_sub(from) / 2).max(1);
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn read(
        &mut self,
        from: u64,
        to: u64,
        head: &Head,
        telling: Telling,
    ) -> Result<(Head, Vec<(Position, Event)>), ChainError> {
        let end = self.block(to, head).await?;
        let first = self.interest.first_topics(telling);
        let mut logs = self.logs(from, to, first).await?;
        if telling == Telling::AtDepth {
            self.interest.learn(&logs)?;
        }
        let second = self.interest.second_topics(telling);
        logs.extend(self.logs(from, to, second).await?);
        logs.sort_by_key(|log| (log.block_number, log.log_index));
        logs.dedup_by_key(|log| (log.block_number, log.log_index));
        let events = self.events(&logs, &end, telling).await?;
        if self.endpoint.block(end.number).await?.is_none_or(|block| block.hash != end.hash) {
            return Err(ChainError::Moved(to));
        }
        Ok((end, events))
    }

    async fn logs(
        &self,
        from: u64,
        to: u64,
        questions: Vec<serde_json::Value>,
    ) -> Result<Vec<Log>, ChainError> {
        let (from, to) = (BlockNumber(from), BlockNumber(to));
        let mut logs = Vec::new();
        for topics in questions {
            logs.extend(self.endpoint.logs(self.contract, &topics, from, to).await?);
        }
        // Chains may answer more than they were asked for.
        logs.retain(|log| {
            let number = log.block_number.unwrap_or_default();
            !log.removed && log.address() == self.contract && (from.0..=to.0).contains(&number)
        });
        Ok(logs)
    }

    async fn block(&self, number: u64, head: &Head) -> Result<Head, ChainError> {
        if head.number.0 == number {
            return Ok(*head);
        }
        self.endpoint.block(BlockNumber(number)).await?.ok_or(ChainError::Moved(number))
    }

    async fn events(
        &self,
        logs: &[Log],
        end: &Head,
        telling: Telling,
    ) -> Result<Vec<(Position, Event)>, ChainError> {
        let mut told = Vec::new();
        let mut latest = *end;
        for log in logs {
            let (number, index) = place(log)?;
            let handled = telling == Telling::AtDepth
                && self.skip.is_some_and(|handled| (number, index) <= handled);
            if handled {
                continue;
            }
            let mut said = events(log).map_err(|error| malformed(&error.to_string()))?;
            said.retain(|event| self.interest.wants(event, telling));
            if said.is_empty() {
                continue;
            }
            let time = match log.block_timestamp {
                Some(time) => Timestamp(time),
                None => {
                    if latest.number.0 != number {
                        latest = self.block(number, end).await?;
                    }
                    latest.time
                }
            };
            let position = Position { block: BlockNumber(number), time, index };
            told.extend(said.into_iter().map(|event| (position, event)));
        }
        Ok(told)
    }
}

fn place(log: &Log) -> Result<(u64, u32), ChainError> {
    let number = log.block_number.ok_or_else(|| malformed("a log without a block"))?;
    let index = log.log_index.and_then(|index| u32::try_from(index).ok());
    Ok((number, index.ok_or_else(|| malformed("a log without an index"))?))
}

pub(super) fn malformed(reason: &str) -> ChainError {
    ChainError::Answer { method: "eth_getLogs", reason: reason.to_owned() }
}
