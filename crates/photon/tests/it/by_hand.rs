//! Three nodes, each its own process, on a chain that is a process as well: what the README lets a
//! person type.

use crate::ground::{Ground, Person, until};
use crate::support::{Running, run, text};
use serde_json::{Value, json};

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
    let listed = |status: &str| carol.ask(&["invoice", "list", "--status", status]);
    assert!(listed("paid").contains("paid: 20") && listed("open").contains("no invoices"));
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
