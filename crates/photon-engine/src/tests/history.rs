use super::world::*;
use crate::{Fault, PaymentFilter, PaymentStanding, ReceiptFilter, TimeCursor};
use photon_core::Command;
use photon_core::view::NoticeKind;
use photon_wire::{Address, Timestamp};

fn busy() -> World {
    let mut world = World::new();
    world.begin();
    let [alice, bob] = world.accounts();
    for number in 1..=20 {
        world.turn(0, vec![paying(&pay(number, bob, u128::from(number)))]);
    }
    world.settle();
    world.turn(1, vec![paying(&pay(100, alice, 5))]);
    world.settle();
    world.nodes[0].turn(vec![paying(&pay(21, bob, 21))]).unwrap();
    world
}

#[test]
fn pages_are_newest_first_and_together_are_everything() {
    let mut world = busy();
    let history = world.nodes[0].engine().history();
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let page = history.payments(&PaymentFilter::default(), before, 4).unwrap();
        assert!(page.rows.len() <= 4);
        seen.extend(page.rows.iter().map(|row| row.id));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    let expected: Vec<_> = (1..=21).rev().map(id).collect();
    assert_eq!(seen, expected);
    let whole = history.payments(&PaymentFilter::default(), None, 21).unwrap();
    assert_eq!((whole.rows.len(), whole.next), (21, None));
}

#[test]
fn filters_leave_out_what_does_not_fit() {
    let mut world = busy();
    let [alice, bob] = world.accounts();
    let history = world.nodes[0].engine().history();
    let count = |filter: PaymentFilter| history.payments(&filter, None, 100).unwrap().rows.len();
    let all = PaymentFilter::default();
    assert_eq!(count(PaymentFilter { standing: Some(PaymentStanding::Pending), ..all }), 1);
    assert_eq!(count(PaymentFilter { standing: Some(PaymentStanding::Paid), ..all }), 20);
    assert_eq!(count(PaymentFilter { account: Some(alice), ..all }), 0);
    assert_eq!(count(PaymentFilter { account: Some(bob), token: Some(TOKEN), ..all }), 21);
    assert_eq!(count(PaymentFilter { from: Some(Timestamp(NOW)), ..all }), 21);
    assert_eq!(count(PaymentFilter { until: Some(Timestamp(NOW)), ..all }), 21);
    assert_eq!(count(PaymentFilter { from: Some(Timestamp(NOW + 1)), ..all }), 0);
    assert_eq!(count(PaymentFilter { until: Some(Timestamp(NOW - 1)), ..all }), 0);
    let edge = TimeCursor { time: Timestamp(u64::MAX), name: id(255) };
    assert_eq!(history.payments(&all, Some(edge), 100).unwrap().rows.len(), 21);
    let receipts = |filter| history.receipts(&filter, None, 100).unwrap().rows;
    assert_eq!(receipts(ReceiptFilter { partner: Some(bob), ..Default::default() }).len(), 1);
    let stranger = ReceiptFilter { partner: Some(Address::ZERO), ..Default::default() };
    assert_eq!(receipts(stranger), []);
}

#[test]
fn notices_are_read_on_from_a_cursor_without_a_gap() {
    let mut world = busy();
    let history = world.nodes[0].engine().history();
    let mut cursor = 0;
    let mut kinds = Vec::new();
    loop {
        let notices = history.notices_after(cursor, 3).unwrap();
        let Some((last, _)) = notices.last() else { break };
        assert_eq!(notices[0].0, cursor + 1);
        cursor = *last;
        kinds.extend(notices.into_iter().map(|(_, notice)| notice.kind));
    }
    let sent = kinds.iter().filter(|kind| matches!(kind, NoticeKind::PaymentSent { .. })).count();
    assert_eq!(sent, 20);
    assert!(matches!(kinds[0], NoticeKind::ChannelOpened { .. }));
    assert_eq!(history.notices_after(u64::MAX, 3).unwrap(), []);
    let newest = history.notices(None, 1).unwrap();
    assert_eq!((newest.rows[0].0, newest.next), (cursor, Some(cursor)));
    assert_eq!(history.notices(Some(1), 10).unwrap().rows, []);
    world.nodes[0].restart();
    assert!(matches!(history.notices_after(0, 1), Err(Fault::Closed)));
    let [alice, _] = world.accounts();
    let view = world.nodes[0].machine().channels();
    assert_eq!(view.len(), 1);
    world.turn(1, vec![photon_core::Input::Connected(alice)]);
    world.connect();
    world.settle();
    let history = world.nodes[0].engine().history();
    let later = history.notices_after(cursor, 10).unwrap();
    assert_eq!(later.first().map(|(number, _)| *number), Some(cursor + 1));
}

#[test]
fn invoices_are_listed_whether_paid_or_not() {
    let mut world = World::new();
    world.begin();
    for number in [60, 61, 62] {
        let (invoice, secret) = invoice(&world.nodes[1].key, number, 10);
        world.turn(1, vec![command(Command::AddInvoice { invoice, secret: Some(secret) })]);
    }
    let (invoice, _) = invoice(&world.nodes[1].key, 61, 10);
    world.turn(0, vec![paying(&pay_invoice(1, &invoice))]);
    world.settle();
    let history = world.nodes[1].engine().history();
    let first = history.invoices(None, 2).unwrap();
    let rest = history.invoices(first.next, 2).unwrap();
    let all: Vec<_> = first.rows.into_iter().chain(rest.rows).collect();
    assert_eq!((all.len(), rest.next), (3, None));
    let paid: Vec<_> = all.iter().filter(|record| record.paid.is_some()).collect();
    assert_eq!(paid.len(), 1);
    assert_eq!(paid[0].invoice, invoice);
}
