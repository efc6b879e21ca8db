/// A channel to open.
#[derive(Clone, Debug)]
pub struct OpenRequest {
    /// The token.
    pub token: Token,
    /// The other side.
    pub partner: Address,
    /// How long a dispute takes updates; none takes the shortest that is safe.
    pub settle_timeout: Option<Seconds>,
    /// Our first deposit; may be zero.
    pub deposit: Amount,
    /// How long to wait for the channel; none does not wait.
    pub wait: Option<Duration>,
}

/// A deposit to make.
#[derive(Clone, Debug)]
pub struct DepositRequest {
    /// The channel.
    pub channel: ChannelId,
    /// Whose deposit grows; none: ours.
    pub participant: Option<Address>,
    /// By how much.
    pub amount: Amount,
    /// How long to wait for it; none does not wait.
    pub wait: Option<Duration>,
}

/// A transaction that was asked for.
#[derive(Clone, Debug)]
pub struct Submitted {
    /// Its name, for [`crate::NodeHandle::transaction`].
    pub transaction: IntentId,
    /// The channel that it is about.
    pub channel: ChannelId,
    /// Whether it is done at the depth we demand; always false where nobody waited.
    pub done: bool,
    /// The channel as it is now; none where it is not open yet or gone.
    pub view: Option<ChannelView>,
}
