//! From the first channel to the last token: a whole night, and what must hold at its end.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use photon_core::Command;
use photon_core::Input;
use photon_core::view::{ChannelState, PaymentStatus};
use photon_engine::ReceiptFilter;
use photon_wire::{Amount, PaymentId};

use super::Town;
use super::blocks::PLENTY;

/// How long everything may take to end once all is calm: a lock's whole life, a dispute, and the
/// challenge, with room for blocks.
const BOUND: u64 = 6_000;
/// For how long it must be so: ten blocks.
const QUIET: u64 = 120;

impl Town {
    pub(super) fn night(&mut self, seconds: u64) -> Result<(), String> {
        self.calm = true;
        self.open_all();
        for _ in 0..120 {
            self.second()?;
        }
        self.calm = false;
        for _ in 0..seconds {
            self.want();
            self.second()?;
        }
        self.calm = true;
        self.end_all_held();
        self.until("payments end", Self::payments_end)?;
        self.until("channels are settled", Self::channels_end)?;
        self.accounts()
    }

    /// Goes on until it is so.
    fn until(
        &mut self,
        what: &str,
        mut is_so: impl FnMut(&mut Self) -> Result<bool, String>,
    ) -> Result<(), String> {
        let mut quiet = 0;
        for _ in 0..BOUND {
            self.second()?;
            quiet = if is_so(self)? { quiet + 1 } else { 0 };
            // What is in the pool, or not deep enough yet, would still come.
            if quiet > QUIET {
                return Ok(());
            }
        }
        let views: Vec<_> = self.nodes.iter().flat_map(|node| node.machine().channels()).collect();
        let wanted: Vec<_> = self.nodes.iter().map(|node| node.machine().intents()).collect();
        Err(format!("after {BOUND} s of calm it is not so that {what}: {views:?}, {wanted:?}"))
    }

    /// Invariant 7: after faults stop, every payment ends.
    fn payments_end(&mut self) -> Result<bool, String> {
        let pending = self.nodes.iter().any(|node| node.machine().pending_payments() != 0);
        let locked = self
            .nodes
            .iter()
            .flat_map(|node| node.machine().channels())
            .any(|view| view.ours.locks + view.theirs.locks != 0);
        Ok(!pending && !locked)
    }

    /// Invariant 7: after faults stop, every channel can be settled. One of the two closes it.
    fn channels_end(&mut self) -> Result<bool, String> {
        if self.now.is_multiple_of(60) {
            for who in 0..self.nodes.len() {
                for view in self.nodes[who].machine().channels() {
                    if view.state == ChannelState::Open {
                        let close = Command::CloseChannel(view.id);
                        self.nodes[who].inbox.push_back(Input::Command(close));
                    }
                }
            }
        }
        let left = self.nodes.iter().any(|node| !node.machine().channels().is_empty());
        Ok(!left)
    }

    /// Invariant 5: nobody has less than what he had and got, less what he paid. And what is paid
    /// is received, once, and the other way round.
    fn accounts(&mut self) -> Result<(), String> {
        // Who cheats may believe what is not so, and so may those who dealt with him.
        let cheated = self.cheat.who.is_some();
        let network = self.blocks.network;
        let left = self.blocks.purse(network);
        if left != 0 {
            return Err(format!("the contract still holds {left} when all channels are settled"));
        }
        let mut receipts: BTreeMap<PaymentId, (usize, Amount)> = BTreeMap::new();
        let mut has: Vec<u128> = self.nodes.iter().map(|_| PLENTY).collect();
        for (who, purse) in has.iter_mut().enumerate() {
            for (payment, amount) in self.received(who)? {
                *purse += amount.0;
                if receipts.insert(payment, (who, amount)).is_some() {
                    return Err(format!("payment {payment} was received twice"));
                }
            }
        }
        let mut paid = BTreeSet::new();
        for (who, to, id) in self.plan.asked.clone() {
            let history = self.nodes[who].engine().history();
            let payment = history.payment(id).map_err(|fault| fault.to_string())?;
            let Some(payment) = payment else { continue };
            match payment.status {
                PaymentStatus::Paid { .. } => {
                    let out = payment.target.amount.0 + payment.fee.0;
                    has[who] = has[who].checked_sub(out).ok_or("somebody paid more than he had")?;
                    paid.insert(id);
                    if !cheated && receipts.get(&id).is_none_or(|(payee, _)| *payee != to) {
                        return Err(format!("payment {id} is paid, but {to} did not receive it"));
                    }
                    self.report.paid += 1;
                }
                PaymentStatus::Failed(_) => self.report.failed += 1,
                PaymentStatus::Pending => return Err(format!("payment {id} is pending")),
            }
        }
        let unpaid = receipts.iter().find(|(id, _)| !paid.contains(*id));
        if let Some((id, (who, _))) = unpaid.filter(|_| !cheated) {
            return Err(format!("node {who} received {id}, which nobody paid"));
        }
        for (who, least) in has.into_iter().enumerate() {
            if self.cheat.who == Some(who) {
                continue;
            }
            let account = self.nodes[who].account();
            let got = self.blocks.purse(account);
            if got < least {
                return Err(format!("node {who} has {got}, {least} is his"));
            }
        }
        Ok(())
    }

    fn received(&mut self, who: usize) -> Result<Vec<(PaymentId, Amount)>, String> {
        let history = self.nodes[who].engine().history();
        let (mut all, mut before) = (Vec::new(), None);
        loop {
            let page = history
                .receipts(&ReceiptFilter::default(), before, 100)
                .map_err(|fault| fault.to_string())?;
            all.extend(page.rows.iter().map(|row| (row.payment, row.amount)));
            before = page.next;
            if before.is_none() {
                return Ok(all);
            }
        }
    }
}

/// A copy of a store's files.
pub(super) struct Copy(Vec<(PathBuf, Vec<u8>)>);

/// Copies a store.
pub(super) fn copy_of(path: &Path) -> Copy {
    let (mut files, mut folders) = (Vec::new(), vec![path.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        for entry in entries.map(|entry| entry.path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if let (Ok(bytes), Ok(name)) = (std::fs::read(&entry), entry.strip_prefix(path))
            {
                files.push((name.to_path_buf(), bytes));
            }
        }
    }
    Copy(files)
}

impl Copy {
    /// Makes the folder hold this and nothing else.
    pub(super) fn put(&self, path: &Path) {
        let done = std::fs::remove_dir_all(path).and_then(|()| {
            self.0.iter().try_for_each(|(name, bytes)| {
                let file = path.join(name);
                file.parent().map_or(Ok(()), std::fs::create_dir_all)?;
                std::fs::write(file, bytes)
            })
        });
        done.unwrap_or_else(|error| panic!("{} cannot be written: {error}", path.display()));
    }
}
