//! What the owners of the nodes want, by lot.

use photon_core::view::{ChannelState, Target};
use photon_core::{Attempt, Command, Input, PayCommand};
use photon_wire::codec::Encode as _;
use photon_wire::invoice::Invoice;
use photon_wire::onward::ForTarget;
use photon_wire::seal::EncryptionKey;
use photon_wire::{
    Amount, ChannelId, PaymentId, Seconds, Secret, SecretHash, Signature, Timestamp,
};

use super::Town;
use super::blocks::PLENTY;
use crate::chain::CHAIN_ID;

/// What was begun.
#[derive(Debug, Default)]
pub(super) struct Plan {
    payments: u64,
    /// Who pays whom, by which name.
    pub asked: Vec<(usize, usize, PaymentId)>,
    /// Invoices whose owner keeps the secret.
    held: Vec<(usize, Secret)>,
}

impl Town {
    fn command(&mut self, who: usize, command: Command) {
        self.nodes[who].inbox.push_back(Input::Command(command));
    }

    /// Everybody opens a channel with the next, some with others.
    pub(super) fn open_all(&mut self) {
        let count = self.nodes.len();
        for one in 0..count {
            for other in one + 1..count {
                if other == one + 1 || self.dice.once_in(3) {
                    self.open(one, other);
                }
            }
        }
    }

    fn open(&mut self, one: usize, other: usize) {
        let command = Command::OpenChannel {
            token: self.blocks.token,
            partner: self.nodes[other].account(),
            settle_timeout: Seconds(1_500),
            deposit: Amount(PLENTY / 1_000),
            way: None,
        };
        self.command(one, command);
    }

    /// Somebody wants something, most seconds.
    pub(super) fn want(&mut self) {
        let who = self.dice.index(self.nodes.len());
        match self.dice.below(1_000) {
            0..300 => self.pay(who),
            300..320 => self.deposit(who),
            320..330 => {
                if let Some((channel, spendable)) = self.some_channel(who) {
                    self.report.agreements += 1;
                    let amount = Amount(1 + self.dice.up_to(spendable.0));
                    self.command(who, Command::Withdraw { channel, amount });
                }
            }
            330..333 => {
                if let Some((channel, _)) = self.some_channel(who) {
                    self.report.agreements += 1;
                    let drain = self.dice.once_in(2);
                    self.command(who, Command::SettleCooperatively { channel, drain });
                }
            }
            333..335 => {
                if let Some((channel, _)) = self.some_channel(who) {
                    self.report.closes += 1;
                    self.command(who, Command::CloseChannel(channel));
                }
            }
            335..340 => {
                let other = self.dice.index(self.nodes.len());
                if other != who {
                    self.open(who, other);
                }
            }
            340..360 => self.end_held(),
            _ => {}
        }
    }

    fn some_channel(&mut self, who: usize) -> Option<(ChannelId, Amount)> {
        let all = self.nodes[who].machine().channels();
        let open: Vec<_> = all.iter().filter(|view| view.state == ChannelState::Open).collect();
        let view = self.dice.pick(&open)?;
        Some((view.id, view.ours.spendable))
    }

    fn deposit(&mut self, who: usize) {
        let Some((channel, _)) = self.some_channel(who) else { return };
        let participant = self.nodes[who].account();
        let amount = Amount(1 + self.dice.up_to(PLENTY / 2_000));
        self.command(who, Command::Deposit { channel, participant, amount, way: None });
    }

    fn pay(&mut self, who: usize) {
        let to = self.dice.index(self.nodes.len());
        if to == who {
            return;
        }
        self.plan.payments += 1;
        let mut name = [0; 16];
        name[..8].copy_from_slice(&self.plan.payments.to_be_bytes());
        let payment = PaymentId(name);
        let amount = Amount(1 + self.dice.up_to(PLENTY / 5_000));
        let invoice = self.dice.once_in(4).then(|| self.invoice(to, amount));
        let attempts = match invoice {
            Some(secret_hash) => vec![attempt(payment, amount, None, secret_hash)],
            None => (0..3)
                .map(|_| {
                    let secret = Secret(self.dice.bytes());
                    let hash = secret.hash();
                    self.cheat.knows(who, &secret);
                    attempt(payment, amount, Some(secret), hash)
                })
                .collect(),
        };
        let account = self.nodes[to].account();
        let locked = self.dice.once_in(2);
        let pay = PayCommand {
            payment,
            target: Target { token: self.blocks.token, account, amount },
            max_fee: Amount(1_000_000),
            note: Vec::new(),
            invoice,
            locked,
            attempts,
        };
        self.plan.asked.push((who, to, payment));
        self.command(who, Command::Pay(pay));
    }

    /// The target makes an invoice; of some the owner keeps the secret to himself.
    fn invoice(&mut self, target: usize, amount: Amount) -> SecretHash {
        let secret = Secret(self.dice.bytes());
        let secret_hash = secret.hash();
        self.cheat.knows(target, &secret);
        let invoice = Invoice {
            chain_id: CHAIN_ID,
            contract: self.blocks.network,
            token: self.blocks.token,
            target: self.nodes[target].account(),
            amount: Some(amount),
            secret_hash,
            encryption_key: EncryptionKey([1; 32]),
            issued: Timestamp(self.now),
            expires: Timestamp(self.now + 1_000),
            description: String::new(),
            signature: Signature([0; 65]),
        };
        let invoice = invoice.sign(&self.nodes[target].key);
        let kept = self.dice.once_in(4);
        if kept {
            self.plan.held.push((target, secret.clone()));
        }
        let secret = (!kept).then_some(secret);
        self.command(target, Command::AddInvoice { invoice, secret });
        secret_hash
    }

    fn end_held(&mut self) {
        if self.plan.held.is_empty() {
            return;
        }
        let place = self.dice.index(self.plan.held.len());
        let (who, secret) = self.plan.held.swap_remove(place);
        let command = if self.dice.once_in(2) {
            Command::ReleaseInvoice(secret)
        } else {
            Command::CancelInvoice(secret.hash())
        };
        self.command(who, command);
    }

    /// All owners who keep secrets say what becomes of what they hold.
    pub(super) fn end_all_held(&mut self) {
        while !self.plan.held.is_empty() {
            self.end_held();
        }
    }
}

fn attempt(
    payment: PaymentId,
    amount: Amount,
    secret: Option<Secret>,
    secret_hash: SecretHash,
) -> Attempt {
    let sealed = ForTarget { payment, amount, secret: secret.clone(), note: Vec::new() };
    Attempt { secret, secret_hash, sealed: sealed.to_bytes() }
}
