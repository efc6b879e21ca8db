//! Random lock trees with random multiproofs, right and wrong, and random registrations, against
//! the contract's own `unlock`.

use std::collections::BTreeMap;

use alloy::primitives::{B256, Bytes, U256};
use photon_wire::claim::{BalanceProof, Claim as _};
use photon_wire::contract::LockClaim;
use photon_wire::lock::Lock;
use photon_wire::registry::{RegistryTree, registrations};
use photon_wire::tree::root_of;
use photon_wire::{
    Amount, ChannelKey, Epoch, LockNumber, Locksroot, Nonce, Secret, SecretHash, Slot, Timestamp,
    Token,
};
use revm::primitives::hardfork::SpecId;

use super::ledger::tree_of;
use super::stage::{START, Stage};
use crate::call::Call;
use crate::chain::{Called, State};
use crate::contract::{IPhotonNetwork, PhotonNetwork};
use crate::dice::Dice;
use crate::model::{Manner, Model};

/// What was tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tried {
    /// Trees of locks.
    pub trees: u64,
    /// Multiproofs that the contract took.
    pub taken: u64,
    /// Multiproofs, or registrations, that it refused.
    pub refused: u64,
    /// Locks unlocked.
    pub locks: u64,
}

/// One tree, and what was registered of its secrets.
struct Grove {
    locks: Vec<(Slot, Lock)>,
    batches: Vec<(RegistryTree, Vec<SecretHash>)>,
}

/// Tries as many random trees, each with some multiproofs that are right and some that are wrong in
/// one place. The contract must say of each what `photon_wire::tree` says of it.
///
/// # Errors
/// The first tree of which they say different things, by its seed.
pub fn trees(seed: u64, count: u64) -> Result<Tried, String> {
    let mut stage = Stage::new(SpecId::MERGE);
    let mut tried = Tried::default();
    let mut model = stage.begin(Manner::Plain, None);
    let open = PhotonNetwork::openCall {
        token: model.token,
        partner: stage.people[1].account,
        settleTimeout: 1_000,
        amount: 1,
    };
    both(&mut stage, &mut model, 0, &Call::Open(open))?;
    let state = stage.chain.state();
    let channel = model.clone();
    for index in 0..count {
        let seed = seed.wrapping_add(index);
        let mut model = channel.clone();
        one(&mut stage, &mut model, &state, seed, &mut tried)
            .map_err(|why| format!("tree {seed}: {why}"))?;
        tried.trees += 1;
    }
    Ok(tried)
}

/// The same call on both; what they must agree on is whether it is refused, and with what.
fn both(stage: &mut Stage, model: &mut Model, sender: usize, call: &Call) -> Result<bool, String> {
    let sender = stage.people[sender].account;
    let expected = model.apply(sender, call, START);
    match (expected, stage.chain.call(sender, model.network, call.encode())) {
        (Ok(()), Called::Done { .. }) => Ok(true),
        (Err(expected), Called::Refused(got)) if expected.0 == got => Ok(false),
        (expected, got) => {
            Err(format!("{}: the contract {got:?}, the model {expected:?}", call.kind()))
        }
    }
}

fn one(
    stage: &mut Stage,
    model: &mut Model,
    state: &State,
    seed: u64,
    tried: &mut Tried,
) -> Result<(), String> {
    stage.chain.set_state(state.clone());
    let mut dice = Dice::new(seed);
    let grove = Grove::grow(&mut dice);
    let root = tree_of(&grove.locks).root();
    let close = grove.close(stage, model, root);
    demand(both(stage, model, 1, &close)?, "the close")?;
    for (_, secrets) in &grove.batches {
        // The secrets are their own numbers, see `grow`.
        let secrets = secrets.iter().map(|hash| grove.secret(*hash)).collect();
        let call = Call::RegisterSecrets(PhotonNetwork::registerSecretsCall { secrets });
        demand(both(stage, model, 2, &call)?, "the registration")?;
    }
    let closed = (stage.chain.state(), model.clone());
    for _ in 0..3 {
        stage.chain.set_state(closed.0.clone());
        *model = closed.1.clone();
        let chosen = grove.choose(&mut dice);
        let right = grove.unlock(stage, model, root, &chosen);
        agree_with_wire(&right, root, true)?;
        let wrong = spoiled(&right, &mut dice);
        let taken = both(stage, model, 1, &Call::Unlock(wrong.clone()))?;
        agree_with_wire(&wrong, root, taken)?;
        tried.refused += u64::from(!taken);
        demand(both(stage, model, 1, &Call::Unlock(right.clone()))?, "the right multiproof")?;
        tried.taken += 1;
        tried.locks += u64::try_from(right.locks.len()).unwrap_or(0);
    }
    Ok(())
}

fn demand(done: bool, what: &str) -> Result<(), String> {
    if done { Ok(()) } else { Err(format!("{what} is refused")) }
}

/// Where wire knows no way to the root, the contract must not have found one. (It refuses for other
/// reasons as well: an unregistered secret, a wrong order.)
fn agree_with_wire(
    call: &PhotonNetwork::unlockCall,
    root: Locksroot,
    taken: bool,
) -> Result<(), String> {
    let leaves: Vec<_> = call.locks.iter().map(|lock| (Slot(lock.slot), of(lock).hash())).collect();
    let leads = root_of(&leaves, &call.siblings) == Some(root);
    if taken && !leads {
        return Err("the contract takes a multiproof that leads elsewhere".into());
    }
    Ok(())
}

fn of(lock: &IPhotonNetwork::Lock) -> Lock {
    Lock {
        number: LockNumber(lock.number),
        amount: Amount(lock.amount),
        expiration: Timestamp(lock.expiration),
        secret_hash: SecretHash(lock.secretHash),
    }
}

impl Grove {
    /// Up to 40 locks, sparse or dense; some share secrets.
    fn grow(dice: &mut Dice) -> Self {
        let count = 1 + dice.index(40);
        let spread = dice.pick(&[8, 64, 4096]).copied().unwrap_or(64);
        let mut locks = BTreeMap::new();
        let mut hashes = Vec::new();
        for number in 0..count {
            let secret_hash = match dice.pick(&hashes).copied() {
                Some(known) if dice.once_in(8) => known,
                _ => {
                    let secret = secret_of(u64::try_from(number).unwrap_or(0));
                    hashes.push(secret.hash());
                    secret.hash()
                }
            };
            let lock = Lock {
                number: LockNumber(dice.next()),
                amount: Amount(dice.up_to(1 << 100)),
                expiration: Timestamp(START + dice.below(3)),
                secret_hash,
            };
            locks.insert(Slot(u16::try_from(dice.below(spread)).unwrap_or(0)), lock);
        }
        let mut batches = Vec::new();
        let mut rest = hashes.as_slice();
        while !rest.is_empty() {
            let size = (1 + dice.index(rest.len())).min(rest.len());
            let (some, others) = rest.split_at(size);
            let tree = RegistryTree::new(some.iter().copied()).expect("1 to 40 secrets");
            batches.push((tree, some.to_vec()));
            rest = others;
        }
        Self { locks: locks.into_iter().collect(), batches }
    }

    /// The secret with this hash, which is one of the numbered ones.
    fn secret(&self, hash: SecretHash) -> B256 {
        let found = (0..64).map(secret_of).find(|secret| secret.hash() == hash);
        B256::new(found.map(|secret| secret.0).unwrap_or_default())
    }

    /// Some of the locks, at least one, by slot.
    fn choose(&self, dice: &mut Dice) -> Vec<(Slot, Lock)> {
        let times = 1 + dice.below(4);
        let mut some: Vec<_> = self.locks.iter().filter(|_| dice.once_in(times)).copied().collect();
        if some.is_empty() {
            some.extend(dice.pick(&self.locks).copied());
        }
        some
    }

    fn close(&self, stage: &Stage, model: &Model, root: Locksroot) -> Call {
        let [alice, bob] = [&stage.people[0], &stage.people[1]];
        let key = ChannelKey::new(Token(model.token), alice.account, bob.account);
        let proof = BalanceProof {
            channel: key.map(|key| key.id()).unwrap_or_default(),
            epoch: Epoch(1),
            payer: alice.account,
            nonce: Nonce(1),
            transferred: Amount(7),
            locksroot: root,
        };
        let proof = IPhotonNetwork::BalanceProof {
            nonce: 1,
            transferred: 7,
            locksroot: root.0,
            signature: alice.key.sign(proof.digest(&stage.domain)).0.into(),
        };
        let (token, partner) = (model.token, alice.account);
        Call::Close(PhotonNetwork::closeCall { token, partner, proof, declared: 0 })
    }

    fn unlock(
        &self,
        stage: &Stage,
        model: &Model,
        root: Locksroot,
        chosen: &[(Slot, Lock)],
    ) -> PhotonNetwork::unlockCall {
        let claims: Vec<LockClaim> = chosen.iter().filter_map(|it| self.evidence(it)).collect();
        let slots: Vec<Slot> = claims.iter().map(|claim| claim.slot).collect();
        let shown = registrations(&claims);
        PhotonNetwork::unlockCall {
            token: model.token,
            payer: stage.people[0].account,
            payee: stage.people[1].account,
            balance: IPhotonNetwork::Balance { transferred: 7, locksroot: root.0, declared: 0 },
            locks: claims
                .iter()
                .map(|claim| IPhotonNetwork::Lock {
                    slot: claim.slot.0,
                    number: claim.lock.number.0,
                    amount: claim.lock.amount.0,
                    expiration: claim.lock.expiration.0,
                    secretHash: claim.lock.secret_hash.0,
                })
                .collect(),
            siblings: tree_of(&self.locks).multiproof(&slots),
            registrations: shown
                .iter()
                .map(|shown| IPhotonNetwork::Registration {
                    depth: shown.depth,
                    members: shown.member_bytes().into(),
                    siblings: shown.siblings.clone(),
                })
                .collect(),
            delegation: Bytes::new(),
        }
    }

    fn evidence(&self, (slot, lock): &(Slot, Lock)) -> Option<LockClaim> {
        self.batches.iter().find_map(|(tree, hashes)| {
            let place = hashes.iter().position(|hash| *hash == lock.secret_hash)?;
            let index = u8::try_from(place).ok()?;
            Some(LockClaim { slot: *slot, lock: *lock, index, path: tree.path(index)? })
        })
    }
}

fn secret_of(number: u64) -> Secret {
    Secret(U256::from(number + 1).to_be_bytes())
}

/// The call, wrong in one place.
fn spoiled(right: &PhotonNetwork::unlockCall, dice: &mut Dice) -> PhotonNetwork::unlockCall {
    let mut call = right.clone();
    let lock = dice.index(call.locks.len());
    let sibling = dice.index(call.siblings.len());
    let shown = dice.index(call.registrations.len());
    match dice.below(10) {
        0 => drop(call.siblings.pop()),
        1 => call.siblings.push(B256::ZERO),
        2 => call.siblings.reverse(),
        3 => call.siblings.iter_mut().skip(sibling).take(1).for_each(|node| node.0[31] ^= 1),
        4 => call.locks[lock].slot ^= 1,
        5 => call.locks[lock].amount += 1,
        6 => call.locks.reverse(),
        7 => drop(call.locks.remove(lock)),
        8 => call.registrations[shown].siblings.push(B256::ZERO),
        _ => call.registrations[shown].depth ^= 1,
    }
    call
}
