/// Notices from a cursor on: the past from the store, then the present.
/// `next()` is cancel safe; none once the node stops.
pub struct EventStream { }
// impl EventStream { pub async fn next(&mut self) -> Option<Result<(u64, Notice), RequestError>> }
