//! Letting time pass without harm to Alice, and bringing a story to its end.

use super::author::{Author, Step};
use super::stage::TERMS;
use crate::model::Model;

impl Author {
    /// Some time passes, often just to where a deadline is or just past it; first Alice says what
    /// she could not say later.
    pub(super) fn wait(&mut self, model: &Model, pair: usize, now: u64) -> Step {
        let channel = self.channel(model, pair);
        let soon = now + 1 + self.dice.below(100);
        let end = channel.clock + TERMS.challenge;
        let until = match self.dice.below(6) {
            0 if channel.phase == 2 => channel.clock,
            1 if channel.phase == 2 => channel.clock + 1,
            2 if channel.phase == 2 => end,
            3 if channel.phase == 2 => end + 1,
            4 => self.expiration(pair, now).unwrap_or(soon),
            _ => soon,
        };
        self.wait_until(model, now, until.max(now))
    }

    /// When some lock ends, or just past it.
    fn expiration(&mut self, pair: usize, now: u64) -> Option<u64> {
        let payers = &self.ledgers[pair].payers;
        let latest = payers.iter().filter_map(|payer| payer.latest());
        let ends: Vec<u64> = latest
            .flat_map(|signed| signed.locks.iter().map(|(_, lock)| lock.expiration.0))
            .filter(|end| *end > now)
            .collect();
        let end = self.dice.pick(&ends).copied()?;
        Some(end + self.dice.below(2))
    }

    fn wait_until(&mut self, model: &Model, now: u64, until: u64) -> Step {
        for pair in 0..2 {
            let channel = self.channel(model, pair);
            let passes = |end: u64| now <= end && end < until;
            if channel.phase == 2
                && (passes(channel.clock) || passes(channel.clock + TERMS.challenge))
                && let Some((sender, call)) = self.defence(model, pair, now)
            {
                return Step::Call { sender, call: Box::new(call), must: true };
            }
        }
        Step::Wait(until - now)
    }

    /// What is left to do until every dispute is settled; none when all are.
    pub(super) fn last_steps(&mut self, model: &Model, now: u64) -> Option<Step> {
        for pair in 0..2 {
            let channel = self.channel(model, pair);
            if channel.phase != 2 {
                continue;
            }
            let end = channel.clock + TERMS.challenge;
            if now <= end {
                return Some(self.wait_until(model, now, end + 1));
            }
            let (sender, call) = self.settle(model, pair);
            return Some(Step::Call { sender, call: Box::new(call), must: true });
        }
        None
    }
}
