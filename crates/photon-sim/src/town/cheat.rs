//! One who cheats on the chain: he closes with an old proof of his partner, and claims locks that
//! he had given up, with every secret that he knows. Off the chain he is like everybody.

use std::collections::BTreeMap;

use photon_core::channel::settlement::Direction;
use photon_core::{Intent, IntentId};
use photon_wire::codec::Decode as _;
use photon_wire::contract::{Balance, Call, LockClaim, SignedBalance};
use photon_wire::lock::Lock;
use photon_wire::message::{Message, Operation, Update};
use photon_wire::registry::RegistryTree;
use photon_wire::{Address, Amount, Secret, SecretHash, Slot, Token};

use super::Town;
use super::blocks::{NOBODY, Sent};

/// What the cheater knows and does.
#[derive(Default)]
pub(super) struct Cheat {
    /// Who it is.
    pub who: Option<usize>,
    secrets: BTreeMap<SecretHash, Secret>,
    claims: Vec<OldProof>,
    sent: u64,
}

/// An old proof that he has closed with.
struct OldProof {
    token: Token,
    partner: Address,
    update: Update,
    locks: Vec<(Slot, Lock)>,
    direction: Direction,
    /// What he has registered to claim them.
    registered: BTreeMap<SecretHash, Secret>,
    /// How often he tried since.
    tries: u8,
}

impl Cheat {
    /// One who cheats, or nobody.
    pub(super) fn of(who: Option<usize>) -> Self {
        Self { who, ..Self::default() }
    }

    /// A secret of his own.
    pub(super) fn knows(&mut self, who: usize, secret: &Secret) {
        if self.who == Some(who) {
            self.secrets.insert(secret.hash(), secret.clone());
        }
    }

    /// Something that he is told.
    pub(super) fn hears(&mut self, to: usize, frame: &[u8]) {
        let Ok(message) = Message::from_bytes(frame) else { return };
        if let Message::Reveal(secrets) = &message {
            secrets.iter().for_each(|secret| self.knows(to, secret));
        } else if let Message::Update(update) = &message {
            for operation in &update.operations {
                if let Operation::Unlock { secret, .. } = operation {
                    self.knows(to, secret);
                }
            }
        }
    }
}

impl Town {
    /// What the cheater makes of a transaction that his node wants.
    pub(super) fn bend(&mut self, who: usize, intent: &mut Intent) {
        if self.cheat.who != Some(who) {
            return;
        }
        let Call::Close { token, partner, proof, declared } = &mut intent.call else { return };
        let Some(latest) = proof.map(|proof| proof.nonce.0) else { return };
        let us = self.nodes[who].account();
        let key = photon_wire::ChannelKey::new(*token, us, *partner);
        let Some(channel) = key.map(|key| key.id()) else { return };
        let views = self.nodes[who].machine().channels();
        let Some(epoch) = views.iter().find(|view| view.id == channel).map(|view| view.epoch)
        else {
            return;
        };
        // Best is one with locks.
        let updates: Vec<Update> = (1..=latest)
            .map_while(|nonce| self.witness.update((*partner, channel, epoch), nonce))
            .collect();
        let Some(old) = self.choose(&updates) else { return };
        *proof = Some(SignedBalance {
            nonce: old.update.nonce,
            transferred: old.update.transferred,
            locksroot: old.update.locksroot,
            signature: old.update.signature,
        });
        *declared = Amount::ZERO;
        self.report.cheats += 1;
        self.cheat.claims.push(OldProof { token: *token, partner: *partner, ..old });
    }

    /// An old proof, with locks if there is one such.
    fn choose(&mut self, updates: &[Update]) -> Option<OldProof> {
        let mut direction = Direction::default();
        let mut all = Vec::new();
        for update in updates {
            for operation in &update.operations {
                direction.apply(operation).ok()?;
            }
            let locks: Vec<_> = direction.locks().map(|(slot, row)| (slot, row.lock)).collect();
            all.push((update.clone(), locks, direction.clone()));
        }
        let with_locks = |it: &&(Update, Vec<(Slot, Lock)>, Direction)| !it.1.is_empty();
        let claimable: Vec<_> = all.iter().filter(with_locks).collect();
        let chosen = match self.dice.pick(&claimable) {
            Some(chosen) => (*chosen).clone(),
            None => self.dice.pick(&all)?.clone(),
        };
        let (update, locks, direction) = chosen;
        let nobody = Address::ZERO;
        let (token, partner) = (Token(nobody), nobody);
        let (registered, tries) = (BTreeMap::new(), 0);
        Some(OldProof { token, partner, update, locks, direction, registered, tries })
    }

    /// With each block: first all secrets are registered, then the locks are claimed.
    pub(super) fn cheat_on_chain(&mut self) {
        let Some(who) = self.cheat.who else { return };
        let mut calls = Vec::new();
        for old in &mut self.cheat.claims {
            if old.registered.is_empty() {
                for (_, lock) in &old.locks {
                    if let Some(secret) = self.cheat.secrets.get(&lock.secret_hash) {
                        old.registered.insert(lock.secret_hash, secret.clone());
                    }
                }
                if !old.registered.is_empty() {
                    let secrets = old.registered.values().cloned().collect();
                    calls.push(Call::RegisterSecrets(secrets));
                }
            } else if old.tries < 6 {
                old.tries += 1;
                calls.extend(old.unlock());
            }
        }
        for call in calls {
            self.cheat.sent += 1;
            let id = IntentId(self.cheat.sent);
            let intent = Intent { id, call, deadline: None };
            let from = self.nodes[who].account();
            self.blocks.push(Sent { who: NOBODY, from, intent });
        }
    }
}

impl OldProof {
    fn unlock(&mut self) -> Option<Call> {
        let known = &self.registered;
        let tree = RegistryTree::new(known.keys().copied())?;
        let mut claims = Vec::new();
        for (slot, lock) in &self.locks {
            let Some(place) = known.keys().position(|hash| *hash == lock.secret_hash) else {
                continue;
            };
            let index = u8::try_from(place).ok()?;
            let path = tree.path(index)?;
            claims.push(LockClaim { slot: *slot, lock: *lock, index, path });
        }
        let slots: Vec<Slot> = claims.iter().map(|claim| claim.slot).collect();
        let balance = Balance {
            transferred: self.update.transferred,
            locksroot: self.update.locksroot,
            declared: Amount::ZERO,
        };
        let (token, partner) = (self.token, self.partner);
        let multiproof = self.direction.multiproof(&slots);
        Some(Call::Unlock { token, partner, balance, locks: claims, multiproof, delegated: None })
    }
}
