//! Three nodes, each its own process, on a chain that is a process as well: what the README lets a
//! person type.

use crate::support::{Running, fact, run, text};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const WORDS: &str = "test test test test test test test test test test test junk";
const PATIENCE: Duration = Duration::from_secs(30);

/// A chain with the contract and a token.
struct Ground {
    folder: TempDir,
    chain: Running,
    url: String,
    key: String,
    network: PathBuf,
}

/// A node that runs, and how it is asked.
struct Person {
    running: Running,
    account: String,
    data_dir: PathBuf,
}

impl Ground {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let chain =
            Running::start(&["devchain", "--port", "0", "--block-time", "1", "--json"], "{");
        let said: Value = serde_json::from_str(chain.said.trim()).unwrap();
        let url = said["url"].as_str().unwrap().to_owned();
        let key = said["accounts"][0]["key"].as_str().unwrap().to_owned();
        let network = folder.path().join("network.toml");
        let ground = Self { folder, chain, url, key, network };
        let file = text(&ground.network).to_owned();
        let deployed = ground.on_chain(&[
            "contracts",
            "deploy",
            "--network",
            &file,
            "--least-settle-timeout",
            "60",
            "--challenge",
            "10",
        ]);
        assert!(fact(&deployed, "contract").is_some(), "{deployed}");
        ground.on_chain(&["token", "deploy", "--network", &file, "--decimals", "0"]);
        fs::write(ground.folder.path().join("words"), WORDS).unwrap();
        owners(&ground.folder.path().join("words"));
        ground
    }

    /// A command that speaks with the chain in the name of the first account.
    fn on_chain(&self, arguments: &[&str]) -> String {
        let whole = ["--chain", &self.url, "--private-key", &self.key];
        run(&[arguments, &whole].concat()).good()
    }

    fn mint(&self, account: &str, amount: &str) {
        let network = text(&self.network);
        self.on_chain(&["token", "mint", "TEST", account, amount, "--network", network]);
    }

    fn balance(&self, account: &str) -> String {
        let (network, url) = (text(&self.network), self.url.as_str());
        let asked = ["token", "balance", "TEST", account, "--network", network, "--chain", url];
        run(&asked).good().trim().to_owned()
    }

    fn person(&self, index: usize, peer: Option<&Person>) -> Person {
        let data_dir = self.folder.path().join(index.to_string());
        let words = self.folder.path().join("words");
        let index = index.to_string();
        let mut arguments = vec![
            "node",
            "--data-dir",
            text(&data_dir),
            "--network",
            text(&self.network),
            "--chain",
            &self.url,
            "--mnemonic-file",
            text(&words),
            "--mnemonic-index",
            &index,
            "--listen",
            "/ip4/127.0.0.1/tcp/0",
            "--api-listen",
            "127.0.0.1:0",
            "--timing",
            "development",
        ];
        let at = peer.map(|peer| peer.running.fact("peers"));
        if let Some(at) = &at {
            arguments.extend(["--peer", at]);
        }
        let running = Running::start(&arguments, "API token");
        let account = running.fact("account");
        Person { running, account, data_dir }
    }

    /// Moves the chain's clock.
    fn skip(&self, seconds: u64) {
        let question =
            json!({ "jsonrpc": "2.0", "id": 1, "method": "evm_increaseTime", "params": [seconds] });
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let client = reqwest::Client::new();
            client.post(&self.url).json(&question).send().await.unwrap();
        });
    }
}

impl Person {
    fn ask(&self, arguments: &[&str]) -> String {
        run(&[arguments, &["--data-dir", text(&self.data_dir)]].concat()).good()
    }

    fn refused(&self, arguments: &[&str]) -> String {
        let ended = run(&[arguments, &["--data-dir", text(&self.data_dir)]].concat());
        assert_eq!(ended.code, 1, "{arguments:?}: {ended:?}");
        ended.err
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let text = self.ask(&[arguments, &["--json"]].concat());
        serde_json::from_str(&text).unwrap()
    }

    /// Our balance and the partner's in every channel, by partner.
    fn balances(&self) -> Vec<(String, String, String)> {
        let channels = self.json(&["channel", "list"]);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut all: Vec<_> = channels
            .as_array()
            .unwrap()
            .iter()
            .map(|channel| {
                let balance = |side: &str| text(&channel[side]["balance"]);
                (text(&channel["partner"]), balance("ours"), balance("theirs"))
            })
            .collect();
        all.sort();
        all
    }

    fn await_balance(&self, partner: &Self, ours: &str, theirs: &str) {
        let expected = (partner.account.clone(), ours.to_owned(), theirs.to_owned());
        until(|| self.balances().contains(&expected), || format!("{:?}", self.balances()));
    }
}

fn until(is_so: impl Fn() -> bool, seen: impl Fn() -> String) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{}", seen());
        sleep(Duration::from_millis(100));
    }
}

#[cfg(unix)]
fn owners(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[cfg(not(unix))]
fn owners(_: &Path) {}

#[test]
#[cfg(unix)]
fn three_nodes_by_hand() {
    let ground = Ground::new();
    let carol = ground.person(3, None);
    let bob = ground.person(2, Some(&carol));
    let alice = ground.person(1, Some(&bob));
    for person in [&alice, &bob, &carol] {
        ground.mint(&person.account, "1000");
    }
    let opened =
        alice.ask(&["channel", "open", &bob.account, "--token", "TEST", "--deposit", "100"]);
    assert!(opened.contains("open 1: done"), "{opened}");
    bob.ask(&["channel", "open", &carol.account, "--token", "TEST", "--deposit", "80"]);
    carol.await_balance(&bob, "0", "80");

    let paid = alice.ask(&["pay", &bob.account, "30", "--token", "TEST", "--note", "hello"]);
    assert!(paid.contains("direct"), "{paid}");
    let quote = alice.json(&["quote", &carol.account, "20", "--token", "TEST"]);
    assert_eq!((&quote["total"], &quote["direct"]), (&json!("20"), &json!(false)));
    let invoice = carol.json(&["invoice", "create", "20", "--token", "TEST"]);
    let invoice = invoice["text"].as_str().unwrap();
    let decoded = run(&["invoice", "decode", invoice, "--json"]).good();
    assert_eq!(serde_json::from_str::<Value>(&decoded).unwrap()["amount"], "20");
    let paid = alice.json(&["pay", invoice, "--id", "order 7"]);
    assert_eq!(paid["status"], "paid");
    let again = alice.json(&["pay", invoice, "--id", "order 7"]);
    assert_eq!(again["id"], paid["id"]);
    alice.await_balance(&bob, "50", "50");
    bob.await_balance(&alice, "50", "50");
    bob.await_balance(&carol, "60", "20");
    carol.await_balance(&bob, "20", "60");

    let refused = alice.refused(&["pay", &bob.account, "51", "--token", "TEST"]);
    assert!(refused.contains("(insufficient_balance)") && refused.contains("50"), "{refused}");
    let refused = alice.refused(&["pay", &alice.account, "1", "--token", "TEST"]);
    assert!(refused.contains("(pay_to_self)"), "{refused}");
    assert!(alice.ask(&["history"]).contains("direct"));
    assert!(bob.ask(&["history", "--received"]).contains("hello"));
    assert!(carol.ask(&["invoice", "show", invoice]).contains("paid: 20"));
    assert!(bob.ask(&["status", "--counters"]).contains("payments_mediated"));
    assert!(bob.ask(&["peers"]).contains("partner"));
    assert!(bob.ask(&["fees", "--base", "1"]).contains("for each payment  1"));
    assert!(alice.ask(&["tokens"]).contains("900"));

    alice.ask(&["channel", "close", &bob.account]);
    // Bob's latest balance must be in the chain before the clock is moved over his time for it.
    let from_start = ["events", "--after", "start", "--data-dir", text(&bob.data_dir)];
    let mut events = Running::start(&from_start, "balance_updated");
    assert!(events.said.contains("channel_closed"), "{}", events.said);
    assert_eq!(events.interrupt(), 0);
    let two = bob.ask(&["events", "--after", "start", "--limit", "2"]);
    assert_eq!(two.lines().count(), 2, "{two}");
    assert!(bob.ask(&["channel", "show", &alice.account]).contains("closed"));
    ground.skip(120);
    until(
        || alice.balances().is_empty() && bob.balances().len() == 1,
        || format!("{:?} {:?}", alice.balances(), bob.balances()),
    );
    for (person, held) in [(&alice, "950"), (&bob, "970"), (&carol, "1000")] {
        assert_eq!(ground.balance(&person.account), held);
    }
    end(ground, [alice, bob, carol]);
}

#[cfg(unix)]
fn end(mut ground: Ground, people: [Person; 3]) {
    for mut person in people {
        assert_eq!(person.running.interrupt(), 0, "{}", person.account);
        assert!(!person.data_dir.join("api.address").exists());
    }
    assert_eq!(ground.chain.interrupt(), 0);
}
