//! What would come of depositing a token.

use super::{Decimal, HexAddress};
use crate::handle::Prospect;
use photon_wire::Amount;
use photon_wire::contract::Way;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{Object, RefOr};
use utoipa::{PartialSchema, ToSchema};

/// How the sender of a transaction gets tokens of his own into a channel, by its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WayName(pub Way);

impl Serialize for WayName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

impl<'de> Deserialize<'de> for WayName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<'de, str>::deserialize(deserializer)?;
        name.parse().map(Self).map_err(D::Error::custom)
    }
}

impl PartialSchema for WayName {
    fn schema() -> RefOr<Schema> {
        let object: Object = ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("How tokens go into a channel."))
            .enum_values(Some(Way::ALL.map(Way::as_str)))
            .build();
        RefOr::T(Schema::Object(object))
    }
}

impl ToSchema for WayName {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("DepositWay")
    }
}

/// What would come of depositing a token; nothing was sent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ExaminationView {
    /// Its contract.
    pub token: HexAddress,
    /// Its symbol, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symbol: Option<String>,
    /// How many digits of an amount stand behind the point.
    pub decimals: u8,
    /// What our account holds.
    pub balance: Decimal,
    /// What was asked about.
    pub amount: Decimal,
    /// What would be credited by the first of the ways; left out where it cannot be told before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrives: Option<Decimal>,
    /// What is strange about it, the gravest first.
    pub oddities: Vec<OddityView>,
    /// How it could be deposited, the best first.
    pub ways: Vec<OfferView>,
    /// How a relay could bring it for a signature, the cheapest first.
    pub gasless: Vec<String>,
    /// What a unit of gas costs now, in wei.
    pub gas_price: Decimal,
    /// Coins of our account, in wei.
    pub coins: Decimal,
}

/// Something strange.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct OddityView {
    /// A stable word.
    pub code: String,
    /// In words.
    pub detail: String,
    /// Whether no deposit can come of it.
    pub fatal: bool,
}

/// A way that would work now.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct OfferView {
    /// Which.
    pub way: WayName,
    /// Of all its transactions, approvals included, as far as it can be known.
    pub gas: u64,
    /// What that costs now, in wei.
    pub fee: Decimal,
    /// How many transactions.
    pub transactions: u8,
    /// What would be credited; left out where it cannot be told before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrives: Option<Decimal>,
}

impl From<&Prospect> for ExaminationView {
    fn from(prospect: &Prospect) -> Self {
        let found = &prospect.found;
        Self {
            token: HexAddress(found.funding.token().0),
            symbol: Some(found.info.symbol.clone()).filter(|symbol| !symbol.is_empty()),
            decimals: found.info.decimals,
            balance: Decimal(found.balance),
            amount: Decimal(found.funding.amount()),
            arrives: found.arrives.map(Decimal),
            oddities: found
                .oddities
                .iter()
                .map(|oddity| OddityView {
                    code: oddity.as_str().to_owned(),
                    detail: oddity.to_string(),
                    fatal: oddity.is_fatal(),
                })
                .collect(),
            ways: found
                .ways
                .iter()
                .map(|offer| OfferView {
                    way: WayName(offer.way),
                    gas: offer.gas,
                    fee: Decimal(Amount(prospect.cost(offer))),
                    transactions: offer.transactions,
                    arrives: offer.arrives.map(Decimal),
                })
                .collect(),
            gasless: found.gasless.iter().map(ToString::to_string).collect(),
            gas_price: Decimal(Amount(prospect.gas_price)),
            coins: Decimal(Amount(prospect.coins)),
        }
    }
}
