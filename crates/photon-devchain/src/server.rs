//! HTTP and WebSocket on one port.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{
        DefaultBodyLimit, State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    http::{HeaderValue, StatusCode, header},
    middleware::map_response,
    response::{IntoResponse as _, Response},
    routing::any,
};
use tokio::{sync::watch, task::spawn_blocking};

use crate::{node::Node, rpc, subscriptions::Session};

/// The longest request, in bytes.
const MAX_BODY: usize = 5 * 1024 * 1024;

/// What the handlers are given.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) node: Arc<Node>,
    /// Becomes true when the chain shuts down.
    pub(crate) stop: watch::Receiver<bool>,
}

/// POST is HTTP, an upgraded GET is a WebSocket; any web page may ask, as wallets in browsers do.
pub(crate) fn router(shared: Shared) -> Router {
    let entry = any(refuse).get(upgrade).post(post).options(preflight);
    Router::new()
        .route("/", entry.clone())
        .route("/ws", entry)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(map_response(allow_any_origin))
        .with_state(shared)
}

async fn refuse() -> StatusCode {
    StatusCode::METHOD_NOT_ALLOWED
}

async fn preflight() -> StatusCode {
    StatusCode::NO_CONTENT
}

async fn allow_any_origin(mut response: Response) -> Response {
    let any = HeaderValue::from_static("*");
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, any.clone());
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, any);
    let methods = HeaderValue::from_static("POST, GET, OPTIONS");
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    response
}

async fn post(State(shared): State<Shared>, body: Bytes) -> Response {
    let node = shared.node;
    // The EVM may run for long: not on the threads that serve the sockets.
    match spawn_blocking(move || rpc::answer(&node, None, &body)).await {
        Ok(Some(answer)) => ([(header::CONTENT_TYPE, "application/json")], answer).into_response(),
        Ok(None) => StatusCode::NO_CONTENT.into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn upgrade(State(shared): State<Shared>, upgrade: WebSocketUpgrade) -> Response {
    upgrade
        .max_message_size(MAX_BODY)
        .max_frame_size(MAX_BODY)
        .on_upgrade(move |socket| serve(socket, shared))
}

/// Answers requests in turn, and tells between them what was subscribed to.
async fn serve(mut socket: WebSocket, mut shared: Shared) {
    let session = Arc::new(Session::default());
    let mut bell = shared.node.chain().events.bell();
    loop {
        let sent = tokio::select! {
            () = stopped(&mut shared.stop) => return,
            message = socket.recv() => match message {
                Some(Ok(message)) => reply(&mut socket, &shared.node, &session, message).await,
                Some(Err(_)) | None => return,
            },
            Ok(()) = bell.changed() => notify(&mut socket, &shared.node, &session).await,
        };
        if sent.is_none() {
            return;
        }
    }
}

/// Returns when the chain shuts down.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the handle on the chain is gone: that is the end, too.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// None when the connection is over.
async fn reply(
    socket: &mut WebSocket,
    node: &Arc<Node>,
    session: &Arc<Session>,
    message: Message,
) -> Option<()> {
    let request = match message {
        Message::Text(text) => text.into(),
        Message::Binary(bytes) => bytes,
        Message::Ping(_) | Message::Pong(_) => return Some(()),
        Message::Close(_) => return None,
    };
    let (node, session) = (Arc::clone(node), Arc::clone(session));
    let answer = spawn_blocking(move || rpc::answer(&node, Some(&session), &request)).await.ok()?;
    match answer {
        Some(answer) => socket.send(Message::text(answer)).await.ok(),
        None => Some(()),
    }
}

/// None when the connection is over, or too slow to keep.
async fn notify(socket: &mut WebSocket, node: &Arc<Node>, session: &Arc<Session>) -> Option<()> {
    let due = session.notifications(&node.chain());
    let Ok(notifications) = due else {
        tracing::warn!("a connection was closed: it reads its notifications too slowly");
        return None;
    };
    for notification in notifications {
        socket.send(Message::text(notification)).await.ok()?;
    }
    Some(())
}
