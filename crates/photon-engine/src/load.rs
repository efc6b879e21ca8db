//! The way back: rows to what the machine is restored from.

use crate::fault::Fault;
use crate::store::{Row, Table, View};
use crate::tables::{self, CHANNEL_KEY, Past, StateKind, record};
use photon_core::record::{Recollection, Snapshot};
use photon_wire::{ChannelId, Nonce};

/// Reads the whole state, and checks every row of it.
pub(crate) fn snapshot(view: &View<'_>) -> Result<Snapshot, Fault> {
    let mut snapshot = Snapshot {
        next_notice: next_number(view, Past::Notice)?,
        next_receipt: next_number(view, Past::Receipt)?,
        ..Snapshot::default()
    };
    for row in view.under(&tables::everything(Table::State)) {
        add(&mut snapshot, &row?)?;
    }
    Ok(snapshot)
}

fn add(snapshot: &mut Snapshot, (key, value): &Row) -> Result<(), Fault> {
    match StateKind::of(key)? {
        // Checked when the store was opened.
        StateKind::Store => {}
        StateKind::Channel if key.bytes.len() == CHANNEL_KEY => {
            snapshot.channels.push(record(key, value)?);
        }
        StateKind::Channel => {
            let lock = tables::lock_of(key)?;
            check_channel(snapshot, lock.channel)?;
            snapshot.locks.push((lock, record(key, value)?));
        }
        StateKind::Payment => snapshot.payments.push(record(key, value)?),
        StateKind::Invoice => snapshot.invoices.push(record(key, value)?),
        StateKind::Intent => snapshot.intents.push(record(key, value)?),
        StateKind::Graph => snapshot.graph.push(record(key, value)?),
        StateKind::Node => snapshot.nodes.push(record(key, value)?),
        StateKind::Registered => {
            tables::contents(key, value)?;
            snapshot.registered.push(tables::registered_of(key)?);
        }
        StateKind::Block => snapshot.block = Some(record(key, value)?),
        StateKind::Ended => snapshot.ended.push((tables::ended_of(key)?, record(key, value)?)),
        StateKind::Fees => snapshot.fees.push((tables::fees_of(key)?, record(key, value)?)),
    }
    Ok(())
}

/// What is known of locks of a channel that were given back.
pub(crate) fn recollection(
    view: &View<'_>,
    channel: ChannelId,
    after: Nonce,
) -> Result<Recollection, Fault> {
    let mut known = Recollection::default();
    for row in view.under(&tables::disposals(channel)) {
        let (key, value) = row?;
        known.disposals.push(record(&key, &value)?);
    }
    for row in view.under(&tables::lock_histories(channel)) {
        let (key, value) = row?;
        let nonce = tables::lock_history_of(&key)?;
        if nonce > after {
            known.history.push((nonce, record(&key, &value)?));
        }
    }
    Ok(known)
}

/// The channel's own row sorts right before its locks.
fn check_channel(snapshot: &Snapshot, channel: ChannelId) -> Result<(), Fault> {
    match snapshot.channels.last() {
        Some(last) if last.id == channel => Ok(()),
        Some(_) | None => Err(Fault::MissingRow { row: tables::channel(channel).to_string() }),
    }
}

fn next_number(view: &View<'_>, kind: Past) -> Result<u64, Fault> {
    match view.under(&kind.all()).next_back() {
        Some(row) => Ok(tables::number_of(&row?.0)?.saturating_add(1)),
        None => Ok(1),
    }
}
