//! Opens or accepts the one stream of a connection.
//!
//! The dialling side opens it, the listening side accepts exactly one. (`libp2p-stream` does not
//! tell which connection a stream belongs to, drops streams under load, and keeps a channel for
//! every connection there ever was.)

use std::{
    collections::VecDeque,
    convert::Infallible,
    future::{Ready, ready},
    option,
    task::{Context, Poll},
    time::Duration,
};

use libp2p::{
    InboundUpgrade, Stream, StreamProtocol,
    core::{UpgradeInfo, upgrade::ReadyUpgrade},
    swarm::{
        ConnectionHandler, ConnectionHandlerEvent, SubstreamProtocol,
        handler::{ConnectionEvent, FullyNegotiatedInbound, FullyNegotiatedOutbound},
    },
};

use crate::frame::PROTOCOL;

/// What this side does on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Open the stream.
    Open,
    /// Wait for the other side to open it.
    Accept,
    /// Neither: the connection serves discovery only.
    Silent,
}

/// What a connection tells about its stream.
#[derive(Debug)]
pub(crate) enum StreamEvent {
    /// The stream is there.
    Ready(Stream),
    /// The other side does not speak our protocol, or failed to open it.
    Failed,
    /// The other side opened another one, which was closed.
    Surplus,
}

/// The per-connection part of [`Gate`](crate::gate::Gate).
pub(crate) struct Handler {
    role: Role,
    timeout: Duration,
    asked: bool,
    accepted: bool,
    surplus: bool,
    events: VecDeque<StreamEvent>,
}

impl Handler {
    pub(crate) fn new(role: Role, timeout: Duration) -> Self {
        Self {
            role,
            timeout,
            asked: false,
            accepted: false,
            surplus: false,
            events: VecDeque::new(),
        }
    }

    /// Queues at most three events over the life of a connection.
    fn on_inbound(&mut self, stream: Stream) {
        if !self.accepted {
            self.accepted = true;
            self.events.push_back(StreamEvent::Ready(stream));
        } else if !self.surplus {
            self.surplus = true;
            self.events.push_back(StreamEvent::Surplus);
        }
    }
}

/// Takes the stream as it is, if we accept any on this connection.
pub(crate) struct Accept(Option<StreamProtocol>);

impl UpgradeInfo for Accept {
    type Info = StreamProtocol;
    type InfoIter = option::IntoIter<StreamProtocol>;

    fn protocol_info(&self) -> Self::InfoIter {
        self.0.clone().into_iter()
    }
}

impl InboundUpgrade<Stream> for Accept {
    type Output = Stream;
    type Error = Infallible;
    type Future = Ready<Result<Stream, Infallible>>;

    fn upgrade_inbound(self, stream: Stream, _: StreamProtocol) -> Self::Future {
        ready(Ok(stream))
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Infallible;
    type ToBehaviour = StreamEvent;
    type InboundProtocol = Accept;
    type OutboundProtocol = ReadyUpgrade<StreamProtocol>;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol> {
        let protocol = (self.role == Role::Accept).then_some(PROTOCOL);
        SubstreamProtocol::new(Accept(protocol), ()).with_timeout(self.timeout)
    }

    fn poll(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, (), Self::ToBehaviour>> {
        if let Some(event) = self.events.pop_front() {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(event));
        }
        if self.role == Role::Open && !self.asked {
            self.asked = true;
            let protocol =
                SubstreamProtocol::new(ReadyUpgrade::new(PROTOCOL), ()).with_timeout(self.timeout);
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
        }
        Poll::Pending
    }

    fn on_behaviour_event(&mut self, event: Self::FromBehaviour) {
        match event {}
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "a foreign, non-exhaustive enum")]
    fn on_connection_event(
        &mut self,
        event: ConnectionEvent<'_, Self::InboundProtocol, Self::OutboundProtocol>,
    ) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
                protocol: stream,
                ..
            }) => self.on_inbound(stream),
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
                protocol: stream,
                ..
            }) => self.events.push_back(StreamEvent::Ready(stream)),
            ConnectionEvent::DialUpgradeError(_) => self.events.push_back(StreamEvent::Failed),
            _ => {}
        }
    }
}
