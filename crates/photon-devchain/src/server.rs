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
use tokio::{
    sync::{Semaphore, watch},
    task::spawn_blocking,
};

use crate::{node::Node, rpc, subscriptions::Session};

/// The longest request, in bytes.
const MAX_BODY: usize = 5 * 1024 * 1024;

/// The most requests that are worked on at once; the others wait.
const MAX_ANSWERS: usize = 16;

/// What the handlers are given.
#[derive(Clone)]
pub(crate) struct Shared {
    node: Arc<Node>,
    /// Becomes true when the chain shuts down.
    stop: watch::Receiver<bool>,
    /// Who answers holds one: each answer may take the memory of a whole call.
    turns: Arc<Semaphore>,
}

impl Shared {
    pub(crate) fn new(node: Arc<Node>, stop: watch::Receiver<bool>) -> Self {
        Self { node, stop, turns: Arc::new(Semaphore::new(MAX_ANSWERS)) }
    }

    /// Answers one request or batch; none if there is no answer to be had any more.
    async fn answer(&self, session: Option<Arc<Session>>, body: Bytes) -> Option<Option<String>> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.ok()?;
        let node = Arc::clone(&self.node);
        // The EVM may run for long: not on the threads that serve the sockets.
        let answer = move || {
            let answer = rpc::answer(&node, session.as_deref(), &body);
            drop(turn);
            answer
        };
        spawn_blocking(answer).await.ok()
    }
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
    match shared.answer(None, body).await {
        Some(Some(answer)) => {
            ([(header::CONTENT_TYPE, "application/json")], answer).into_response()
        }
        Some(None) => StatusCode::NO_CONTENT.into_response(),
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
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
                Some(Ok(message)) => reply(&mut socket, &shared, &session, message).await,
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
    shared: &Shared,
    session: &Arc<Session>,
    message: Message,
) -> Option<()> {
    let request = match message {
        Message::Text(text) => text.into(),
        Message::Binary(bytes) => bytes,
        Message::Ping(_) | Message::Pong(_) => return Some(()),
        Message::Close(_) => return None,
    };
    match shared.answer(Some(Arc::clone(session)), request).await? {
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
