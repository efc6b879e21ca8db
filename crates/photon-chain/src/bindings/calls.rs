use super::{IPhotonNetwork, PhotonNetwork};
use alloy::primitives::{Bytes, U256};
use alloy::sol_types::SolCall;
use photon_wire::claim::{DepositAuthorization, OpenAuthorization};
use photon_wire::contract::{
    Balance, Call, Delegated, LockClaim, Means, Permit, Settlement, SignedBalance, SignedDisposal,
};
use photon_wire::lock::Lock;
use photon_wire::registry::{Registration, registrations};
use photon_wire::{
    Address, Amount, B256, ChannelKey, Epoch, Seconds, Signature, Slot, Timestamp, Token,
};

fn word(balance: &Balance) -> IPhotonNetwork::Balance {
    IPhotonNetwork::Balance {
        transferred: balance.transferred.0,
        locksroot: balance.locksroot.0,
        declared: balance.declared.0,
    }
}

fn proof(proof: Option<&SignedBalance>) -> IPhotonNetwork::BalanceProof {
    IPhotonNetwork::BalanceProof {
        nonce: proof.map_or(0, |proof| proof.nonce.0),
        transferred: proof.map_or(0, |proof| proof.transferred.0),
        locksroot: proof.map_or(B256::ZERO, |proof| proof.locksroot.0),
        signature: proof.map_or_else(Bytes::new, |proof| proof.signature.0.into()),
    }
}

fn lock(slot: Slot, lock: &Lock) -> IPhotonNetwork::Lock {
    IPhotonNetwork::Lock {
        slot: slot.0,
        number: lock.number.0,
        amount: lock.amount.0,
        expiration: lock.expiration.0,
        secretHash: lock.secret_hash.0,
    }
}

fn registration(shown: &Registration) -> IPhotonNetwork::Registration {
    IPhotonNetwork::Registration {
        depth: shown.depth,
        members: shown.member_bytes().into(),
        siblings: shown.siblings.clone(),
    }
}

fn disposal(disposal: &SignedDisposal) -> IPhotonNetwork::Disposal {
    IPhotonNetwork::Disposal {
        locks: disposal.locks.iter().map(|lock| lock.0).collect(),
        index: U256::from(disposal.index),
        signature: disposal.signature.0.into(),
    }
}

fn settlement(settlement: &Settlement) -> IPhotonNetwork::Settlement {
    IPhotonNetwork::Settlement {
        partner: settlement.partner,
        ofParticipant: word(&settlement.of_participant),
        ofPartner: word(&settlement.of_partner),
    }
}

/// Empty where the sender's own word is enough.
fn bytes(signature: Option<&Signature>) -> Bytes {
    signature.map_or_else(Bytes::new, |signature| signature.0.into())
}

/// For whom the call speaks, and with what right.
fn payee(delegated: Option<&Delegated>, sender: Address) -> (Address, Bytes) {
    delegated.map_or_else(|| (sender, Bytes::new()), |by| (by.payee, by.signature.0.into()))
}

/// The other participant.
fn partner_of(key: &ChannelKey, participant: Address) -> Address {
    if participant == key.low() { key.high() } else { key.low() }
}

fn open_authorization(signed: &OpenAuthorization) -> IPhotonNetwork::OpenAuthorization {
    IPhotonNetwork::OpenAuthorization {
        token: signed.token.0,
        participant: signed.participant,
        partner: signed.partner,
        settleTimeout: signed.settle_timeout.0,
        amount: signed.amount.0,
        nonce: signed.nonce,
        validUntil: signed.valid_until.0,
    }
}

fn deposit_authorization(signed: &DepositAuthorization) -> IPhotonNetwork::DepositAuthorization {
    IPhotonNetwork::DepositAuthorization {
        token: signed.key.token().0,
        participant: signed.participant,
        partner: partner_of(&signed.key, signed.participant),
        epoch: signed.epoch.0.into(),
        amount: signed.amount.0,
        nonce: signed.nonce,
        validUntil: signed.valid_until.0,
    }
}

fn permit_call(token: Token, owner: Address, permit: &Permit) -> Vec<u8> {
    let (rs, v) = permit.signature.0.split_at(64);
    let (r, s) = rs.split_at(32);
    PhotonNetwork::permitCall {
        token: token.0,
        owner,
        value: permit.value,
        deadline: U256::from(permit.deadline.0),
        v: v.first().copied().unwrap_or_default(),
        r: B256::from_slice(r),
        s: B256::from_slice(s),
    }
    .abi_encode()
}

/// The call alone, or both of them at once behind the permit.
fn permitted(token: Token, owner: Address, permit: Option<&Permit>, call: Vec<u8>) -> Vec<u8> {
    let Some(permit) = permit else { return call };
    let calls = vec![permit_call(token, owner, permit).into(), call.into()];
    PhotonNetwork::multicallCall { calls }.abi_encode()
}

fn close(
    token: Token,
    partner: Address,
    latest: Option<&SignedBalance>,
    declared: Amount,
) -> Vec<u8> {
    PhotonNetwork::closeCall { token: token.0, partner, proof: proof(latest), declared: declared.0 }
        .abi_encode()
}

fn update(
    token: Token,
    payer: Address,
    (payee, delegation): (Address, Bytes),
    latest: &SignedBalance,
) -> Vec<u8> {
    let proof = proof(Some(latest));
    PhotonNetwork::updateCall { token: token.0, payer, payee, proof, delegation }.abi_encode()
}

fn unlock(
    token: Token,
    payer: Address,
    (payee, delegation): (Address, Bytes),
    balance: &Balance,
    (locks, multiproof): (&[LockClaim], &[B256]),
) -> Vec<u8> {
    PhotonNetwork::unlockCall {
        token: token.0,
        payer,
        payee,
        balance: word(balance),
        locks: locks.iter().map(|claim| lock(claim.slot, &claim.lock)).collect(),
        siblings: multiproof.to_vec(),
        registrations: registrations(locks).iter().map(registration).collect(),
        delegation,
    }
    .abi_encode()
}

fn punish(
    token: Token,
    (payer, payee): (Address, Address),
    balance: &Balance,
    lock: IPhotonNetwork::Lock,
    multiproof: &[B256],
    evidence: &SignedDisposal,
) -> Vec<u8> {
    PhotonNetwork::punishCall {
        token: token.0,
        payer,
        payee,
        balance: word(balance),
        lock,
        siblings: multiproof.to_vec(),
        disposal: disposal(evidence),
    }
    .abi_encode()
}

fn withdraw(
    key: &ChannelKey,
    participant: Address,
    withdrawn: Amount,
    valid_until: Timestamp,
    signatures: [Option<&Signature>; 2],
) -> Vec<u8> {
    let [participant_signature, partner_signature] = signatures.map(bytes);
    PhotonNetwork::withdrawCall {
        token: key.token().0,
        participant,
        partner: partner_of(key, participant),
        withdrawn: withdrawn.0,
        validUntil: valid_until.0,
        participantSignature: participant_signature,
        partnerSignature: partner_signature,
    }
    .abi_encode()
}

fn cooperative_settle(
    key: &ChannelKey,
    transferred: [Amount; 2],
    valid_until: Timestamp,
    signatures: [Option<&Signature>; 2],
) -> Vec<u8> {
    let [low, high] = transferred;
    let [low_signature, high_signature] = signatures.map(bytes);
    PhotonNetwork::cooperativeSettleCall {
        token: key.token().0,
        low: key.low(),
        high: key.high(),
        transferredLow: low.0,
        transferredHigh: high.0,
        validUntil: valid_until.0,
        signatureLow: low_signature,
        signatureHigh: high_signature,
    }
    .abi_encode()
}

fn settle(key: &ChannelKey, low: &Balance, high: &Balance) -> Vec<u8> {
    PhotonNetwork::settleCall {
        token: key.token().0,
        low: key.low(),
        high: key.high(),
        ofLow: word(low),
        ofHigh: word(high),
    }
    .abi_encode()
}

fn open_authorized(
    signed: &OpenAuthorization,
    by: Means,
    signature: &Signature,
    permit: Option<&Permit>,
) -> Vec<u8> {
    let (token, owner) = (signed.token, signed.participant);
    let authorization = open_authorization(signed);
    let signature = signature.0.into();
    let call = PhotonNetwork::openAuthorizedCall { authorization, means: by.number(), signature };
    permitted(token, owner, permit, call.abi_encode())
}

fn deposit_authorized(
    signed: &DepositAuthorization,
    by: Means,
    signature: &Signature,
    permit: Option<&Permit>,
) -> Vec<u8> {
    let (token, owner) = (signed.key.token(), signed.participant);
    let authorization = deposit_authorization(signed);
    let signature = signature.0.into();
    let call =
        PhotonNetwork::depositAuthorizedCall { authorization, means: by.number(), signature };
    permitted(token, owner, permit, call.abi_encode())
}

fn open(token: Token, partner: Address, settle_timeout: Seconds, amount: Amount) -> Vec<u8> {
    let (settle_timeout, amount) = (settle_timeout.0, amount.0);
    PhotonNetwork::openCall { token: token.0, partner, settleTimeout: settle_timeout, amount }
        .abi_encode()
}

fn deposit(key: &ChannelKey, epoch: Epoch, participant: Address, amount: Amount) -> Vec<u8> {
    PhotonNetwork::depositCall {
        token: key.token().0,
        participant,
        partner: partner_of(key, participant),
        epoch: epoch.0.into(),
        amount: amount.0,
    }
    .abi_encode()
}

/// As [`input`], behind the owner's permit, in one transaction of his own.
pub(crate) fn permitted_input(token: Token, owner: Address, by: &Permit, call: &Call) -> Bytes {
    permitted(token, owner, Some(by), input(call, owner).to_vec()).into()
}

/// The input of the transaction that says `call` in the name of `sender`, where the contract pulls
/// what is deposited.
pub fn input(call: &Call, sender: Address) -> Bytes {
    match call {
        Call::Open { token, partner, settle_timeout, amount, way: _ } => {
            open(*token, *partner, *settle_timeout, *amount)
        }
        Call::Deposit { key, epoch, participant, amount, way: _ } => {
            deposit(key, *epoch, *participant, *amount)
        }
        Call::Close { token, partner, proof, declared } => {
            close(*token, *partner, proof.as_ref(), *declared)
        }
        Call::Update { token, partner, proof, delegated } => {
            update(*token, *partner, payee(delegated.as_ref(), sender), proof)
        }
        Call::Unlock { token, partner, balance, locks, multiproof, delegated } => {
            let payee = payee(delegated.as_ref(), sender);
            unlock(*token, *partner, payee, balance, (locks, multiproof))
        }
        Call::RegisterSecrets(secrets) => {
            let secrets = secrets.iter().map(|secret| B256::new(secret.0)).collect();
            PhotonNetwork::registerSecretsCall { secrets }.abi_encode()
        }
        Call::Settle { key, low, high } => settle(key, low, high),
        Call::Withdraw {
            key,
            epoch: _,
            participant,
            withdrawn,
            valid_until,
            participant_signature,
            partner_signature,
        } => {
            let signatures = [participant_signature.as_ref(), partner_signature.as_ref()];
            withdraw(key, *participant, *withdrawn, *valid_until, signatures)
        }
        Call::CooperativeSettle {
            key,
            epoch: _,
            transferred_low,
            transferred_high,
            valid_until,
            low_signature,
            high_signature,
        } => {
            let signatures = [low_signature.as_ref(), high_signature.as_ref()];
            let transferred = [*transferred_low, *transferred_high];
            cooperative_settle(key, transferred, *valid_until, signatures)
        }
        Call::Punish { token, payer, payee, balance, slot, lock: it, multiproof, disposal } => {
            let lock = lock(*slot, it);
            punish(*token, (*payer, *payee), balance, lock, multiproof, disposal)
        }
        Call::SettleMany { token, participant, settlements } => {
            let settlements = settlements.iter().map(settlement).collect();
            let (token, participant) = (token.0, *participant);
            PhotonNetwork::settleManyCall { token, participant, settlements }.abi_encode()
        }
        Call::OpenAuthorized { authorization, means, signature, permit } => {
            open_authorized(authorization, *means, signature, permit.as_ref())
        }
        Call::DepositAuthorized { authorization, means, signature, permit } => {
            deposit_authorized(authorization, *means, signature, permit.as_ref())
        }
        Call::CancelAuthorization { nonce } => {
            PhotonNetwork::cancelAuthorizationCall { nonce: *nonce }.abi_encode()
        }
        Call::ClaimCredit { token, recipient } => {
            PhotonNetwork::claimCreditCall { token: token.0, recipient: *recipient }.abi_encode()
        }
    }
    .into()
}

/// What the call pulls out of the sender's account: token and amount.
pub(crate) const fn pulls(call: &Call) -> Option<(Token, Amount)> {
    match call {
        Call::Open { token, amount, .. } if !amount.is_zero() => Some((*token, *amount)),
        Call::Deposit { key, amount, .. } => Some((key.token(), *amount)),
        Call::Open { .. }
        | Call::Close { .. }
        | Call::Update { .. }
        | Call::Unlock { .. }
        | Call::RegisterSecrets(_)
        | Call::Settle { .. }
        | Call::Withdraw { .. }
        | Call::CooperativeSettle { .. }
        | Call::Punish { .. }
        | Call::SettleMany { .. }
        | Call::OpenAuthorized { .. }
        | Call::DepositAuthorized { .. }
        | Call::CancelAuthorization { .. }
        | Call::ClaimCredit { .. } => None,
    }
}
