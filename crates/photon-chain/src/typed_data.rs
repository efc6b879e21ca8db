//! Claims as an ordinary wallet shows and signs them: what `eth_signTypedData_v4` takes.

use photon_wire::claim::{
    BalanceProof, Claim, CooperativeSettle, Delegation, DepositAuthorization, Disposal, Domain,
    OpenAuthorization, TransportKey, Withdraw,
};
use serde_json::{Value, json};

/// One field of a claim: its type, its name, its value.
pub type Field = (&'static str, &'static str, Value);

/// A claim that can be shown in a wallet's prompt.
pub trait TypedData: Claim {
    /// The name of its type.
    const NAME: &'static str;

    /// In the order in which they are hashed. Numbers are strings of digits.
    fn fields(&self) -> Vec<Field>;

    /// The parameter of `eth_signTypedData_v4`: types, domain and message. Source: EIP-712.
    fn typed_data(&self, domain: &Domain) -> Value {
        let fields = self.fields();
        let types: Vec<Value> =
            fields.iter().map(|(kind, name, _)| json!({ "name": name, "type": kind })).collect();
        let message: serde_json::Map<String, Value> =
            fields.into_iter().map(|(_, name, value)| (name.to_owned(), value)).collect();
        json!({
            "types": {
                "EIP712Domain": [
                    { "name": "name", "type": "string" },
                    { "name": "version", "type": "string" },
                    { "name": "chainId", "type": "uint256" },
                    { "name": "verifyingContract", "type": "address" },
                ],
                (Self::NAME): types,
            },
            "primaryType": Self::NAME,
            "domain": {
                "name": "Photon",
                "version": "1",
                "chainId": domain.chain_id(),
                "verifyingContract": text(domain.contract()),
            },
            "message": message,
        })
    }
}

/// A number in digits, which no reader rounds; an address with its checksum.
fn text(value: impl ToString) -> Value {
    Value::String(value.to_string())
}

macro_rules! shown {
    ($($claim:ident { $($kind:literal $name:literal = |$it:ident| $value:expr,)* })*) => {$(
        impl TypedData for $claim {
            const NAME: &'static str = stringify!($claim);

            fn fields(&self) -> Vec<Field> {
                vec![$({
                    let $it = self;
                    ($kind, $name, json!($value))
                }),*]
            }
        }
    )*};
}

shown! {
    BalanceProof {
        "bytes32" "channelId" = |it| it.channel.0,
        "uint64" "epoch" = |it| text(it.epoch.0),
        "address" "payer" = |it| text(it.payer),
        "uint64" "nonce" = |it| text(it.nonce.0),
        "uint128" "transferred" = |it| text(it.transferred.0),
        "bytes32" "locksroot" = |it| it.locksroot.0,
    }
    Delegation {
        "bytes32" "channelId" = |it| it.proof.channel.0,
        "uint64" "epoch" = |it| text(it.proof.epoch.0),
        "address" "payer" = |it| text(it.proof.payer),
        "uint64" "nonce" = |it| text(it.proof.nonce.0),
        "uint128" "transferred" = |it| text(it.proof.transferred.0),
        "bytes32" "locksroot" = |it| it.proof.locksroot.0,
        "address" "delegate" = |it| text(it.delegate),
    }
    CooperativeSettle {
        "bytes32" "channelId" = |it| it.channel.0,
        "uint64" "epoch" = |it| text(it.epoch.0),
        "uint128" "transferredLow" = |it| text(it.transferred_low.0),
        "uint128" "transferredHigh" = |it| text(it.transferred_high.0),
        "uint64" "validUntil" = |it| text(it.valid_until.0),
    }
    Withdraw {
        "bytes32" "channelId" = |it| it.channel.0,
        "uint64" "epoch" = |it| text(it.epoch.0),
        "address" "participant" = |it| text(it.participant),
        "uint128" "withdrawn" = |it| text(it.withdrawn.0),
        "uint64" "validUntil" = |it| text(it.valid_until.0),
    }
    Disposal {
        "bytes32" "channelId" = |it| it.channel.0,
        "uint64" "epoch" = |it| text(it.epoch.0),
        "address" "payer" = |it| text(it.payer),
        "bytes32[]" "locks" = |it| it.locks.iter().map(|lock| lock.0).collect::<Vec<_>>(),
    }
    OpenAuthorization {
        "address" "token" = |it| text(it.token.0),
        "address" "participant" = |it| text(it.participant),
        "address" "partner" = |it| text(it.partner),
        "uint64" "settleTimeout" = |it| text(it.settle_timeout.0),
        "uint128" "amount" = |it| text(it.amount.0),
        "uint256" "nonce" = |it| text(it.nonce),
        "uint64" "validUntil" = |it| text(it.valid_until.0),
    }
    DepositAuthorization {
        "bytes32" "channelId" = |it| it.key.id().0,
        "uint64" "epoch" = |it| text(it.epoch.0),
        "address" "participant" = |it| text(it.participant),
        "uint128" "amount" = |it| text(it.amount.0),
        "uint256" "nonce" = |it| text(it.nonce),
        "uint64" "validUntil" = |it| text(it.valid_until.0),
    }
    TransportKey {
        "address" "account" = |it| text(it.account),
        "bytes32" "transportKey" = |it| alloy::primitives::B256::new(it.transport_key),
        "uint64" "validUntil" = |it| text(it.valid_until.0),
    }
}
