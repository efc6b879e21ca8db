//! The bytes of every call, as rows hold it. `PHOTON_GOLDEN=write` writes `golden/calls.txt` anew;
//! `golden/calls-1.txt` is what the first version wrote, and never changes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use alloy_primitives::{U256, hex};
use photon_wire::claim::{DepositAuthorization, OpenAuthorization};
use photon_wire::codec::{Decode, DecodeError, Encode};
use photon_wire::contract::{
    Balance, Call, Delegated, LockClaim, Means, Permit, Settlement, SignedBalance, SignedDisposal,
    Way,
};
use photon_wire::lock::Lock;
use photon_wire::{
    Address, Amount, B256, ChannelKey, Epoch, LockHash, LockNumber, Locksroot, Nonce, Seconds,
    Secret, SecretHash, Signature, Slot, Timestamp, Token,
};
use std::fmt::Write as _;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/calls.txt");
const FIRST_VERSION: &str = include_str!("golden/calls-1.txt");

fn token() -> Token {
    Token(Address::repeat_byte(0x11))
}

fn partner() -> Address {
    Address::repeat_byte(0x22)
}

fn key() -> ChannelKey {
    ChannelKey::new(token(), partner(), Address::repeat_byte(0x33)).unwrap()
}

fn hash(byte: u8) -> B256 {
    B256::repeat_byte(byte)
}

fn balance() -> Balance {
    Balance { transferred: Amount(0x0b), locksroot: Locksroot(hash(0x0c)), declared: Amount(0x0d) }
}

fn lock() -> Lock {
    Lock {
        number: LockNumber(0x0e),
        amount: Amount(0x0f),
        expiration: Timestamp(0x10),
        secret_hash: SecretHash(hash(0x12)),
    }
}

/// Every call that the first version had, with what came later left out.
fn first_calls() -> Vec<(&'static str, Call)> {
    let (token, partner, key, balance) = (token(), partner(), key(), balance());
    let proof = SignedBalance {
        nonce: Nonce(7),
        transferred: Amount(8),
        locksroot: Locksroot(hash(9)),
        signature: Signature([0x0a; 65]),
    };
    let path = vec![hash(0x15)];
    let locks = vec![LockClaim { slot: Slot(0x13), lock: lock(), index: 0x14, path }];
    let (settle_timeout, amount, declared) = (Seconds(3), Amount(4), Amount::ZERO);
    let deposited = Amount(6);
    let multiproof = vec![hash(0x16)];
    vec![
        ("register_secrets", Call::RegisterSecrets(vec![Secret([1; 32]), Secret([2; 32])])),
        ("open", Call::Open { token, partner, settle_timeout, amount, way: None }),
        (
            "deposit",
            Call::Deposit {
                key,
                epoch: Epoch(5),
                participant: partner,
                amount: deposited,
                way: None,
            },
        ),
        ("close", Call::Close { token, partner, proof: Some(proof), declared }),
        ("close_without_proof", Call::Close { token, partner, proof: None, declared }),
        ("update", Call::Update { token, partner, proof, delegated: None }),
        ("unlock", Call::Unlock { token, partner, balance, locks, multiproof, delegated: None }),
        ("settle", Call::Settle { key, low: balance, high: Balance::default() }),
    ]
}

/// The same with what came later.
fn grown(mut call: Call) -> Option<Call> {
    let by = Delegated { payee: Address::repeat_byte(0x17), signature: Signature([0x18; 65]) };
    if let Call::Open { way, .. } = &mut call {
        *way = Some(Way::Native);
    } else if let Call::Deposit { way, .. } = &mut call {
        *way = Some(Way::Erc677);
    } else if let Call::Close { declared, .. } = &mut call {
        *declared = Amount(0x19);
    } else if let Call::Update { delegated, .. } | Call::Unlock { delegated, .. } = &mut call {
        *delegated = Some(by);
    } else {
        return None;
    }
    Some(call)
}

fn agreed_calls() -> Vec<(&'static str, Call)> {
    let (key, epoch, valid_until) = (key(), Epoch(5), Timestamp(0x20));
    let signature = Some(Signature([0x21; 65]));
    vec![
        (
            "withdraw",
            Call::Withdraw {
                key,
                epoch,
                participant: partner(),
                withdrawn: Amount(0x22),
                valid_until,
                participant_signature: None,
                partner_signature: signature,
            },
        ),
        (
            "cooperative_settle",
            Call::CooperativeSettle {
                key,
                epoch,
                transferred_low: Amount(0x23),
                transferred_high: Amount(0x24),
                valid_until,
                low_signature: signature,
                high_signature: None,
            },
        ),
    ]
}

fn authorized_calls() -> Vec<(&'static str, Call)> {
    let (epoch, valid_until, signature) = (Epoch(5), Timestamp(0x20), Signature([0x21; 65]));
    let nonce = U256::from_be_bytes([0x25; 32]);
    let open = OpenAuthorization {
        token: token(),
        participant: Address::repeat_byte(0x26),
        partner: partner(),
        settle_timeout: Seconds(0x27),
        amount: Amount(0x28),
        nonce,
        valid_until,
    };
    let deposit = DepositAuthorization {
        key: key(),
        epoch,
        participant: partner(),
        amount: Amount(0x29),
        nonce,
        valid_until,
    };
    let permit = Permit { value: U256::from(0x2a), deadline: valid_until, signature };
    let permit2 = Means::Permit2;
    vec![
        (
            "open_authorized",
            Call::OpenAuthorized {
                authorization: open,
                means: Means::Allowance,
                signature,
                permit: Some(permit),
            },
        ),
        (
            "deposit_authorized",
            Call::DepositAuthorized {
                authorization: deposit,
                means: permit2,
                signature,
                permit: None,
            },
        ),
        ("cancel_authorization", Call::CancelAuthorization { nonce }),
    ]
}

fn other_calls() -> Vec<(&'static str, Call)> {
    let (token, balance) = (token(), balance());
    let locks = vec![LockHash(hash(0x2b)), LockHash(hash(0x2c))];
    let disposal = SignedDisposal { locks, index: 1, signature: Signature([0x2d; 65]) };
    let of_partner = Balance::default();
    let settlement = Settlement { partner: partner(), of_participant: balance, of_partner };
    vec![
        (
            "punish",
            Call::Punish {
                token,
                payer: Address::repeat_byte(0x2e),
                payee: partner(),
                balance,
                slot: Slot(0x2f),
                lock: lock(),
                multiproof: vec![hash(0x30); 12],
                disposal,
            },
        ),
        (
            "settle_many",
            Call::SettleMany {
                token,
                participant: Address::repeat_byte(0x31),
                settlements: vec![settlement],
            },
        ),
        ("claim_credit", Call::ClaimCredit { token, recipient: partner() }),
    ]
}

fn all_calls() -> Vec<(String, Call)> {
    let first = first_calls();
    let grown = first.clone().into_iter().filter_map(|(name, call)| Some((name, grown(call)?)));
    let grown = grown.map(|(name, call)| (format!("{name}_grown"), call));
    let others = [agreed_calls(), authorized_calls(), other_calls()].concat();
    let plain = first.into_iter().chain(others).map(|(name, call)| (name.to_owned(), call));
    plain.chain(grown).collect()
}

#[test]
fn every_call_has_the_bytes_that_rows_hold() {
    let mut found = String::new();
    for (name, call) in all_calls() {
        let bytes = call.to_bytes();
        assert_eq!(Call::from_bytes(&bytes), Ok(call), "{name}");
        writeln!(found, "{name} {}", hex::encode(&bytes)).unwrap();
    }
    if std::env::var_os("PHOTON_GOLDEN").is_some() {
        std::fs::write(FILE, &found).unwrap();
    }
    assert_eq!(found, std::fs::read_to_string(FILE).unwrap());
}

#[test]
fn rows_of_the_first_version_are_still_read() {
    let mut lines = FIRST_VERSION.lines();
    for (name, call) in first_calls() {
        let (written, bytes) = lines.next().unwrap().split_once(' ').unwrap();
        assert_eq!(written, name);
        assert_eq!(Call::from_bytes(&hex::decode(bytes).unwrap()), Ok(call), "{name}");
    }
    assert_eq!(lines.next(), None);
}

#[test]
fn no_cut_and_no_flipped_byte_of_a_call_panics() {
    for (name, call) in all_calls() {
        let bytes = call.to_bytes();
        for length in 0..bytes.len() {
            assert!(Call::from_bytes(&bytes[..length]).is_err(), "{name} cut to {length}");
        }
        for index in 1..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 0xff;
            if let Ok(other) = Call::from_bytes(&changed) {
                assert_eq!(other.to_bytes(), changed, "{name}, byte {index}");
            }
        }
    }
    let unknown = DecodeError::Tag { what: "call", got: 200 };
    assert_eq!(Call::from_bytes(&[200]), Err(unknown));
}

#[test]
fn ways_and_means_are_read_by_the_names_that_they_have() {
    for way in Way::ALL {
        assert_eq!(way.to_string().parse(), Ok(way));
        assert_eq!(Way::from_bytes(&way.to_bytes()), Ok(way));
        assert!("Allowance".parse::<Way>().unwrap_err().to_string().contains(way.as_str()));
    }
    for means in Means::ALL {
        assert_eq!(means.to_string().parse(), Ok(means));
        assert_eq!(means.to_bytes(), [means.number()]);
        assert!("no".parse::<Means>().unwrap_err().to_string().contains(means.as_str()));
    }
}
