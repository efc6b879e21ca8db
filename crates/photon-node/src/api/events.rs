//! What happens, as server-sent events: replayed from a cursor, then live.

use super::extract::Params;
use super::problem::{Answer, Problems, Refusal};
use super::state::Api;
use super::types::Event as EventView;
use crate::events::{EventStream, EventsFrom};
use crate::handle::NodeHandle;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::Stream;
use serde::Deserialize;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use utoipa::IntoParams;

/// How often a silent stream says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Where to begin.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventParams {
    /// The number of the last event that was seen; `start` begins with the first that there ever
    /// was; none begins with the next one.
    after: Option<String>,
}

/// What happens, as it happens.
///
/// Each event has its number as `id`, its kind as `event` and an Event as `data`. Whoever comes
/// back with the header `Last-Event-ID`, as browsers do, misses nothing. A comment every 15
/// seconds shows that the stream lives.
#[utoipa::path(
    get, path = "/api/v1/events", operation_id = "watchEvents", tag = "events",
    params(
        EventParams,
        (
            "Last-Event-ID" = Option<u64>, Header,
            description = "The number of the last event that was seen; goes before `after`."
        ),
    ),
    responses(
        (
            status = 200, description = "The events.", body = EventView,
            content_type = "text/event-stream"
        ),
        Problems,
    ),
)]
pub(crate) async fn events(
    State(api): State<Api>,
    State(node): State<NodeHandle>,
    headers: HeaderMap,
    Params(params): Params<EventParams>,
) -> Answer<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let from = beginning(&headers, &params)?;
    let permit = api.stream_permit()?;
    let heartbeat = KeepAlive::new().interval(HEARTBEAT).text("still here");
    Ok(Sse::new(told(node.events(from), permit)).keep_alive(heartbeat))
}

fn beginning(headers: &HeaderMap, params: &EventParams) -> Answer<EventsFrom> {
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    match last.or(params.after.as_deref()).map(str::trim) {
        None => Ok(EventsFrom::Now),
        Some("start" | "") => Ok(EventsFrom::Start),
        Some(text) => match text.parse() {
            Ok(number) => Ok(EventsFrom::After(number)),
            Err(_) => {
                let shown: String = text.chars().take(40).collect();
                let detail = format!("`{shown}` is no event's number; say a number, or start");
                Err(Refusal::malformed(detail))
            }
        },
    }
}

/// Ends with the node, or where the past cannot be read: whoever comes back goes on from there.
fn told(
    events: EventStream,
    permit: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<Event, Infallible>> {
    futures::stream::unfold((events, permit), |(mut events, permit)| async move {
        let numbered = events.next().await?.ok()?;
        let view = EventView::from(&numbered);
        let event = Event::default().id(view.number.to_string()).event(view.what.name());
        let event = event.json_data(&view).ok()?;
        Some((Ok(event), (events, permit)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(last: Option<&str>, after: Option<&str>) -> Answer<EventsFrom> {
        let headers = last
            .map(|last| ("last-event-id".parse().unwrap(), last.parse().unwrap()))
            .into_iter()
            .collect();
        beginning(&headers, &EventParams { after: after.map(str::to_owned) })
    }

    #[test]
    fn the_cursor_says_where_to_begin() {
        assert_eq!(from(None, None), Ok(EventsFrom::Now));
        assert_eq!(from(None, Some("start")), Ok(EventsFrom::Start));
        assert_eq!(from(None, Some("7")), Ok(EventsFrom::After(7)));
        assert_eq!(from(Some("8"), Some("7")), Ok(EventsFrom::After(8)));
        assert!(from(None, Some("-1")).is_err());
        assert!(from(Some("yesterday"), None).is_err());
    }
}
