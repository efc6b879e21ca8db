//! The story of the first user, and what else the owner can ask.

use crate::town::{PATIENCE, Town, balances, eventually, is_paid, request};
use photon_core::view::{NoticeKind, PaymentStatus, Target};
use photon_node::EventsFrom;
use photon_node::handle::{InvoiceRequest, PayRequest, PayWay, Payee, RequestError};
use photon_wire::{Amount, SecretHash};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_story_of_the_first_user() {
    let town = Town::new().await;
    let node_a = town.node(0, &[]).await;
    let node_b = town.node(1, &[&node_a]).await;
    let node_c = town.node(2, &[&node_b]).await;
    let (a, b, c) = (node_a.handle(), node_b.handle(), node_c.handle());
    let before = [town.tokens_of(0).await.0, town.tokens_of(1).await.0];

    let ab = town.open(&a, &b, 100).await;
    let bc = town.open(&b, &c, 80).await;

    let direct = town.pay(&a, &b, 30, PayWay::Any).await.unwrap();
    assert_eq!(direct.status, PaymentStatus::Paid { proof: None });
    balances(ab, (&a, 70), (&b, 30)).await;

    // A learns how to seal for C from the records that B passes on.
    let routed = eventually(async || match town.pay(&a, &c, 20, PayWay::Any).await {
        Ok(payment) => Some(payment),
        Err(RequestError::Rejected(_)) => None,
        Err(error) => panic!("{error}"),
    })
    .await;
    let PaymentStatus::Paid { proof: Some(proof) } = &routed.status else {
        panic!("{:?}", routed.status);
    };
    assert_ne!(proof.hash(), SecretHash::default());
    assert_eq!(routed.route, [a.account(), b.account(), c.account()]);
    balances(ab, (&a, 50), (&b, 50)).await;
    balances(bc, (&b, 60), (&c, 20)).await;

    let closed = a.close_channel(ab, Some(PATIENCE)).await.unwrap();
    assert!(closed.done);
    // B submits A's proof and whoever is first settles, both without being asked.
    let begin = Instant::now();
    while a.channel(ab).await.unwrap().is_some() || b.channel(ab).await.unwrap().is_some() {
        assert!(begin.elapsed() < PATIENCE, "not settled");
        town.chain.increase_time(Duration::from_secs(5));
        town.chain.mine(1);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(town.tokens_of(0).await.0, before[0] - 100 + 50);
    assert_eq!(town.tokens_of(1).await.0, before[1] - 80 + 50);

    let mut events = a.events(EventsFrom::Start);
    let mut kinds = Vec::new();
    while let Ok(Some(event)) =
        tokio::time::timeout(Duration::from_millis(200), events.next()).await
    {
        kinds.push(event.unwrap());
    }
    assert!(kinds.windows(2).all(|pair| pair[0].0 + 1 == pair[1].0), "numbers rise by one");
    let ends = |kind: &NoticeKind| matches!(kind, NoticeKind::ChannelSettled { .. });
    assert!(kinds.iter().any(|(_, notice)| ends(&notice.kind)));

    for node in [node_a, node_b, node_c] {
        node.shutdown().await;
    }
    town.chain.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invoices_and_idempotency_and_what_is_refused() {
    let town = Town::new().await;
    let node_a = town.node(0, &[]).await;
    let node_b = town.node(1, &[&node_a]).await;
    let (a, b) = (node_a.handle(), node_b.handle());
    let ab = town.open(&a, &b, 1_000).await;

    let wanted = InvoiceRequest {
        secret_hash: None,
        token: town.token,
        amount: Some(Amount(7)),
        description: "seven".to_owned(),
        valid_for: None,
    };
    let invoice = b.create_invoice(wanted).await.unwrap();
    let text = invoice.to_text();
    let payee = |amount| Payee::Invoice { text: text.clone(), amount };
    let paid = a.pay(request(payee(None), PayWay::Any)).await.unwrap();
    let PaymentStatus::Paid { proof: Some(proof) } = paid.status else {
        panic!("{:?}", paid.status);
    };
    assert_eq!(proof.hash(), invoice.secret_hash);
    balances(ab, (&a, 993), (&b, 7)).await;
    let kept = eventually(async || {
        b.invoice(invoice.secret_hash).await.ok().filter(|kept| kept.paid.is_some())
    })
    .await;
    assert_eq!(kept.paid, Some(Amount(7)));

    let code = |result: Result<_, RequestError>| result.map(|_| ()).unwrap_err().code();
    assert_eq!(code(a.pay(request(payee(Some(Amount(8))), PayWay::Any)).await), "invoice_amount");
    assert_eq!(code(b.pay(request(payee(None), PayWay::Any)).await), "invoice_own");
    let garbled = Payee::Invoice { text: "photon1nonsense".to_owned(), amount: None };
    assert_eq!(code(a.pay(request(garbled, PayWay::Any)).await), "invoice_unreadable");

    let once = |amount| PayRequest {
        idempotency_key: Some("order 17".to_owned()),
        ..request(
            Payee::Account(Target { token: town.token, account: b.account(), amount }),
            PayWay::Any,
        )
    };
    let first = a.pay(once(Amount(3))).await.unwrap();
    let second = a.pay(once(Amount(3))).await.unwrap();
    assert!(is_paid(&first));
    assert_eq!(first.id, second.id);
    assert_eq!(code(a.pay(once(Amount(4))).await), "payment_exists");
    balances(ab, (&a, 990), (&b, 10)).await;

    assert_eq!(code(town.pay(&a, &a, 1, PayWay::Any).await), "pay_to_self");
    assert_eq!(code(town.pay(&a, &b, 0, PayWay::Any).await), "bad_amount");
    assert_eq!(code(town.pay(&a, &b, 991, PayWay::Direct).await), "insufficient_balance");
    node_a.shutdown().await;
    node_b.shutdown().await;
    town.chain.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_starts_again_goes_on_where_it_was() {
    let town = Town::new().await;
    let node_a = town.node(0, &[]).await;
    let node_b = town.node(1, &[&node_a]).await;
    let (a, b) = (node_a.handle(), node_b.handle());
    let ab = town.open(&a, &b, 100).await;
    for _ in 0..10 {
        assert!(is_paid(&town.pay(&a, &b, 1, PayWay::Any).await.unwrap()));
    }
    drop(b);
    node_b.shutdown().await;
    let begin = Instant::now();
    let node_b = town.node(1, &[&node_a]).await;
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    let b = node_b.handle();
    eventually(async || {
        a.channel(ab).await.unwrap().filter(|view| view.partner_online).map(|_| ())
    })
    .await;
    assert!(is_paid(&town.pay(&a, &b, 5, PayWay::Locked).await.unwrap()));
    balances(ab, (&a, 85), (&b, 15)).await;
    node_a.shutdown().await;
    node_b.shutdown().await;
    town.chain.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_callers_pay_through_one_mediator_and_none_fails() {
    const CALLERS: u128 = 100;
    const EACH: u128 = 5;
    let town = Town::new().await;
    let node_a = town.node(0, &[]).await;
    let node_b = town.node(1, &[&node_a]).await;
    let node_c = town.node(2, &[&node_b]).await;
    let (a, b, c) = (node_a.handle(), node_b.handle(), node_c.handle());
    let ab = town.open(&a, &b, 1_000).await;
    let bc = town.open(&b, &c, 1_000).await;
    eventually(async || town.pay(&a, &c, 1, PayWay::Any).await.ok()).await;

    let begin = Instant::now();
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..CALLERS {
        let (a, c, token) = (a.clone(), c.account(), town.token);
        callers.spawn(async move {
            for _ in 0..EACH {
                let target = Target { token, account: c, amount: Amount(1) };
                let payment = a.pay(request(Payee::Account(target), PayWay::Any)).await.unwrap();
                assert!(is_paid(&payment), "{:?}", payment.status);
            }
        });
    }
    while let Some(caller) = callers.join_next().await {
        caller.unwrap();
    }
    println!("{} routed payments in {:?}", CALLERS * EACH, begin.elapsed());
    balances(ab, (&a, 1_000 - CALLERS * EACH - 1), (&b, CALLERS * EACH + 1)).await;
    balances(bc, (&b, 1_000 - CALLERS * EACH - 1), (&c, CALLERS * EACH + 1)).await;

    let mut times = Vec::new();
    for _ in 0..50 {
        let begin = Instant::now();
        assert!(is_paid(&town.pay(&b, &a, 1, PayWay::Any).await.unwrap()));
        times.push(begin.elapsed());
    }
    times.sort_unstable();
    println!("a direct payment takes {:?} at the median", times[25]);
    println!("{:?}", a.status().await.unwrap().counters);
    for node in [node_a, node_b, node_c] {
        node.shutdown().await;
    }
    town.chain.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_under_way_ends_after_the_mediator_was_away() {
    let town = Town::new().await;
    let node_a = town.node(0, &[]).await;
    let node_b = town.node(1, &[&node_a]).await;
    let node_c = town.node(2, &[&node_b]).await;
    let (a, c) = (node_a.handle(), node_c.handle());
    let ab = town.open(&a, &node_b.handle(), 1_000).await;
    let bc = town.open(&node_b.handle(), &c, 1_000).await;
    eventually(async || town.pay(&a, &c, 1, PayWay::Any).await.ok()).await;

    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (a, c, token) = (a.clone(), c.account(), town.token);
        callers.spawn(async move {
            let target = Target { token, account: c, amount: Amount(1) };
            a.pay(request(Payee::Account(target), PayWay::Any)).await
        });
    }
    tokio::time::sleep(Duration::from_millis(5)).await;
    node_b.shutdown().await;
    // C dials B anew where it was; A waits to be dialled.
    let node_b = town.node(1, &[&node_a, &node_c]).await;
    let b = node_b.handle();
    let mut arrived = 1;
    while let Some(caller) = callers.join_next().await {
        match caller.unwrap() {
            Ok(payment) if is_paid(&payment) => arrived += 1,
            Ok(payment) => assert!(!matches!(payment.status, PaymentStatus::Pending)),
            Err(RequestError::Rejected(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    println!("{arrived} payments arrived");
    balances(ab, (&a, 1_000 - arrived), (&b, arrived)).await;
    balances(bc, (&b, 1_000 - arrived), (&c, arrived)).await;
    for node in [node_a, node_b, node_c] {
        node.shutdown().await;
    }
    town.chain.shutdown().await;
}
