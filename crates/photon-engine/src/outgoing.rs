//! Which signed updates are stored, so that the acknowledged ones can be deleted by name.

use crate::fault::Fault;
use crate::store::{Batch, Key, Table, View};
use crate::tables;
use photon_core::record::ChannelRecord;
use photon_wire::codec::{Decode, DecodeError};
use photon_wire::message::Message;
use photon_wire::{ChannelId, Nonce};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// The nonces of the stored updates of each channel. They follow each other without a gap.
#[derive(Default, Debug)]
pub(crate) struct Outgoing(BTreeMap<ChannelId, RangeInclusive<u64>>);

impl Outgoing {
    /// Reads what is stored, and checks that it is exactly what partners may still miss.
    pub(crate) fn load(view: &View<'_>, channels: &[ChannelRecord]) -> Result<Self, Fault> {
        let mut stored = Self::default();
        for row in view.under(&tables::everything(Table::Outgoing)) {
            let (key, value) = row?;
            let (channel, nonce) = tables::update_of(&key)?;
            check_update(&key, &value, channel, nonce)?;
            stored.check_follows(channel, nonce)?;
            stored.add(channel, nonce);
        }
        for channel in channels {
            stored.check_complete(channel)?;
        }
        Ok(stored)
    }

    fn check_follows(&self, channel: ChannelId, nonce: Nonce) -> Result<(), Fault> {
        match self.0.get(&channel) {
            Some(range) if range.end().checked_add(1) != Some(nonce.0) => {
                Err(Fault::MissingUpdate { channel, nonce: Nonce(range.end().saturating_add(1)) })
            }
            Some(_) | None => Ok(()),
        }
    }

    fn check_complete(&self, channel: &ChannelRecord) -> Result<(), Fault> {
        let (first, last) = (channel.acknowledged.0.saturating_add(1), channel.ours.nonce.0);
        let stored = self.0.get(&channel.id);
        let missing = match stored {
            _ if first > last => return Ok(()),
            Some(range) if !range.contains(&first) => first,
            Some(range) if !range.contains(&last) => range.end().saturating_add(1),
            Some(_) => return Ok(()),
            None => first,
        };
        Err(Fault::MissingUpdate { channel: channel.id, nonce: Nonce(missing) })
    }

    /// An update is stored from now on.
    pub(crate) fn add(&mut self, channel: ChannelId, nonce: Nonce) {
        let first = self.0.get(&channel).map_or(nonce.0, |range| *range.start());
        self.0.insert(channel, first..=nonce.0);
    }

    /// Deletes the updates up to this nonce.
    pub(crate) fn acknowledge(&mut self, batch: &mut Batch, channel: ChannelId, nonce: Nonce) {
        let Some(range) = self.0.remove(&channel) else { return };
        let (first, last) = range.into_inner();
        for gone in first..=last.min(nonce.0) {
            batch.delete(tables::update(channel, Nonce(gone)));
        }
        let left = first.max(nonce.0.saturating_add(1));
        if left <= last {
            self.0.insert(channel, left..=last);
        }
    }

    /// Deletes all updates of a channel.
    pub(crate) fn forget(&mut self, batch: &mut Batch, channel: ChannelId) {
        self.acknowledge(batch, channel, Nonce(u64::MAX));
    }

    /// The stored updates of a channel after this nonce.
    pub(crate) fn after(
        &self,
        channel: ChannelId,
        nonce: Nonce,
    ) -> impl Iterator<Item = Nonce> + use<> {
        let stored = self.0.get(&channel).cloned();
        stored.into_iter().flatten().skip_while(move |stored| *stored <= nonce.0).map(Nonce)
    }
}

fn check_update(key: &Key, value: &[u8], channel: ChannelId, nonce: Nonce) -> Result<(), Fault> {
    let frame = tables::contents(key, value)?;
    match Message::from_bytes(frame) {
        Ok(Message::Update(update)) if (update.channel, update.nonce) == (channel, nonce) => Ok(()),
        Ok(_) => Err(tables::bad(key, DecodeError::Range("the update's name"))),
        Err(error) => Err(tables::bad(key, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acknowledged_updates_are_deleted_one_by_one_and_no_others() {
        let channel = ChannelId::default();
        let mut outgoing = Outgoing::default();
        (4..=7).for_each(|nonce| outgoing.add(channel, Nonce(nonce)));
        let mut batch = Batch::default();
        outgoing.acknowledge(&mut batch, channel, Nonce(5));
        let expected = [4, 5].map(|nonce| (tables::update(channel, Nonce(nonce)), None));
        assert_eq!(batch.into_rows(), expected);
        let after = |outgoing: &Outgoing, nonce| {
            outgoing.after(channel, Nonce(nonce)).map(|nonce| nonce.0).collect::<Vec<_>>()
        };
        assert_eq!(after(&outgoing, 0), [6, 7]);
        assert_eq!(after(&outgoing, 6), [7]);
        let mut batch = Batch::default();
        outgoing.acknowledge(&mut batch, channel, Nonce(5));
        outgoing.forget(&mut batch, channel);
        assert_eq!(after(&outgoing, 0), []);
        assert_eq!(batch.into_rows().len(), 2);
    }
}
