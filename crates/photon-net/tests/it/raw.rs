//! A bare libp2p peer that says what it likes.

use futures::{AsyncReadExt as _, AsyncWriteExt as _, StreamExt as _};
use libp2p::{
    Multiaddr, PeerId, Stream, StreamProtocol, SwarmBuilder, identity::Keypair, noise,
    swarm::SwarmEvent, tcp, yamux,
};
use photon_net::{Identity, Net};
use tokio::task::JoinHandle;

use crate::common::within;

/// A connection of its own, up to the point where statements are due.
pub(crate) struct Raw {
    pub(crate) stream: Stream,
    task: JoinHandle<()>,
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Raw {
    /// Connects with the transport key of `identity` and opens the stream.
    pub(crate) async fn connect(net: &Net, identity: &Identity) -> Self {
        Self::try_connect(net.listen_addresses()[0].clone(), net.local_peer_id(), identity)
            .await
            .expect("the node accepts the connection")
    }

    pub(crate) async fn try_connect(
        address: Multiaddr,
        peer: PeerId,
        identity: &Identity,
    ) -> Option<Self> {
        let keypair = Keypair::ed25519_from_bytes(identity.transport_key).unwrap();
        let mut swarm = SwarmBuilder::with_existing_identity(keypair)
            .with_tokio()
            .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
            .unwrap()
            .with_behaviour(|_| libp2p_stream::Behaviour::new())
            .unwrap()
            .build();
        let mut control = swarm.behaviour().new_control();
        swarm.dial(address).unwrap();
        within(async {
            loop {
                match swarm.select_next_some().await {
                    SwarmEvent::ConnectionEstablished { .. } => return Some(()),
                    SwarmEvent::OutgoingConnectionError { .. } => return None,
                    _ => {}
                }
            }
        })
        .await?;
        let task = tokio::spawn(async move {
            loop {
                swarm.select_next_some().await;
            }
        });
        let protocol = StreamProtocol::new("/photon/1");
        let stream = within(control.open_stream(peer, protocol)).await.ok()?;
        Some(Self { stream, task })
    }

    /// Goes through the handshake like an honest node.
    pub(crate) async fn greet(&mut self, identity: &Identity) {
        self.write_frame(&identity.statement).await;
        self.read_frame().await.expect("the node's statement");
        self.write_frame(&[]).await;
        assert_eq!(self.read_frame().await.expect("the node's acceptance"), []);
    }

    pub(crate) async fn write_frame(&mut self, frame: &[u8]) {
        let length = u32::try_from(frame.len()).unwrap();
        self.write(&length.to_be_bytes()).await;
        self.write(frame).await;
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        // The node may have closed already; then reading tells.
        let _ = within(async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        })
        .await;
    }

    /// None once the node has closed the stream.
    pub(crate) async fn read_frame(&mut self) -> Option<Vec<u8>> {
        within(async {
            let mut length = [0; 4];
            self.stream.read_exact(&mut length).await.ok()?;
            let mut frame = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap()];
            self.stream.read_exact(&mut frame).await.ok()?;
            Some(frame)
        })
        .await
    }
}
