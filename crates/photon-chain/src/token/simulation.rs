//! What would come of several calls in a row, asked of the chain before anything is sent.

use crate::endpoint::Endpoint;
use crate::error::ChainError;
use alloy::primitives::{Address, Bytes, U64};
use serde_json::{Value, json};

/// Bytes of the code for one step.
const STEP: usize = 77;
/// Bytes of the code after the last step.
const END: usize = 10;

/// One call that an account would make.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Step {
    pub(crate) to: Address,
    /// In wei.
    pub(crate) value: u128,
    pub(crate) input: Bytes,
}

impl Step {
    pub(crate) fn new(to: Address, input: impl Into<Bytes>) -> Self {
        Self { to, value: 0, input: input.into() }
    }

    /// As `eth_call` and `eth_estimateGas` take it.
    pub(crate) fn question(&self, from: Address) -> Value {
        let mut question = json!({ "from": from, "to": self.to, "data": self.input });
        if self.value != 0 {
            question["value"] = json!(alloy::primitives::U128::from(self.value));
        }
        question
    }
}

/// Asks in the name of an account.
#[derive(Clone, Copy)]
pub(crate) struct Simulation<'a> {
    endpoint: &'a Endpoint,
    account: Address,
    /// Whether the endpoint lets an account have another code for the time of a question.
    pub(crate) overrides: bool,
}

impl<'a> Simulation<'a> {
    /// Finds out what the endpoint can.
    pub(crate) async fn of(endpoint: &'a Endpoint, account: Address) -> Result<Self, ChainError> {
        // Returns 0x42: MSTORE at 0, RETURN 32 bytes.
        let code = Bytes::from_static(&[0x60, 0x42, 0x60, 0, 0x52, 0x60, 0x20, 0x60, 0, 0xf3]);
        let overrides = match overridden(endpoint, account, &code).await {
            Ok(answer) => answer.last() == Some(&0x42),
            // Old chains refuse a third parameter, or do not look at it and find no code.
            Err(ChainError::Refused { .. } | ChainError::Reverted(_)) => false,
            Err(error) => return Err(error),
        };
        Ok(Self { endpoint, account, overrides })
    }

    /// What the last of the steps returns, after the others; only where there are overrides.
    pub(crate) async fn run(&self, steps: &[Step]) -> Result<Bytes, ChainError> {
        overridden(self.endpoint, self.account, &program(steps)).await
    }

    /// What the step returns, on the state as it is.
    pub(crate) async fn ask(&self, step: &Step) -> Result<Bytes, ChainError> {
        self.endpoint.request("eth_call", (step.question(self.account), "latest")).await
    }

    /// The gas of the steps, each a transaction of its own; only where there are overrides.
    pub(crate) async fn gas(&self, steps: &[Step]) -> Result<u64, ChainError> {
        let state = json!({ self.account.to_string(): { "code": program(steps) } });
        let question = json!({ "to": self.account });
        let gas: U64 =
            self.endpoint.request("eth_estimateGas", (question, "latest", state)).await?;
        let base = steps.iter().map(|step| BASE.saturating_add(of_data(&step.input)));
        Ok(base.fold(gas.to::<u64>().saturating_sub(BASE), u64::saturating_add))
    }
}

/// What each transaction costs before it does anything.
pub(crate) const BASE: u64 = 21_000;

/// The gas of a transaction's data. Source: EIP-2028.
fn of_data(input: &[u8]) -> u64 {
    input.iter().map(|byte| if *byte == 0 { 4 } else { 16 }).sum()
}

async fn overridden(
    endpoint: &Endpoint,
    account: Address,
    code: &Bytes,
) -> Result<Bytes, ChainError> {
    let state = json!({ account.to_string(): { "code": code } });
    endpoint.request("eth_call", (json!({ "to": account }), "latest", state)).await
}

/// Code that makes the calls in a row and returns what the last one returns; where one reverts, it
/// reverts with the same data. Never deployed: it stands in an account for one question.
fn program(steps: &[Step]) -> Bytes {
    let mut code = Vec::new();
    let mut offset = steps.len().saturating_mul(STEP).saturating_add(END);
    for step in steps {
        let length = step.input.len();
        let [data, size] = [offset, length].map(push);
        // Memory from 0: the input.
        code.extend(size.iter().chain(&data).chain(&[0x60, 0, 0x39]));
        // CALL(gas, to, value, 0, length, 0, 0)
        code.extend([0x60, 0, 0x60, 0].iter().chain(&size).chain(&[0x60, 0, 0x6f]));
        code.extend(step.value.to_be_bytes());
        code.push(0x73);
        code.extend(step.to.iter().chain(&[0x5a, 0xf1]));
        let success = code.len().saturating_add(15);
        code.extend(push(success).iter().chain(&[0x57]));
        // RETURNDATACOPY(0, 0, RETURNDATASIZE), REVERT
        code.extend([0x3d, 0x60, 0, 0x60, 0, 0x3e, 0x3d, 0x60, 0, 0xfd, 0x5b]);
        offset = offset.saturating_add(length);
    }
    code.extend([0x3d, 0x60, 0, 0x60, 0, 0x3e, 0x3d, 0x60, 0, 0xf3]);
    steps.iter().for_each(|step| code.extend_from_slice(&step.input));
    code.into()
}

/// PUSH3. No input comes near 16 MiB.
fn push(number: usize) -> [u8; 4] {
    let [.., high, middle, low] = number.to_be_bytes();
    [0x62, high, middle, low]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_jumps_to_its_own_end_and_copies_its_own_input() {
        let steps = [
            Step { to: Address::repeat_byte(1), value: 5, input: vec![0xaa; 3].into() },
            Step::new(Address::repeat_byte(2), vec![0xbb; 300]),
        ];
        let code = program(&steps);
        assert_eq!(code.len(), 2 * STEP + END + 303);
        for end in [STEP, 2 * STEP] {
            assert_eq!(code[end - 1], 0x5b, "a JUMPDEST ends the step");
            let target = usize::from(code[end - 14]) << 8 | usize::from(code[end - 13]);
            assert_eq!(target, end - 1);
        }
        assert_eq!(code[2 * STEP + END..][..3], [0xaa; 3]);
        assert_eq!(code.last(), Some(&0xbb));
    }
}
