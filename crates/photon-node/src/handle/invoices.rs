/// An invoice to make.
#[derive(Clone, Debug)]
pub struct InvoiceRequest {
    /// The token asked for.
    pub token: Token,
    /// How much; none leaves it to the payer.
    pub amount: Option<Amount>,
    /// For people.
    pub description: String,
    /// How long it is valid; none: an hour.
    pub valid_for: Option<Seconds>,
}
