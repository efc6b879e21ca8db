//! The calls that both must sign, that act for others, and that punish: taken by the contract, and
//! done when somebody was quicker.

use crate::life::{Locks, locks, mined, opened, signed};
use crate::stage::{MINTED, PARAMETERS, Stage};
use alloy::primitives::U256;
use photon_chain::Done;
use photon_wire::claim::{BalanceProof, Claim, CooperativeSettle, Delegation, Disposal, Withdraw};
use photon_wire::contract::{Balance, Call, Delegated, Settlement, SignedBalance, SignedDisposal};
use photon_wire::{Amount, Epoch, LockHash, Signature, Timestamp};

const FAR: Timestamp = Timestamp(u64::MAX >> 1);

/// Sends it twice: the first is mined, the second finds it done.
async fn done_once(stage: &mut Stage, call: Call) {
    mined(stage.alice.send(call.clone()).await);
    let again = stage.bob.send(call.clone()).await;
    assert!(matches!(again, Ok(Done::ByOthers(_))), "{call:?}: {again:?}");
}

fn signed_by_both(stage: &Stage, claim: &impl Claim) -> (Signature, Signature) {
    let digest = claim.digest(&stage.network.domain());
    let sign = |person: &crate::stage::Person| person.account.signing_key().sign(digest);
    (sign(&stage.alice), sign(&stage.bob))
}

/// Alice takes 50 out.
async fn withdraws(stage: &mut Stage) {
    let (key, participant) = (stage.key(), stage.alice.address());
    let (channel, epoch, withdrawn) = (key.id(), Epoch(1), Amount(50));
    let claim = Withdraw { channel, epoch, participant, withdrawn, valid_until: FAR };
    let (own, partners) = signed_by_both(stage, &claim);
    let call = Call::Withdraw {
        key,
        epoch,
        participant,
        withdrawn,
        valid_until: FAR,
        participant_signature: Some(own),
        partner_signature: Some(partners),
    };
    done_once(stage, call).await;
}

/// Who has done it already has nothing left to do.
async fn gives_up_and_claims(stage: &mut Stage) {
    let cancel = Call::CancelAuthorization { nonce: U256::from(5) };
    mined(stage.alice.send(cancel.clone()).await);
    assert!(matches!(stage.alice.send(cancel).await, Ok(Done::ByOthers(_))));
    let (token, recipient) = (stage.token, stage.alice.address());
    let claim = Call::ClaimCredit { token, recipient };
    assert!(matches!(stage.alice.send(claim).await, Ok(Done::ByOthers(_))));
}

/// Alice closes with what she declares; as Bob's delegate she brings his newer proof herself.
async fn closes_and_acts_for_bob(stage: &mut Stage, proof: SignedBalance) {
    let (token, alice, bob) = (stage.token, stage.alice.address(), stage.bob.address());
    let close = Call::Close { token, partner: bob, proof: None, declared: Amount(60) };
    mined(stage.alice.send(close).await);
    let delegation = Delegation {
        proof: BalanceProof {
            channel: stage.key().id(),
            epoch: Epoch(1),
            payer: alice,
            nonce: proof.nonce,
            transferred: proof.transferred,
            locksroot: proof.locksroot,
        },
        delegate: alice,
    };
    let (_, signature) = signed_by_both(stage, &delegation);
    let delegated = Some(Delegated { payee: bob, signature });
    mined(stage.alice.send(Call::Update { token, partner: alice, proof, delegated }).await);
}

/// Bob claims two locks, one of which he had given up.
async fn claims_and_is_punished(stage: &mut Stage, balance: Balance, locks: &mut Locks) {
    let (token, alice, bob) = (stage.token, stage.alice.address(), stage.bob.address());
    mined(stage.bob.send(Call::RegisterSecrets(locks.secrets.clone())).await);
    let claims = vec![locks.claims[0].clone(), locks.claims[1].clone()];
    let slots: Vec<_> = claims.iter().map(|claim| claim.slot).collect();
    let multiproof = locks.tree.multiproof(&slots);
    let (partner, delegated) = (alice, None);
    let unlock = Call::Unlock { token, partner, balance, locks: claims, multiproof, delegated };
    mined(stage.bob.send(unlock).await);

    let given_up = &locks.claims[0];
    let hashes = vec![LockHash(alloy::primitives::B256::ZERO), given_up.lock.hash()];
    let claim = Disposal {
        channel: stage.key().id(),
        epoch: Epoch(1),
        payer: alice,
        locks: hashes.clone(),
    };
    let (_, signature) = signed_by_both(stage, &claim);
    let punish = Call::Punish {
        token,
        payer: alice,
        payee: bob,
        balance,
        slot: given_up.slot,
        lock: given_up.lock,
        multiproof: locks.tree.multiproof(&[given_up.slot]),
        disposal: SignedDisposal { locks: hashes, index: 1, signature },
    };
    done_once(stage, punish).await;
}

async fn settles_many(stage: &mut Stage, of_participant: Balance) {
    let now = stage.endpoint.now().await.unwrap().0;
    let over = crate::stage::SETTLE_TIMEOUT.0 + PARAMETERS.challenge.0;
    stage.jump(Timestamp(now + over + 1)).await;
    let of_partner = Balance { declared: Amount(60), ..Balance::default() };
    let settlement = Settlement { partner: stage.bob.address(), of_participant, of_partner };
    let (token, participant) = (stage.token, stage.alice.address());
    let settle = Call::SettleMany { token, participant, settlements: vec![settlement] };
    mined(stage.bob.send(settle.clone()).await);
    // What cannot be settled any more is left out.
    mined(stage.bob.send(settle).await);
}

/// The next life ends as both agree: Alice has transferred 70, Bob 20.
async fn settles_in_peace(stage: &mut Stage) {
    mined(stage.alice.send(stage.open(100)).await);
    let key = stage.key();
    let alice_is_low = stage.alice.address() == key.low();
    let of = |alices: u128, bobs: u128| Amount(if alice_is_low { alices } else { bobs });
    let claim = CooperativeSettle {
        channel: key.id(),
        epoch: Epoch(2),
        transferred_low: of(70, 20),
        transferred_high: of(20, 70),
        valid_until: FAR,
    };
    let (alices, bobs) = signed_by_both(stage, &claim);
    let (low, high) = if alice_is_low { (alices, bobs) } else { (bobs, alices) };
    let call = Call::CooperativeSettle {
        key,
        epoch: claim.epoch,
        transferred_low: claim.transferred_low,
        transferred_high: claim.transferred_high,
        valid_until: FAR,
        low_signature: Some(low),
        high_signature: Some(high),
    };
    done_once(stage, call).await;
}

/// On any chain.
pub(crate) async fn every_call(stage: &mut Stage) {
    let mut inputs = stage.follow_all();
    opened(stage, &mut inputs).await;
    withdraws(stage).await;
    gives_up_and_claims(stage).await;
    let mut locks = locks(stage.endpoint.now().await.unwrap());
    let balance =
        Balance { transferred: Amount(100), locksroot: locks.tree.root(), ..Balance::default() };
    let proof = signed(stage, &stage.alice, 3, balance);
    closes_and_acts_for_bob(stage, proof).await;
    claims_and_is_punished(stage, balance, &mut locks).await;
    settles_many(stage, balance).await;
    // Alice: 1000 in, 50 out; 100 and the locks of 30 and 40 to Bob; the 30 back, and as much
    // again.
    let alice = 1_000 - 100 - 70 + 60;

    let (first, second) = (stage.alice.address(), stage.bob.address());
    assert_eq!(stage.balance(first).await, Amount(MINTED.0 - 1_000 + alice));
    assert_eq!(stage.balance(second).await, Amount(MINTED.0 + 1_000 - alice));
    settles_in_peace(stage).await;
    assert_eq!(stage.balance(first).await, Amount(MINTED.0 - 1_000 + alice - 50));
    assert_eq!(stage.balance(stage.network.contract).await, Amount::ZERO);
}

#[tokio::test]
async fn every_call_is_taken_by_the_contract() {
    every_call(&mut Stage::new().await).await;
}
