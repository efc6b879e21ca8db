//! A signature of one claim is worth nothing as another one: for each pair of kinds, in both
//! directions, and over lives, channels, chains and contracts.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use alloy_primitives::{U256, keccak256};
use photon_wire::claim::{
    BalanceProof, Claim, CooperativeSettle, Delegation, DepositAuthorization, Disposal, Domain,
    OpenAuthorization, TransportKey, Withdraw,
};
use photon_wire::{
    Address, Amount, B256, ChannelKey, Digest, Epoch, LockHash, Locksroot, Nonce, Seconds,
    SigningKey, Timestamp, Token, Verifier,
};
use std::collections::BTreeMap;

/// Numbers that follow from a seed.
struct Dice {
    seed: u64,
    thrown: u64,
}

impl Dice {
    /// `PHOTON_SEED` throws the same again.
    fn new() -> Self {
        let given = std::env::var("PHOTON_SEED").ok();
        let drawn = || {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
            u64::try_from(now.as_nanos() & u128::from(u64::MAX)).unwrap()
        };
        let seed = given.map_or_else(drawn, |seed| seed.parse().unwrap());
        println!("replay: PHOTON_SEED={seed} cargo nextest run -p photon-wire --test claims");
        Self { seed, thrown: 0 }
    }

    fn word(&mut self) -> B256 {
        self.thrown += 1;
        keccak256([self.seed.to_be_bytes(), self.thrown.to_be_bytes()].concat())
    }

    fn number(&mut self) -> u64 {
        u64::from_be_bytes(self.word()[..8].try_into().unwrap())
    }
}

/// What all claims of one round are made of, so that they are as alike as their types allow.
#[derive(Clone, Copy)]
struct Facts {
    token: Address,
    one: Address,
    other: Address,
    epoch: u32,
    number: u64,
    amount: u128,
    word: B256,
}

impl Facts {
    const ZERO: Self = Self {
        token: Address::ZERO,
        one: Address::ZERO,
        other: Address::with_last_byte(1),
        epoch: 0,
        number: 0,
        amount: 0,
        word: B256::ZERO,
    };

    fn thrown(dice: &mut Dice) -> Self {
        // Small numbers and equal words are where two encodings would meet.
        let small = dice.number() & 1 == 0;
        let number = if small { dice.number() & 7 } else { dice.number() };
        Self {
            token: Address::from_word(dice.word()),
            one: Address::from_word(dice.word()),
            other: Address::from_word(dice.word()),
            epoch: u32::try_from(number & 0xffff).unwrap(),
            number,
            amount: if small { number.into() } else { u128::from(dice.number()) << 50 },
            word: if small { B256::from(U256::from(number)) } else { dice.word() },
        }
    }

    fn key(&self) -> ChannelKey {
        ChannelKey::new(Token(self.token), self.one, self.other).unwrap()
    }

    fn claims(&self) -> Vec<(&'static str, Box<dyn Claim>)> {
        let (key, channel, epoch) = (self.key(), self.key().id(), Epoch(self.epoch));
        let (amount, valid_until) = (Amount(self.amount), Timestamp(self.number));
        let nonce = U256::from(self.number);
        let proof = BalanceProof {
            channel,
            epoch,
            payer: self.one,
            nonce: Nonce(self.number),
            transferred: amount,
            locksroot: Locksroot(self.word),
        };
        let (participant, partner) = (self.one, self.other);
        vec![
            ("BalanceProof", Box::new(proof)),
            ("Delegation", Box::new(Delegation { proof, delegate: self.other })),
            (
                "CooperativeSettle",
                Box::new(CooperativeSettle {
                    channel,
                    epoch,
                    transferred_low: amount,
                    transferred_high: amount,
                    valid_until,
                }),
            ),
            (
                "Withdraw",
                Box::new(Withdraw { channel, epoch, participant, withdrawn: amount, valid_until }),
            ),
            (
                "Disposal",
                Box::new(Disposal {
                    channel,
                    epoch,
                    payer: self.one,
                    locks: vec![LockHash(self.word)],
                }),
            ),
            (
                "OpenAuthorization",
                Box::new(OpenAuthorization {
                    token: Token(self.token),
                    participant,
                    partner,
                    settle_timeout: Seconds(self.number),
                    amount,
                    nonce,
                    valid_until,
                }),
            ),
            (
                "DepositAuthorization",
                Box::new(DepositAuthorization {
                    key,
                    epoch,
                    participant,
                    amount,
                    nonce,
                    valid_until,
                }),
            ),
            (
                "TransportKey",
                Box::new(TransportKey {
                    account: self.one,
                    transport_key: self.word.0,
                    valid_until,
                }),
            ),
        ]
    }

    /// Everything that could be signed around these facts: each kind, here and in another life,
    /// another channel, on another chain and by another contract.
    fn statements(&self) -> Vec<(String, Digest)> {
        let here = Domain::new(1, self.token);
        let elsewhere = [
            ("here", *self, here),
            ("next life", Self { epoch: self.epoch + 1, ..*self }, here),
            ("other token", Self { token: self.other, ..*self }, here),
            ("other chain", *self, Domain::new(2, self.token)),
            ("other contract", *self, Domain::new(1, self.other)),
        ];
        let statements = elsewhere.iter().flat_map(|(place, facts, domain)| {
            let claims = facts.claims().into_iter();
            claims.map(move |(kind, claim)| (format!("{kind}, {place}"), claim.digest(domain)))
        });
        // What does not name life or channel is the same in each of them.
        let mut unique = BTreeMap::new();
        let kind = |name: &str| name.split(',').next().unwrap().to_owned();
        statements.for_each(|(name, digest)| {
            let first = unique.entry(digest).or_insert_with(|| name.clone());
            assert_eq!(kind(first), kind(&name), "one digest for two kinds");
        });
        unique.into_iter().map(|(digest, name)| (name, digest)).collect()
    }
}

/// Signs each statement and shows the signature as every other one.
fn check_all_pairs(facts: &Facts, key: &SigningKey, verifier: &Verifier) -> usize {
    let statements = facts.statements();
    let mut pairs = 0;
    for (signed, digest) in &statements {
        let signature = key.sign(*digest);
        assert_eq!(verifier.signer(*digest, &signature), Ok(key.address()));
        for (shown, other) in statements.iter().filter(|(_, other)| other != digest) {
            let signer = verifier.signer(*other, &signature);
            assert_ne!(signer, Ok(key.address()), "{signed} as {shown}");
            pairs += 1;
        }
    }
    pairs
}

#[test]
fn no_signature_of_one_claim_verifies_as_another() {
    let key = SigningKey::from_bytes(&[7; 32]).unwrap();
    let names: Vec<String> = Facts::ZERO.statements().into_iter().map(|(name, _)| name).collect();
    for kind in Facts::ZERO.claims().iter().map(|(kind, _)| *kind) {
        for place in ["here", "other chain", "other contract"] {
            assert!(names.contains(&format!("{kind}, {place}")), "{kind}, {place}: {names:?}");
        }
    }
    // Two kinds know no life, and one no channel.
    assert_eq!(names.len(), 8 * 5 - 3);
    let pairs = check_all_pairs(&Facts::ZERO, &key, &Verifier::new());
    assert_eq!(pairs, 37 * 36);
}

#[test]
fn no_thrown_signature_of_one_claim_verifies_as_another() {
    let (mut dice, verifier) = (Dice::new(), Verifier::new());
    for _ in 0..12 {
        let key = SigningKey::from_bytes(&dice.word().0).unwrap();
        check_all_pairs(&Facts::thrown(&mut dice), &key, &verifier);
    }
}
