//! Which format the rows have, and whose they are. A store of an older format is brought forward
//! step by step when it is opened; one of a newer format is left alone.

use crate::fault::Fault;
use crate::store::{Batch, Store, Table};
use crate::tables::{self, CHANNEL_KEY, bad, record, value};
use photon_core::Config;
use photon_core::record::{AgreementsRecord, InvoiceRecord, StandingRecord};
use photon_wire::codec::{Decode, DecodeError, Encode, Reader};
use photon_wire::invoice::Invoice;
use photon_wire::{Address, Amount, Secret};

/// Brings the rows from one format to the next, in one commit with the new format's number.
type Step = fn(&Store, &mut Batch) -> Result<(), Fault>;

/// The step at index `i` leads from format `i + 1` to format `i + 2`.
const STEPS: &[Step] = &[agreements];

/// Format 2: channels remember what the chain told in which block, and what both agree on; the
/// secret of an invoice may be its owner's.
fn agreements(store: &Store, batch: &mut Batch) -> Result<(), Fault> {
    let view = store.view();
    for row in view.under(&tables::all_channels()) {
        let (key, mut row) = row?;
        if key.bytes.len() == CHANNEL_KEY {
            tables::contents(&key, &row)?;
            StandingRecord::default().encode(&mut row);
            AgreementsRecord::default().encode(&mut row);
            batch.put(key, row);
        }
    }
    for invoices in [tables::all_unpaid_invoices(), tables::Past::Invoice.all()] {
        for row in view.under(&invoices) {
            let (key, row) = row?;
            let InvoiceOne { invoice, secret, paid } = record(&key, &row)?;
            let secret = Some(secret);
            let row = value(&InvoiceRecord { invoice, secret, paid, cancelled: false });
            batch.put(key, row);
        }
    }
    Ok(())
}

/// An invoice of format 1.
struct InvoiceOne {
    invoice: Invoice,
    secret: Secret,
    paid: Option<Amount>,
}

impl Decode for InvoiceOne {
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            invoice: Invoice::decode(input)?,
            secret: Secret::decode(input)?,
            paid: Option::decode(input)?,
        })
    }
}

/// Whose rows these are: the proofs in them are worth nothing to anybody else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Owner {
    account: Address,
    chain_id: u64,
    contract: Address,
}

impl Owner {
    const fn of(config: &Config) -> Self {
        Self {
            account: config.account,
            chain_id: config.domain.chain_id(),
            contract: config.domain.contract(),
        }
    }
}

impl Encode for Owner {
    fn encode(&self, out: &mut Vec<u8>) {
        self.account.encode(out);
        self.chain_id.encode(out);
        self.contract.encode(out);
    }
}

impl Decode for Owner {
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            account: Address::decode(input)?,
            chain_id: u64::decode(input)?,
            contract: Address::decode(input)?,
        })
    }
}

/// Marks a new store, checks a known one, brings an old one forward.
pub(crate) fn prepare(store: &Store, config: &Config) -> Result<(), Fault> {
    bring_forward(store, STEPS)?;
    check_owner(store, config)
}

fn bring_forward(store: &Store, steps: &[Step]) -> Result<(), Fault> {
    let newest = u32::try_from(steps.len()).unwrap_or(u32::MAX).saturating_add(1);
    let key = tables::format();
    let stored = match store.read(&key)? {
        Some(bytes) => record::<u32>(&key, &bytes)?,
        None if is_empty(store)? => return mark(store, Batch::default(), newest),
        None => return Err(Fault::MissingRow { row: key.to_string() }),
    };
    if stored > newest {
        return Err(Fault::Newer { path: store.path().into(), stored, known: newest });
    }
    let done = stored.checked_sub(1).ok_or_else(|| bad(&key, DecodeError::Range("format")))?;
    let done = usize::try_from(done).unwrap_or(usize::MAX);
    for (step, format) in steps.iter().skip(done).zip(stored.saturating_add(1)..) {
        let mut batch = Batch::default();
        step(store, &mut batch)?;
        mark(store, batch, format)?;
    }
    Ok(())
}

fn mark(store: &Store, mut batch: Batch, format: u32) -> Result<(), Fault> {
    batch.put(tables::format(), value(&format));
    store.commit(batch)
}

fn is_empty(store: &Store) -> Result<bool, Fault> {
    let view = store.view();
    for table in [Table::State, Table::Outgoing, Table::Payments, Table::History] {
        if view.under(&tables::everything(table)).next().transpose()?.is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn check_owner(store: &Store, config: &Config) -> Result<(), Fault> {
    let given = Owner::of(config);
    let key = tables::owner();
    let Some(bytes) = store.read(&key)? else {
        let mut batch = Batch::default();
        batch.put(key, value(&given));
        return store.commit(batch);
    };
    let stored: Owner = record(&key, &bytes)?;
    let path = store.path().to_path_buf();
    if stored.account != given.account {
        return Err(Fault::OtherAccount { path, stored: stored.account, given: given.account });
    }
    if stored != given {
        let stored = (stored.chain_id, stored.contract);
        return Err(Fault::OtherNetwork { path, stored, given: (given.chain_id, given.contract) });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(store: &Store) -> u32 {
        let key = tables::format();
        record(&key, &store.read(&key).unwrap().unwrap()).unwrap()
    }

    #[test]
    fn an_older_store_is_brought_forward_step_by_step_and_a_newer_one_is_left_alone() {
        const FIRST: Step = |_, batch| {
            batch.put(tables::notice(1), vec![1]);
            Ok(())
        };
        const SECOND: Step = |store, batch| {
            let first = store.read(&tables::notice(1))?.expect("the first step is durable");
            batch.put(tables::notice(2), [first, vec![2]].concat());
            Ok(())
        };
        let space = tempfile::tempdir().unwrap();
        let store = Store::open(space.path()).unwrap();
        bring_forward(&store, &[]).unwrap();
        assert_eq!(format(&store), 1);
        bring_forward(&store, &[FIRST, SECOND]).unwrap();
        assert_eq!(format(&store), 3);
        assert_eq!(store.read(&tables::notice(2)).unwrap(), Some(vec![1, 2]));
        bring_forward(&store, &[FIRST, SECOND]).unwrap();
        let fault = bring_forward(&store, &[FIRST]).unwrap_err();
        assert!(matches!(fault, Fault::Newer { stored: 3, known: 2, .. }), "{fault}");
        assert!(fault.to_string().contains("install the version of Photon that wrote it"));
    }

    #[test]
    fn rows_without_a_format_are_not_taken_for_a_new_store() {
        let space = tempfile::tempdir().unwrap();
        let store = Store::open(space.path()).unwrap();
        let mut batch = Batch::default();
        batch.put(tables::notice(1), vec![1]);
        store.commit(batch).unwrap();
        assert!(matches!(bring_forward(&store, &[]), Err(Fault::MissingRow { .. })));
    }
}
