//! What a relay is asked, and what it answers.

use super::{Decimal, HexAddress, HexHash, TransactionState};
use crate::gasless::Relayed;
use photon_wire::claim::{DepositAuthorization, OpenAuthorization};
use photon_wire::contract::{Call, Means, Permit};
use photon_wire::{Address, B256, ChannelKey, Epoch, Seconds, Signature, Timestamp, Token};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Something that an account without coins signed, for a relay to carry to the chain.
///
/// With `settle_timeout` it opens a channel, with `epoch` it is a deposit into one that is open.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthorizationBody {
    /// The chain that it was signed for.
    pub chain_id: u64,
    /// The contract that it was signed for.
    pub contract: HexAddress,
    /// The token.
    pub token: HexAddress,
    /// Who signed, and whose tokens are deposited.
    pub participant: HexAddress,
    /// The other side of the channel.
    pub partner: HexAddress,
    /// To open: how long a dispute takes updates, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settle_timeout: Option<u64>,
    /// To deposit: which life of the channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u32>,
    /// How much is deposited.
    pub amount: Decimal,
    /// Used once.
    pub nonce: HexHash,
    /// The last second at which the contract takes it.
    pub valid_until: u64,
    /// How the tokens are pulled.
    pub means: MeansName,
    /// 65 bytes in hexadecimal, as the means want them.
    #[serde(with = "signature_text")]
    #[schema(value_type = String, pattern = "^0x[0-9a-f]{130}$")]
    pub signature: Signature,
    /// The participant's allowance to the contract, given in the same transaction (ERC-2612).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permit: Option<PermitBody>,
}

/// How the tokens of an authorization are pulled.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MeansName {
    /// By the participant's allowance to the contract.
    Allowance,
    /// By the token's own EIP-3009 authorization.
    ReceiveWithAuthorization,
    /// By Permit2.
    Permit2,
}

/// A signed allowance (ERC-2612).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PermitBody {
    /// The allowance, as 32 bytes.
    pub value: HexHash,
    /// The last second at which the token takes it.
    pub deadline: u64,
    /// 65 bytes in hexadecimal.
    #[serde(with = "signature_text")]
    #[schema(value_type = String, pattern = "^0x[0-9a-f]{130}$")]
    pub signature: Signature,
}

/// What a relay says of an authorization that it took.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct RelayedView {
    /// Its name: the digest that was signed, of our own typed data.
    pub id: HexHash,
    /// How far its transaction is.
    pub state: TransactionState,
    /// Its latest transaction; a raised fee gives it another hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<HexHash>,
    /// Why it cannot be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What a relay is, and what it takes on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct RelayView {
    /// The chain that it sends to.
    pub chain_id: u64,
    /// The contract that it calls.
    pub contract: HexAddress,
    /// Whose gas it is.
    pub account: HexAddress,
    /// How long an authorization may be good, in seconds.
    pub longest: u64,
}

impl RelayedView {
    /// How far an authorization of ours is.
    pub(crate) fn new(id: B256, far: &Relayed) -> Self {
        let view = |state, hash: Option<B256>, reason: Option<&str>| Self {
            id: HexHash(id),
            state,
            hash: hash.map(HexHash),
            reason: reason.map(str::to_owned),
        };
        match far {
            Relayed::Asking => view(TransactionState::Sending, None, None),
            Relayed::Taken(hash) => view(TransactionState::Sending, *hash, None),
            Relayed::Silent(reason) => view(TransactionState::Sending, None, Some(reason)),
            Relayed::Done(hash) => view(TransactionState::Done, *hash, None),
            Relayed::Failed(reason) | Relayed::Refused { detail: reason, .. } => {
                view(TransactionState::Failed, None, Some(reason))
            }
            Relayed::Expired(_) => {
                view(TransactionState::Failed, None, Some("nobody brought it to the chain in time"))
            }
        }
    }
}

impl From<Means> for MeansName {
    fn from(means: Means) -> Self {
        match means {
            Means::Allowance => Self::Allowance,
            Means::ReceiveWithAuthorization => Self::ReceiveWithAuthorization,
            Means::Permit2 => Self::Permit2,
        }
    }
}

impl From<MeansName> for Means {
    fn from(name: MeansName) -> Self {
        match name {
            MeansName::Allowance => Self::Allowance,
            MeansName::ReceiveWithAuthorization => Self::ReceiveWithAuthorization,
            MeansName::Permit2 => Self::Permit2,
        }
    }
}

impl From<&Permit> for PermitBody {
    fn from(permit: &Permit) -> Self {
        Self {
            value: HexHash(B256::from(permit.value)),
            deadline: permit.deadline.0,
            signature: permit.signature,
        }
    }
}

impl From<&PermitBody> for Permit {
    fn from(body: &PermitBody) -> Self {
        Self {
            value: body.value.0.into(),
            deadline: Timestamp(body.deadline),
            signature: body.signature,
        }
    }
}

/// Why a body is no authorization.
pub(crate) type NoAuthorization = &'static str;

impl AuthorizationBody {
    /// The body for a signed call; none for a call that is no authorization.
    pub(crate) fn of(chain_id: u64, contract: Address, call: &Call) -> Option<Self> {
        let (parts, means, signature, permit) = match call {
            Call::OpenAuthorized { authorization, means, signature, permit } => {
                (Parts::of_open(authorization), means, signature, permit)
            }
            Call::DepositAuthorized { authorization, means, signature, permit } => {
                (Parts::of_deposit(authorization)?, means, signature, permit)
            }
            Call::Open { .. }
            | Call::Deposit { .. }
            | Call::Close { .. }
            | Call::Update { .. }
            | Call::Unlock { .. }
            | Call::RegisterSecrets(_)
            | Call::Settle { .. }
            | Call::Withdraw { .. }
            | Call::CooperativeSettle { .. }
            | Call::Punish { .. }
            | Call::SettleMany { .. }
            | Call::CancelAuthorization { .. }
            | Call::ClaimCredit { .. } => return None,
        };
        Some(Self {
            chain_id,
            contract: HexAddress(contract),
            token: HexAddress(parts.token.0),
            participant: HexAddress(parts.participant),
            partner: HexAddress(parts.partner),
            settle_timeout: parts.settle_timeout,
            epoch: parts.epoch,
            amount: Decimal(parts.amount),
            nonce: HexHash(parts.nonce),
            valid_until: parts.valid_until,
            means: MeansName::from(*means),
            signature: *signature,
            permit: permit.as_ref().map(PermitBody::from),
        })
    }

    /// The call that it asks for.
    pub(crate) fn call(&self) -> Result<Call, NoAuthorization> {
        let (token, participant, partner) =
            (Token(self.token.0), self.participant.0, self.partner.0);
        let key = ChannelKey::new(token, participant, partner)
            .ok_or("participant and partner are the same")?;
        let (means, signature) = (Means::from(self.means), self.signature);
        let permit = self.permit.as_ref().map(Permit::from);
        let (amount, nonce) = (self.amount.0, self.nonce.0.into());
        let valid_until = Timestamp(self.valid_until);
        match (self.settle_timeout, self.epoch) {
            (Some(settle_timeout), None) => {
                let settle_timeout = Seconds(settle_timeout);
                let authorization = OpenAuthorization {
                    token,
                    participant,
                    partner,
                    settle_timeout,
                    amount,
                    nonce,
                    valid_until,
                };
                Ok(Call::OpenAuthorized { authorization, means, signature, permit })
            }
            (None, Some(epoch)) => {
                let epoch = Epoch(epoch);
                let authorization =
                    DepositAuthorization { key, epoch, participant, amount, nonce, valid_until };
                Ok(Call::DepositAuthorized { authorization, means, signature, permit })
            }
            (Some(_), Some(_)) | (None, None) => {
                Err("expected one of settle_timeout (to open) and epoch (to deposit)")
            }
        }
    }
}

/// What both kinds of authorizations say.
struct Parts {
    token: Token,
    participant: Address,
    partner: Address,
    settle_timeout: Option<u64>,
    epoch: Option<u32>,
    amount: photon_wire::Amount,
    nonce: B256,
    valid_until: u64,
}

impl Parts {
    fn of_open(signed: &OpenAuthorization) -> Self {
        Self {
            token: signed.token,
            participant: signed.participant,
            partner: signed.partner,
            settle_timeout: Some(signed.settle_timeout.0),
            epoch: None,
            amount: signed.amount,
            nonce: signed.nonce.into(),
            valid_until: signed.valid_until.0,
        }
    }

    /// None where the participant is no side of the channel.
    fn of_deposit(signed: &DepositAuthorization) -> Option<Self> {
        Some(Self {
            token: signed.key.token(),
            participant: signed.participant,
            partner: signed.key.partner_of(signed.participant)?,
            settle_timeout: None,
            epoch: Some(signed.epoch.0),
            amount: signed.amount,
            nonce: signed.nonce.into(),
            valid_until: signed.valid_until.0,
        })
    }
}

/// A signature as 0x and 130 hexadecimal digits.
mod signature_text {
    use photon_wire::Signature;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        signature: &Signature,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let digits: String = signature.0.iter().map(|byte| format!("{byte:02x}")).collect();
        serializer.serialize_str(&format!("0x{digits}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Signature, D::Error> {
        let text = String::deserialize(deserializer)?;
        read(&text)
            .map(Signature)
            .ok_or_else(|| D::Error::custom("expected 65 bytes: 0x and 130 hexadecimal digits"))
    }

    fn read(text: &str) -> Option<[u8; 65]> {
        let digits = text.strip_prefix("0x")?;
        if digits.len() != 130 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let mut bytes = [0; 65];
        for (index, byte) in bytes.iter_mut().enumerate() {
            let at = index.checked_mul(2)?;
            *byte = u8::from_str_radix(digits.get(at..at.checked_add(2)?)?, 16).ok()?;
        }
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use photon_wire::Amount;

    fn calls() -> [Call; 2] {
        let (token, participant) = (Token(Address::repeat_byte(1)), Address::repeat_byte(2));
        let partner = Address::repeat_byte(3);
        let (amount, valid_until) = (Amount(7), Timestamp(9));
        let nonce = B256::repeat_byte(4).into();
        let signature = Signature([5; 65]);
        let permit = Permit {
            value: B256::repeat_byte(6).into(),
            deadline: Timestamp(8),
            signature: Signature([9; 65]),
        };
        let open = OpenAuthorization {
            token,
            participant,
            partner,
            settle_timeout: Seconds(60),
            amount,
            nonce,
            valid_until,
        };
        let key = ChannelKey::new(token, participant, partner).unwrap();
        let epoch = Epoch(2);
        let deposit = DepositAuthorization { key, epoch, participant, amount, nonce, valid_until };
        let means = Means::ReceiveWithAuthorization;
        [
            Call::OpenAuthorized { authorization: open, means, signature, permit: Some(permit) },
            Call::DepositAuthorized { authorization: deposit, means, signature, permit: None },
        ]
    }

    #[test]
    fn an_authorization_survives_its_json() {
        for call in calls() {
            let body = AuthorizationBody::of(1, Address::repeat_byte(9), &call).unwrap();
            let json = serde_json::to_string(&body).unwrap();
            let read: AuthorizationBody = serde_json::from_str(&json).unwrap();
            assert_eq!(read.call(), Ok(call), "{json}");
        }
    }

    #[test]
    fn an_authorization_opens_or_deposits_and_never_both() {
        let [open, _] = calls();
        let body = AuthorizationBody::of(1, Address::repeat_byte(9), &open).unwrap();
        for (settle_timeout, epoch) in [(None, None), (Some(60), Some(1))] {
            let body = AuthorizationBody { settle_timeout, epoch, ..body.clone() };
            assert!(body.call().is_err());
        }
        let body = AuthorizationBody { partner: body.participant, ..body };
        assert!(body.call().is_err());
    }
}
