//! Finding an account without knowing its address.

use photon_net::{Config, Discovery, Multiaddr, Net};

use crate::common::{Carrier, Node, config, identity};

fn named(net: &Net) -> Multiaddr {
    format!("{}/p2p/{}", net.listen_addresses()[0], net.local_peer_id()).parse().unwrap()
}

async fn start(number: u8, bootstrap: Vec<Multiaddr>) -> Node {
    let discovery = Some(Discovery { bootstrap, external: Vec::new() });
    Node::start_with(Config { discovery, ..config(Carrier::Tcp) }, identity(number)).await
}

#[tokio::test]
async fn two_nodes_that_know_a_third_find_each_other_by_account() {
    let meeting_point = start(1, Vec::new()).await;
    let mut alice = start(2, vec![named(&meeting_point.net)]).await;
    let mut bob = start(3, vec![named(&meeting_point.net)]).await;
    alice.net.add_peer(bob.account, Vec::new());
    alice.connected(bob.account).await;
    bob.connected(alice.account).await;
    alice.send(&bob, b"found you");
    assert_eq!(bob.frame(alice.account).await, "found you");
}

#[tokio::test]
async fn a_bootstrap_address_without_a_peer_id_is_refused() {
    let bootstrap = vec!["/ip4/127.0.0.1/tcp/1".parse().unwrap()];
    let discovery = Some(Discovery { bootstrap, external: Vec::new() });
    let config = Config { discovery, ..config(Carrier::Tcp) };
    let refused = Net::start(config, identity(1), crate::common::verify()).await;
    assert!(matches!(refused, Err(photon_net::Error::Bootstrap(_))));
}

/// Set in the process that runs within a network of its own.
const OWN_NETWORK: &str = "PHOTON_TEST_OWN_NETWORK";

/// Makes an interface with multicast, then becomes the program that follows.
const LAN: &str = "ip link set lo up \
    && ip link add lan0 type veth peer name lan1 && ip link set lan1 up \
    && ip address add 10.0.0.1/24 dev lan0 && ip link set lan0 up multicast on \
    && exec \"$@\"";

/// Multicast must go nowhere else, so this test runs itself again within a network of its own.
#[tokio::test]
async fn two_nodes_of_one_local_network_find_each_other_by_account() {
    if std::env::var_os(OWN_NETWORK).is_none() {
        let status = std::process::Command::new("unshare")
            .args(["--map-root-user", "--net", "sh", "-c", LAN, "sh"])
            .arg(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "discovery::two_nodes_of_one_local_network_find_each_other_by_account",
            ])
            .env(OWN_NETWORK, "1")
            .status()
            .expect("unshare (util-linux) and ip (iproute2) are installed");
        assert!(status.success(), "{status}");
        return;
    }
    let local = || Config {
        listen: vec!["/ip4/0.0.0.0/tcp/0".parse().unwrap()],
        local_discovery: true,
        ..config(Carrier::Tcp)
    };
    let mut alice = Node::start_with(local(), identity(1)).await;
    let mut bob = Node::start_with(local(), identity(2)).await;
    alice.net.add_peer(bob.account, Vec::new());
    alice.connected(bob.account).await;
    bob.connected(alice.account).await;
}
