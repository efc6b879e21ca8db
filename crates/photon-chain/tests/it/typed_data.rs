//! What two libraries that others wrote say to every claim: the same digest, the same signer.

use alloy::primitives::{U256, hex};
use photon_chain::typed_data::TypedData;
use photon_wire::claim::{
    BalanceProof, CooperativeSettle, Delegation, DepositAuthorization, Disposal, Domain,
    OpenAuthorization, TransportKey, Withdraw,
};
use photon_wire::{
    Address, Amount, B256, ChannelId, ChannelKey, Epoch, LockHash, Locksroot, Nonce, Seconds,
    Signature, SigningKey, Timestamp, Token, Verifier,
};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::str::FromStr;

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/typed-data");
const PYTHON: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/tools/eth-account/bin/python");
const VECTORS: &str = include_str!("../../../photon-wire/tests/vectors/claims.json");

fn read<T: FromStr<Err: std::fmt::Debug>>(value: &Value) -> T {
    value.as_str().map_or_else(|| value.to_string().parse(), str::parse).unwrap()
}

/// A claim's digest, and how a wallet is asked to sign it.
fn shown(claim: &impl TypedData, domain: &Domain) -> (B256, Value) {
    (claim.digest(domain).0, claim.typed_data(domain))
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

fn of_vector(kind: &str, fields: &Value, key: ChannelKey, domain: &Domain) -> (B256, Value) {
    let amount = |name: &str| Amount(read(&fields[name]));
    let address = |name: &str| -> Address { read(&fields[name]) };
    let (channel, valid_until) = (key.id(), || Timestamp(read(&fields["validUntil"])));
    let (epoch, nonce) = (|| Epoch(read(&fields["epoch"])), || read::<U256>(&fields["nonce"]));
    match kind {
        "BalanceProof" => shown(&proof(fields), domain),
        "Delegation" => {
            shown(&Delegation { proof: proof(fields), delegate: address("delegate") }, domain)
        }
        "CooperativeSettle" => {
            let (transferred_low, transferred_high) =
                (amount("transferredLow"), amount("transferredHigh"));
            let (epoch, valid_until) = (epoch(), valid_until());
            let claim = CooperativeSettle {
                channel,
                epoch,
                transferred_low,
                transferred_high,
                valid_until,
            };
            shown(&claim, domain)
        }
        "Withdraw" => {
            let (participant, withdrawn) = (address("participant"), amount("withdrawn"));
            let (epoch, valid_until) = (epoch(), valid_until());
            shown(&Withdraw { channel, epoch, participant, withdrawn, valid_until }, domain)
        }
        "Disposal" => {
            let locks = fields["locks"].as_array().unwrap().iter();
            let locks = locks.map(|lock| LockHash(read(lock))).collect();
            let payer = address("payer");
            shown(&Disposal { channel, epoch: epoch(), payer, locks }, domain)
        }
        "OpenAuthorization" => {
            let claim = OpenAuthorization {
                token: Token(address("token")),
                participant: address("participant"),
                partner: address("partner"),
                settle_timeout: Seconds(read(&fields["settleTimeout"])),
                amount: amount("amount"),
                nonce: nonce(),
                valid_until: valid_until(),
            };
            shown(&claim, domain)
        }
        "DepositAuthorization" => {
            let claim = DepositAuthorization {
                key,
                epoch: epoch(),
                participant: address("participant"),
                amount: amount("amount"),
                nonce: nonce(),
                valid_until: valid_until(),
            };
            shown(&claim, domain)
        }
        other => panic!("no such claim: {other}"),
    }
}

/// Every claim of the vectors that the contract shares, and the one that it never sees.
fn claims() -> Vec<(String, B256, Value)> {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let of = &vectors["domain"];
    let domain = Domain::new(read(&of["chainId"]), read(&of["verifyingContract"]));
    let channel = &vectors["channel"];
    let (low, high) = (read(&channel["low"]), read(&channel["high"]));
    let key = ChannelKey::new(Token(read(&channel["token"])), low, high).unwrap();
    let mut claims = Vec::new();
    for vector in vectors["claims"].as_array().unwrap() {
        let kind = vector["type"].as_str().unwrap();
        let (digest, shown) = of_vector(kind, &vector["fields"], key, &domain);
        assert_eq!(digest, read::<B256>(&vector["digest"]), "{kind}");
        assert_eq!(shown["message"], vector["fields"], "{kind} shows what it says");
        claims.push((kind.to_owned(), digest, shown));
    }
    let own =
        TransportKey { account: low, transport_key: [0x21; 32], valid_until: Timestamp(u64::MAX) };
    let (digest, shown) = shown(&own, &domain);
    claims.push(("TransportKey".to_owned(), digest, shown));
    claims
}

/// Runs a script over the cases; a missing program fails.
fn ask(program: &str, script: &str, cases: &Value) -> Vec<Value> {
    let mut process = Command::new(program)
        .arg(Path::new(SCRIPTS).join(script))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}; `cargo xtask setup` installs it"));
    process.stdin.take().unwrap().write_all(cases.to_string().as_bytes()).unwrap();
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success(), "{script} failed; `cargo xtask setup` installs what it needs");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn agrees(program: &str, script: &str) {
    let private_key = [0x02; 32];
    let key = SigningKey::from_bytes(&private_key).unwrap();
    let claims = claims();
    let kinds: std::collections::BTreeSet<&str> =
        claims.iter().map(|(kind, ..)| kind.as_str()).collect();
    assert_eq!(kinds.len(), 8, "{kinds:?}");
    let cases = claims.iter().map(|(_, digest, shown)| {
        let signature = key.sign(photon_wire::Digest(*digest));
        let (private_key, signature) = (B256::new(private_key), hex::encode_prefixed(signature.0));
        json!({ "typedData": shown, "privateKey": private_key, "signature": signature })
    });
    let answers = ask(program, script, &cases.collect());
    assert_eq!(answers.len(), claims.len());
    for ((kind, digest, _), answer) in claims.iter().zip(answers) {
        assert_eq!(read::<B256>(&answer["digest"]), *digest, "{kind}");
        assert_eq!(read::<Address>(&answer["signer"]), key.address(), "{kind}");
        let theirs = hex::decode(answer["signature"].as_str().unwrap()).unwrap();
        let theirs = Signature(theirs.try_into().unwrap());
        let signer = Verifier::new().signer(photon_wire::Digest(*digest), &theirs);
        assert_eq!(signer, Ok(key.address()), "{kind}");
    }
}

#[test]
fn viem_hashes_every_claim_as_we_do_and_signs_it() {
    agrees("node", "sign.mjs");
}

#[test]
fn eth_account_hashes_every_claim_as_we_do_and_signs_it() {
    agrees(PYTHON, "sign.py");
}

#[test]
fn a_wallets_prompt_shows_whole_words_and_whole_numbers() {
    for (kind, _, shown) in claims() {
        assert_eq!(shown["primaryType"], kind.as_str());
        assert_eq!(shown["domain"]["name"], "Photon");
        let types = shown["types"][&kind].as_array().unwrap();
        assert_eq!(types.len(), shown["message"].as_object().unwrap().len());
        for field in types {
            let value = &shown["message"][field["name"].as_str().unwrap()];
            if field["type"].as_str().unwrap().starts_with("uint") {
                // JavaScript would round a number of more than 53 bits.
                assert!(value.as_str().unwrap().bytes().all(|byte| byte.is_ascii_digit()));
            }
        }
    }
}
