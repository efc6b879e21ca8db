//! The parameters of a request.

use std::str::FromStr as _;

use alloy::primitives::U256;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::RpcError;

/// Positional parameters; missing and null are the same.
pub(crate) struct Params(Vec<Value>);

impl Params {
    pub(crate) fn new(params: Option<Value>) -> Result<Self, RpcError> {
        match params {
            None | Some(Value::Null) => Ok(Self(Vec::new())),
            Some(Value::Array(values)) => Ok(Self(values)),
            Some(_) => Err(RpcError::invalid_params("parameters must be an array")),
        }
    }

    fn present(&self, index: usize) -> Option<&Value> {
        self.0.get(index).filter(|value| !value.is_null())
    }

    pub(crate) fn required<T: DeserializeOwned>(
        &self,
        index: usize,
        name: &str,
    ) -> Result<T, RpcError> {
        self.optional(index, name)?.ok_or_else(|| RpcError::missing(index, name))
    }

    pub(crate) fn optional<T: DeserializeOwned>(
        &self,
        index: usize,
        name: &str,
    ) -> Result<Option<T>, RpcError> {
        self.present(index)
            .map(|value| {
                T::deserialize(value).map_err(|cause| {
                    RpcError::invalid_params(format!("invalid argument {index} ({name}): {cause}"))
                })
            })
            .transpose()
    }

    /// A number, however it is written: as a JSON number, in hex or in decimal digits.
    pub(crate) fn quantity(&self, index: usize, name: &str) -> Result<U256, RpcError> {
        self.optional_quantity(index, name)?.ok_or_else(|| RpcError::missing(index, name))
    }

    pub(crate) fn optional_quantity(
        &self,
        index: usize,
        name: &str,
    ) -> Result<Option<U256>, RpcError> {
        self.present(index)
            .map(|value| {
                quantity(value).ok_or_else(|| {
                    let why = format!("invalid argument {index} ({name}): {value} is no quantity");
                    RpcError::invalid_params(why)
                })
            })
            .transpose()
    }

    /// A number that fits 64 bits.
    pub(crate) fn number(&self, index: usize, name: &str) -> Result<u64, RpcError> {
        fit(self.quantity(index, name)?, index, name)
    }

    pub(crate) fn optional_number(
        &self,
        index: usize,
        name: &str,
    ) -> Result<Option<u64>, RpcError> {
        self.optional_quantity(index, name)?.map(|value| fit(value, index, name)).transpose()
    }

    pub(crate) fn is_object(&self, index: usize) -> bool {
        self.present(index).is_some_and(Value::is_object)
    }

    fn member(&self, index: usize, field: &str) -> Option<&Value> {
        self.present(index)?.get(field).filter(|value| !value.is_null())
    }

    /// A field of an object parameter, as a number.
    pub(crate) fn field(&self, index: usize, field: &str) -> Result<Option<U256>, RpcError> {
        let number = |value: &Value| {
            quantity(value).ok_or_else(|| {
                let why = format!("invalid argument {index} ({field}): {value} is no quantity");
                RpcError::invalid_params(why)
            })
        };
        self.member(index, field).map(number).transpose()
    }

    /// A field of an object parameter.
    pub(crate) fn part<T: DeserializeOwned>(
        &self,
        index: usize,
        field: &str,
    ) -> Result<Option<T>, RpcError> {
        let read = |value: &Value| {
            T::deserialize(value).map_err(|cause| {
                RpcError::invalid_params(format!("invalid argument {index} ({field}): {cause}"))
            })
        };
        self.member(index, field).map(read).transpose()
    }
}

fn fit(value: U256, index: usize, name: &str) -> Result<u64, RpcError> {
    u64::try_from(value).map_err(|_| {
        RpcError::invalid_params(format!("invalid argument {index} ({name}): {value} is too large"))
    })
}

fn quantity(value: &Value) -> Option<U256> {
    match value.as_str() {
        Some(text) if !text.is_empty() && text != "0x" => U256::from_str(text).ok(),
        Some(_) => None,
        None => value.as_u64().map(U256::from),
    }
}

impl RpcError {
    pub(crate) fn missing(index: usize, name: &str) -> Self {
        Self::invalid_params(format!("missing value for required argument {index} ({name})"))
    }
}
