/// What the chain says of a token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenInfo {
    /// The contract.
    pub token: Token,
    /// Its symbol, where it has one; as the token says it, so not to be trusted.
    pub symbol: Option<String>,
    /// How many digits of an amount stand behind the point, where it says.
    pub decimals: Option<u8>,
    /// What our account holds outside channels; none where the chain does not answer.
    pub balance: Option<Amount>,
}
