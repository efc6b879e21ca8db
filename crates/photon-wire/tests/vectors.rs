//! What the contract's own tests computed, computed here.
//!
//! Source: `contracts/test/Vectors.t.sol`, which writes `vectors/claims.json`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use alloy_primitives::U256;
use photon_wire::claim::{
    BalanceProof, Claim, CooperativeSettle, Delegation, DepositAuthorization, Disposal, Domain,
    OpenAuthorization, Withdraw,
};
use photon_wire::contract::LockClaim;
use photon_wire::lock::Lock;
use photon_wire::registry::{RegistryTree, leaf, registrations, root_of};
use photon_wire::tree::{self, LockTree};
use photon_wire::{
    Address, Amount, B256, ChannelId, ChannelKey, Epoch, LockHash, LockNumber, Locksroot, Nonce,
    Seconds, Secret, SecretHash, Signature, SigningKey, Slot, Timestamp, Token, Verifier,
};
use serde_json::Value;
use std::str::FromStr;

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/claims.json")).unwrap()
}

/// A number, a string of digits, or a hexadecimal string.
fn read<T: FromStr<Err: std::fmt::Debug>>(value: &Value) -> T {
    value.as_str().map_or_else(|| value.to_string().parse(), str::parse).unwrap()
}

fn each<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value[name].as_array().unwrap().iter()
}

fn list<T: FromStr<Err: std::fmt::Debug>>(value: &Value, name: &str) -> Vec<T> {
    each(value, name).map(read).collect()
}

fn domain(vectors: &Value) -> Domain {
    let domain = &vectors["domain"];
    Domain::new(read(&domain["chainId"]), read(&domain["verifyingContract"]))
}

fn proof(fields: &Value) -> BalanceProof {
    BalanceProof {
        channel: ChannelId(read(&fields["channelId"])),
        epoch: Epoch(read(&fields["epoch"])),
        payer: read(&fields["payer"]),
        nonce: Nonce(read(&fields["nonce"])),
        transferred: Amount(read(&fields["transferred"])),
        locksroot: Locksroot(read(&fields["locksroot"])),
    }
}

/// The channel that every claim of the vectors names.
fn key(vectors: &Value) -> ChannelKey {
    let channel = &vectors["channel"];
    let (low, high) = (read(&channel["low"]), read(&channel["high"]));
    ChannelKey::new(Token(read(&channel["token"])), high, low).unwrap()
}

fn claim(kind: &str, fields: &Value, key: ChannelKey) -> Box<dyn Claim> {
    let amount = |name: &str| Amount(read(&fields[name]));
    let address = |name: &str| -> Address { read(&fields[name]) };
    let channel = || ChannelId(read(&fields["channelId"]));
    let epoch = || Epoch(read(&fields["epoch"]));
    let valid_until = || Timestamp(read(&fields["validUntil"]));
    match kind {
        "BalanceProof" => Box::new(proof(fields)),
        "Delegation" => {
            Box::new(Delegation { proof: proof(fields), delegate: address("delegate") })
        }
        "CooperativeSettle" => Box::new(CooperativeSettle {
            channel: channel(),
            epoch: epoch(),
            transferred_low: amount("transferredLow"),
            transferred_high: amount("transferredHigh"),
            valid_until: valid_until(),
        }),
        "Withdraw" => Box::new(Withdraw {
            channel: channel(),
            epoch: epoch(),
            participant: address("participant"),
            withdrawn: amount("withdrawn"),
            valid_until: valid_until(),
        }),
        "Disposal" => Box::new(Disposal {
            channel: channel(),
            epoch: epoch(),
            payer: address("payer"),
            locks: list(fields, "locks").into_iter().map(LockHash).collect(),
        }),
        "OpenAuthorization" => Box::new(OpenAuthorization {
            token: Token(address("token")),
            participant: address("participant"),
            partner: address("partner"),
            settle_timeout: Seconds(read(&fields["settleTimeout"])),
            amount: amount("amount"),
            nonce: read::<U256>(&fields["nonce"]),
            valid_until: valid_until(),
        }),
        "DepositAuthorization" => Box::new(DepositAuthorization {
            key,
            epoch: epoch(),
            participant: address("participant"),
            amount: amount("amount"),
            nonce: read::<U256>(&fields["nonce"]),
            valid_until: valid_until(),
        }),
        other => panic!("no such claim: {other}"),
    }
}

fn signature(value: &Value) -> Signature {
    let (r, s): (B256, B256) = (read(&value["r"]), read(&value["s"]));
    let v: u8 = read(&value["v"]);
    Signature([r.as_slice(), s.as_slice(), &[v]].concat().try_into().unwrap())
}

#[test]
fn the_domain_and_the_channel_are_those_of_the_contract() {
    let vectors = vectors();
    assert_eq!(domain(&vectors).separator(), read::<B256>(&vectors["domain"]["separator"]));
    let channel = &vectors["channel"];
    let key = key(&vectors);
    assert_eq!((key.low(), key.high()), (read(&channel["low"]), read(&channel["high"])));
    assert_eq!(key.id().0, read::<B256>(&channel["channelId"]));
}

#[test]
fn every_claim_has_the_hash_digest_and_signature_of_the_contract() {
    let vectors = vectors();
    let domain = domain(&vectors);
    let keys: Vec<SigningKey> = each(&vectors, "keys")
        .map(|key| {
            let signing = SigningKey::from_bytes(&read::<B256>(&key["privateKey"]).0).unwrap();
            assert_eq!(signing.address(), read::<Address>(&key["address"]));
            signing
        })
        .collect();
    let mut kinds: Vec<&str> = Vec::new();
    for vector in each(&vectors, "claims") {
        let kind = vector["type"].as_str().unwrap();
        let claim = claim(kind, &vector["fields"], key(&vectors));
        assert_eq!(claim.struct_hash(), read::<B256>(&vector["structHash"]), "{kind}");
        let digest = claim.digest(&domain);
        assert_eq!(digest.0, read::<B256>(&vector["digest"]), "{kind}");
        let signer: Address = read(&vector["signer"]);
        let signature = signature(&vector["signature"]);
        assert_eq!(Verifier::new().signer(digest, &signature), Ok(signer), "{kind}");
        let key = keys.iter().find(|key| key.address() == signer).unwrap();
        assert_eq!(key.sign(digest), signature, "{kind}");
        kinds.push(kind);
    }
    kinds.dedup();
    let all: Vec<&String> = vectors["typeHashes"].as_object().unwrap().keys().collect();
    assert!(all.iter().all(|kind| kinds.contains(&kind.as_str())), "{all:?}, only {kinds:?}");
}

#[test]
fn lock_trees_have_the_leaves_roots_and_multiproofs_of_the_contract() {
    for vector in each(&vectors(), "lockTrees") {
        let mut tree = LockTree::default();
        let mut leaves = Vec::new();
        for place in each(vector, "locks") {
            let lock = Lock {
                number: LockNumber(read(&place["number"])),
                amount: Amount(read(&place["amount"])),
                expiration: Timestamp(read(&place["expiration"])),
                secret_hash: SecretHash(read(&place["secretHash"])),
            };
            assert_eq!(lock.hash().0, read::<B256>(&place["leaf"]));
            let slot = Slot(read(&place["slot"]));
            tree.set(slot, Some(lock.hash()));
            leaves.push((slot, lock.hash()));
        }
        let root = Locksroot(read(&vector["root"]));
        assert_eq!(tree.root(), root);
        for vector in each(vector, "multiproofs") {
            let slots: Vec<Slot> = list(vector, "slots").into_iter().map(Slot).collect();
            let siblings: Vec<B256> = list(vector, "siblings");
            assert_eq!(tree.multiproof(&slots), siblings);
            let shown: Vec<_> =
                leaves.iter().copied().filter(|(slot, _)| slots.contains(slot)).collect();
            assert_eq!(tree::root_of(&shown, &siblings), Some(root));
        }
    }
}

#[test]
fn registrations_have_the_roots_and_multiproofs_of_the_contract() {
    let vectors = vectors();
    let secrets: Vec<SecretHash> =
        list::<B256>(&vectors, "secrets").iter().map(|secret| Secret(secret.0).hash()).collect();
    for vector in each(&vectors, "registrations") {
        let registered = &secrets[..read::<usize>(&vector["count"])];
        let tree = RegistryTree::new(registered.iter().copied()).unwrap();
        let root: B256 = read(&vector["root"]);
        assert_eq!(tree.root(), root);
        if let [only] = registered {
            assert_eq!(leaf(*only), root);
        }
        for vector in each(vector, "multiproofs") {
            let claims: Vec<LockClaim> = list(vector, "indices")
                .into_iter()
                .map(|index| shown(&tree, registered, index))
                .collect();
            for claim in &claims {
                assert_eq!(root_of(claim.lock.secret_hash, claim.index, &claim.path), root);
            }
            let [all] = registrations(&claims).try_into().unwrap();
            assert_eq!(all.siblings, list::<B256>(vector, "siblings"));
            assert_eq!(all.members.len(), claims.len());
        }
        let depth = tree.path(0).unwrap().len();
        assert_eq!(depth, read::<usize>(&vector["depth"]));
    }
}

/// A lock that the secret with this index opens.
fn shown(tree: &RegistryTree, secrets: &[SecretHash], index: u8) -> LockClaim {
    let lock = Lock {
        number: LockNumber(index.into()),
        amount: Amount(1),
        expiration: Timestamp(1),
        secret_hash: secrets[usize::from(index)],
    };
    LockClaim { slot: Slot(index.into()), lock, index, path: tree.path(index).unwrap() }
}
