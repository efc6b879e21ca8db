//! What is past, as pages: newest first, filtered, from any thread while the node goes on.

use crate::fault::Fault;
use crate::store::{Key, Row, Store, Table, View};
use crate::tables::{self, Past, record};
use photon_core::Notice;
use photon_core::record::{InvoiceRecord, PaymentRecord, ReceiptRecord};
use photon_core::view::PaymentStatus;
use photon_wire::codec::{Decode, Encode};
use photon_wire::{Address, PaymentId, SecretHash, Timestamp, Token};
use std::ops::Bound;
use std::sync::{Arc, Weak};

/// Rows on one page, at most.
pub const PAGE_ROWS: usize = 1_000;

/// Rows that one page looks at, at most: a filter that fits nothing must not read a whole life.
const LOOKED_AT: usize = 20_000;

/// Reads what is past. Cheap to clone; every call blocks for as long as the disk does. It does not
/// keep the store open: once the engine is gone, every call is refused.
#[derive(Clone)]
pub struct History {
    store: Weak<Store>,
}

impl std::fmt::Debug for History {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("History").finish_non_exhaustive()
    }
}

/// Some rows, and where the next ones begin.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page<T, C> {
    /// At most as many as were asked for; possibly none although there are more.
    pub rows: Vec<T>,
    /// What to ask for next; none at the end.
    pub next: Option<C>,
}

/// A place in the order by time: rows before it are older.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct TimeCursor<T> {
    /// When the row was made.
    pub time: Timestamp,
    /// Its name, which orders rows of the same second.
    pub name: T,
}

/// Which payments; nothing set means all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PaymentFilter {
    /// In this token.
    pub token: Option<Token>,
    /// To this account.
    pub account: Option<Address>,
    /// For this invoice.
    pub invoice: Option<SecretHash>,
    /// Standing like this.
    pub standing: Option<PaymentStanding>,
    /// Asked for at this time or later.
    pub from: Option<Timestamp>,
    /// Asked for at this time or earlier.
    pub until: Option<Timestamp>,
}

/// Where a payment stands, for filters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PaymentStanding {
    /// On its way.
    Pending,
    /// The target has it.
    Paid,
    /// It did not happen.
    Failed,
}

impl PaymentFilter {
    fn fits(&self, record: &PaymentRecord) -> bool {
        let standing = match record.status {
            PaymentStatus::Pending => PaymentStanding::Pending,
            PaymentStatus::Paid { .. } => PaymentStanding::Paid,
            PaymentStatus::Failed(_) => PaymentStanding::Failed,
        };
        self.token.is_none_or(|token| token == record.target.token)
            && self.account.is_none_or(|account| account == record.target.account)
            && self.invoice.is_none_or(|invoice| record.invoice == Some(invoice))
            && self.standing.is_none_or(|wanted| wanted == standing)
    }
}

/// Which receipts; nothing set means all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ReceiptFilter {
    /// In this token.
    pub token: Option<Token>,
    /// Through this partner.
    pub partner: Option<Address>,
    /// For this invoice.
    pub invoice: Option<SecretHash>,
    /// At this time or later.
    pub from: Option<Timestamp>,
    /// At this time or earlier.
    pub until: Option<Timestamp>,
}

impl ReceiptFilter {
    fn fits(&self, record: &ReceiptRecord) -> bool {
        self.token.is_none_or(|token| token == record.token)
            && self.partner.is_none_or(|partner| partner == record.partner)
            && self.invoice.is_none_or(|invoice| record.invoice == Some(invoice))
            && self.from.is_none_or(|from| from <= record.at)
            && self.until.is_none_or(|until| until >= record.at)
    }
}

impl History {
    pub(crate) fn new(store: &Arc<Store>) -> Self {
        Self { store: Arc::downgrade(store) }
    }

    fn store(&self) -> Result<Arc<Store>, Fault> {
        self.store.upgrade().ok_or(Fault::Closed)
    }

    /// A payment of ours, pending or not.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn payment(&self, id: PaymentId) -> Result<Option<PaymentRecord>, Fault> {
        payment(&self.store()?.view(), id)
    }

    /// Payments of ours, newest first, those after `before`.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn payments(
        &self,
        filter: &PaymentFilter,
        before: Option<TimeCursor<PaymentId>>,
        limit: usize,
    ) -> Result<Page<PaymentRecord, TimeCursor<PaymentId>>, Fault> {
        let store = self.store()?;
        let view = store.view();
        let span = Span { kind: Past::PaymentTime, from: filter.from, until: filter.until };
        let mut pages = Pages::new(limit);
        for row in span.rows(&view, before) {
            if pages.is_full() {
                break;
            }
            let cursor = cursor_of(&row?)?;
            let found = payment(&view, cursor.name)?.filter(|record| filter.fits(record));
            pages.look(cursor, found);
        }
        Ok(pages.close())
    }

    /// A payment that reached us.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn receipt(&self, number: u64) -> Result<Option<ReceiptRecord>, Fault> {
        read(&self.store()?.view(), &tables::receipt(number))
    }

    /// Payments that reached us, newest first, those with numbers below `before`.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn receipts(
        &self,
        filter: &ReceiptFilter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Page<ReceiptRecord, u64>, Fault> {
        let fits = |record: &ReceiptRecord| filter.fits(record);
        self.numbered(Past::Receipt, before, limit, fits)
    }

    /// An invoice of ours, paid or not.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn invoice(&self, hash: SecretHash) -> Result<Option<InvoiceRecord>, Fault> {
        invoice(&self.store()?.view(), hash)
    }

    /// Invoices of ours, paid or not, newest first, those after `before`.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn invoices(
        &self,
        before: Option<TimeCursor<SecretHash>>,
        limit: usize,
    ) -> Result<Page<InvoiceRecord, TimeCursor<SecretHash>>, Fault> {
        let store = self.store()?;
        let view = store.view();
        let span = Span { kind: Past::InvoiceTime, from: None, until: None };
        let mut pages = Pages::new(limit);
        for row in span.rows(&view, before) {
            if pages.is_full() {
                break;
            }
            let cursor = cursor_of(&row?)?;
            pages.look(cursor, invoice(&view, cursor.name)?);
        }
        Ok(pages.close())
    }

    /// Notices with their numbers, newest first, those with numbers below `before`.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn notices(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Page<(u64, Notice), u64>, Fault> {
        let store = self.store()?;
        let view = store.view();
        let mut pages = Pages::new(limit);
        for row in numbers(&view, Past::Notice, Bound::Unbounded, below(before)).rev() {
            if pages.is_full() {
                break;
            }
            let (number, notice) = numbered(row)?;
            pages.look(number, Some((number, notice)));
        }
        Ok(pages.close())
    }

    /// Notices with their numbers, in order, those with numbers above `cursor`.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn notices_after(&self, cursor: u64, limit: usize) -> Result<Vec<(u64, Notice)>, Fault> {
        let store = self.store()?;
        let view = store.view();
        let from = Bound::Excluded(cursor);
        let rows = numbers(&view, Past::Notice, from, Bound::Unbounded).map(numbered);
        rows.take(limit.min(PAGE_ROWS)).collect()
    }

    fn numbered<T: Decode>(
        &self,
        kind: Past,
        before: Option<u64>,
        limit: usize,
        fits: impl Fn(&T) -> bool,
    ) -> Result<Page<T, u64>, Fault> {
        let store = self.store()?;
        let view = store.view();
        let mut pages = Pages::new(limit);
        for row in numbers(&view, kind, Bound::Unbounded, below(before)).rev() {
            if pages.is_full() {
                break;
            }
            let (number, found) = numbered::<T>(row)?;
            pages.look(number, Some(found).filter(&fits));
        }
        Ok(pages.close())
    }
}

/// One page while it is filled.
struct Pages<T, C> {
    rows: Vec<T>,
    limit: usize,
    left: usize,
    last: Option<C>,
    full: bool,
}

impl<T, C> Pages<T, C> {
    fn new(limit: usize) -> Self {
        let limit = limit.clamp(1, PAGE_ROWS);
        Self { rows: Vec::new(), limit, left: LOOKED_AT, last: None, full: false }
    }

    /// Asked only where there is a further row, so that a page at the very end is the last one.
    fn is_full(&mut self) -> bool {
        self.full = self.rows.len() >= self.limit || self.left == 0;
        self.full
    }

    fn look(&mut self, cursor: C, found: Option<T>) {
        self.left = self.left.saturating_sub(1);
        self.last = Some(cursor);
        self.rows.extend(found);
    }

    fn close(self) -> Page<T, C> {
        Page { rows: self.rows, next: self.last.filter(|_| self.full) }
    }
}

/// A stretch of an order by time.
struct Span {
    kind: Past,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl Span {
    /// Newest first.
    fn rows<T: Encode>(
        &self,
        view: &View<'_>,
        before: Option<TimeCursor<T>>,
    ) -> impl Iterator<Item = Result<Row, Fault>> {
        let key = |name: Vec<u8>| {
            let mut key = self.kind.all();
            key.bytes.extend(name);
            key
        };
        let from = key(self.from.unwrap_or_default().to_bytes());
        // No row has a name of 40 bytes of 255, and every row of that second sorts below it.
        let last = self.until.unwrap_or(Timestamp(u64::MAX)).to_bytes();
        let until = key([last, vec![u8::MAX; 40]].concat());
        let mut to = until;
        if let Some(cursor) = before {
            to = to.min(key([cursor.time.to_bytes(), cursor.name.to_bytes()].concat()));
        }
        let to = to.max(from.clone());
        view.between(Bound::Included(from), Bound::Excluded(to), Table::History).rev()
    }
}

fn cursor_of<T: Decode>((key, _): &Row) -> Result<TimeCursor<T>, Fault> {
    tables::time_of(key).map(|(time, name)| TimeCursor { time, name })
}

fn below(before: Option<u64>) -> Bound<u64> {
    before.map_or(Bound::Unbounded, Bound::Excluded)
}

/// The rows of a numbered kind, in order.
fn numbers(
    view: &View<'_>,
    kind: Past,
    from: Bound<u64>,
    to: Bound<u64>,
) -> impl DoubleEndedIterator<Item = Result<Row, Fault>> {
    let key = |number: u64| {
        let mut key = kind.all();
        number.encode(&mut key.bytes);
        key
    };
    let from = match from {
        Bound::Unbounded => Bound::Included(key(0)),
        bound @ (Bound::Included(_) | Bound::Excluded(_)) => bound.map(key),
    };
    let to = match to {
        Bound::Unbounded => Bound::Included(key(u64::MAX)),
        bound @ (Bound::Included(_) | Bound::Excluded(_)) => bound.map(key),
    };
    view.between(from, to, Table::History)
}

fn numbered<T: Decode>(row: Result<Row, Fault>) -> Result<(u64, T), Fault> {
    let (key, value) = row?;
    Ok((tables::number_of(&key)?, record(&key, &value)?))
}

fn read<T: Decode>(view: &View<'_>, key: &Key) -> Result<Option<T>, Fault> {
    view.read(key)?.map(|value| record(key, &value)).transpose()
}

fn payment(view: &View<'_>, id: PaymentId) -> Result<Option<PaymentRecord>, Fault> {
    match read(view, &tables::pending_payment(id))? {
        Some(record) => Ok(Some(record)),
        None => read(view, &tables::finished_payment(id)),
    }
}

fn invoice(view: &View<'_>, hash: SecretHash) -> Result<Option<InvoiceRecord>, Fault> {
    match read(view, &tables::unpaid_invoice(hash))? {
        Some(record) => Ok(Some(record)),
        None => read(view, &tables::paid_invoice(hash)),
    }
}
