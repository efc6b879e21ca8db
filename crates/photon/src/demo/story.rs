//! The story of the first user: two channels, a direct payment, one through somebody, a close,
//! a dispute window, and everybody has what is his.

use super::picture;
use super::stage::{MINTED, Person, SYMBOL, Stage};
use super::teller::Teller;
use crate::show;
use anyhow::{Context as _, anyhow, bail, ensure};
use photon_chain::token;
use photon_node::api::types::{
    Channel, Event, EventKind, PaymentState, PaymentView, TransactionView,
};
use photon_node::handle::{How, OpenRequest, PayRequest, PayWay, Payee, Payment, RequestError};
use photon_node::{EventsFrom, Target};
use photon_wire::{Amount, ChannelId};
use std::future::Future;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// Longer than anything takes that works.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often something is looked at again.
const PAUSE: Duration = Duration::from_millis(5);

/// Tells it; fails where a figure is not what it must be.
pub(super) async fn tell(stage: &Stage, teller: &mut Teller) -> anyhow::Result<()> {
    let Stage { alice, bob, carol, .. } = stage;
    let first = open(stage, teller, alice, bob, Amount(100)).await?;
    let second = open(stage, teller, bob, carol, Amount(80)).await?;
    pay_directly(stage, teller, first).await?;
    pay_through(stage, teller, first, second).await?;
    close(stage, teller, first).await?;
    wait_out(stage, teller, first).await?;
    check_the_end(stage, teller, first, second).await?;
    summary(stage, teller).await
}

async fn open(
    stage: &Stage,
    teller: &mut Teller,
    opener: &Person,
    partner: &Person,
    deposit: Amount,
) -> anyhow::Result<ChannelId> {
    let (name, other) = (opener.name, partner.name);
    teller.step(format_args!("{name} opens a channel with {other} and puts {deposit} in"))?;
    let request = OpenRequest {
        token: stage.token,
        partner: partner.account,
        settle_timeout: None,
        deposit,
        how: How::default(),
        wait: Some(PATIENCE),
    };
    let opening = opener.handle.open_channel(request);
    let submitted = teller.wait("waiting for two blocks", opening).await?;
    ensure!(submitted.done, "the channel was not open within {} s", PATIENCE.as_secs());
    let channel = submitted.channel;
    show_transactions(stage, teller).await?;
    show_channel(teller, channel, (opener, deposit), (partner, Amount::ZERO)).await?;
    teller.done()?;
    Ok(channel)
}

async fn pay_directly(
    stage: &Stage,
    teller: &mut Teller,
    channel: ChannelId,
) -> anyhow::Result<()> {
    let Stage { alice, bob, .. } = stage;
    teller.step("Alice pays Bob 30, directly")?;
    let target = Target { token: stage.token, account: bob.account, amount: Amount(30) };
    pay(stage, teller, alice, target).await?;
    show_channel(teller, channel, (alice, Amount(70)), (bob, Amount(30))).await?;
    teller.done()
}

async fn pay_through(
    stage: &Stage,
    teller: &mut Teller,
    first: ChannelId,
    second: ChannelId,
) -> anyhow::Result<()> {
    let Stage { alice, bob, carol, .. } = stage;
    teller.step("Alice pays Carol 20, through Bob: they have no channel with each other")?;
    let target = Target { token: stage.token, account: carol.account, amount: Amount(20) };
    let asked = until("a route to Carol", || async {
        match alice.handle.quote(target, None).await {
            Ok(quote) => Ok(Some(quote)),
            Err(error) if is_early(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    });
    let quote = teller.wait("Alice hears of Carol", asked).await?;
    let names: Vec<&str> = quote.route.iter().map(|hop| stage.name_of(*hop)).collect();
    teller.say(format_args!(
        "the route that Alice's node finds: {}, for a fee of {}",
        names.join(" → "),
        quote.fee
    ))?;
    pay(stage, teller, alice, target).await?;
    show_channel(teller, first, (alice, Amount(50)), (bob, Amount(50))).await?;
    show_channel(teller, second, (bob, Amount(60)), (carol, Amount(20))).await?;
    teller
        .say("locked with a hash on both hops, opened with Carol's secret: all of it or nothing")?;
    teller.done()
}

/// Pays and says what came of it.
async fn pay(
    stage: &Stage,
    teller: &Teller,
    payer: &Person,
    target: Target,
) -> anyhow::Result<PaymentView> {
    let begun = Instant::now();
    let payment: Payment = until("the payee's key", || async {
        let request = PayRequest {
            payee: Payee::Account(target),
            max_fee: None,
            note: Vec::new(),
            idempotency_key: None,
            way: PayWay::Any,
            wait: Some(PATIENCE),
        };
        match payer.handle.pay(request).await {
            Ok(payment) => Ok(Some(payment)),
            Err(error) if is_early(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    })
    .await?;
    let took = begun.elapsed();
    let payment = PaymentView::from(&payment);
    match payment.status {
        PaymentState::Paid => {}
        PaymentState::Pending => bail!("the payment is still pending after {PATIENCE:?}"),
        PaymentState::Failed => {
            let failure = payment.failure.as_ref().map(|failure| failure.detail.as_str());
            bail!("the payment failed: {}", failure.unwrap_or("nobody says why"));
        }
    }
    let (amount, payee) = (payment.amount, stage.name_of(payment.target.0));
    let took = console::style(show::duration(took)).bold();
    teller.say(format_args!(
        "paid: {payee} has {amount} {SYMBOL} more after {took}; no transaction, no gas"
    ))?;
    Ok(payment)
}

async fn close(stage: &Stage, teller: &mut Teller, channel: ChannelId) -> anyhow::Result<()> {
    let Stage { alice, bob, .. } = stage;
    teller.step("Alice closes the channel, without asking Bob")?;
    let closing = alice.handle.close_channel(channel, Some(PATIENCE));
    let submitted = teller.wait("waiting for a block", closing).await?;
    ensure!(submitted.done, "the channel was not closed within {} s", PATIENCE.as_secs());
    show_transactions(stage, teller).await?;
    let payer = alice.account;
    let updated = event(bob, |what| {
        let EventKind::BalanceUpdated { channel: id, payer: whose, .. } = what else { return None };
        (id.0 == channel.0 && whose.0 == payer).then_some(())
    });
    teller.wait("waiting for Bob's node", updated).await?;
    teller.say("She declared all that she has paid Bob: his node looks, and need not answer.")?;
    teller.say("Had she kept something back, his node would have shown what she signed.")?;
    show_transactions(stage, teller).await?;
    teller.done()
}

async fn wait_out(stage: &Stage, teller: &mut Teller, channel: ChannelId) -> anyhow::Result<()> {
    let Stage { alice, chain, .. } = stage;
    teller.step("The dispute window passes, and somebody settles")?;
    let closed = alice.handle.channel(channel).await?.context("the channel is gone too early")?;
    let closed = Channel::from(&closed);
    let settle_after = closed.settle_after.context("the channel is not closed")?;
    teller.say(format_args!(
        "On a real chain everybody now waits: {} for the dispute, {} for challenges.",
        show::length(closed.settle_timeout),
        show::length(stage.network.parameters.challenge.0),
    ))?;
    teller.say(
        "This chain is ours: we move its clock forward and skip that. Then somebody settles:",
    )?;
    chain.set_next_timestamp(settle_after.saturating_add(1))?;
    chain.mine(1);
    let settled = event(alice, |what| {
        let EventKind::ChannelSettled { channel: id, ours, theirs, .. } = what else { return None };
        (id.0 == channel.0).then_some((ours.0, theirs.0))
    });
    let (ours, theirs) = teller.wait("waiting for a block", settled).await?;
    show_transactions(stage, teller).await?;
    teller.say(format_args!("the contract pays out: Alice {ours}, Bob {theirs}"))?;
    check("what Alice is paid", ours, Amount(50))?;
    check("what Bob is paid", theirs, Amount(50))?;
    teller.done()
}

async fn check_the_end(
    stage: &Stage,
    teller: &mut Teller,
    first: ChannelId,
    second: ChannelId,
) -> anyhow::Result<()> {
    let Stage { alice, bob, carol, .. } = stage;
    teller.step("Does the chain agree?")?;
    for person in [alice, bob] {
        until("the channel to be gone", || async {
            Ok(person.handle.channel(first).await?.is_none().then_some(()))
        })
        .await?;
    }
    teller.say("the channel of Alice and Bob is gone, from both nodes and from the chain")?;
    show_channel(teller, second, (bob, Amount(60)), (carol, Amount(20))).await?;
    let minted = MINTED.0;
    for (person, sum, expected) in [
        (alice, format!("{minted} - 100 + 50"), Amount(950)),
        (bob, format!("{minted} - 80 + 50"), Amount(970)),
        (carol, format!("{minted}"), Amount(1_000)),
    ] {
        let held = token::balance(&stage.endpoint, stage.token, person.account).await?;
        let name = person.name;
        check(&format!("what {name} has on the chain"), held, expected)?;
        teller.say(format_args!("{name:<5} has {held:>4} {SYMBOL} on the chain = {sum}"))?;
    }
    let contract = stage.network.contract;
    let held = token::balance(&stage.endpoint, stage.token, contract).await?;
    check("what the contract has", held, Amount(80))?;
    teller
        .say(format_args!("the contract has {held}: the channel of Bob and Carol is still open"))?;
    teller.done()
}

async fn summary(stage: &Stage, teller: &Teller) -> anyhow::Result<()> {
    let mut paid: u64 = 0;
    let (mut signed, mut frames) = (0_u64, 0_u64);
    for person in stage.people() {
        let counters = person.handle.status().await?.counters;
        paid = paid.saturating_add(counters.payments_received);
        signed = signed.saturating_add(counters.signed);
        frames = frames.saturating_add(counters.frames_sent);
    }
    let ledger = stage.ledger.lock().await;
    show::line(format_args!(
        "\n  {} All figures are right. {} in all:",
        console::style("✓").green().bold(),
        show::duration(teller.elapsed()),
    ))?;
    for (number, what) in [
        (paid, "payments arrived, none of them on the chain".to_owned()),
        (signed, "balances signed".to_owned()),
        (frames, "messages between the nodes".to_owned()),
        (
            ledger.count,
            format!("transactions, {} gas, contract and token included", show::grouped(ledger.gas)),
        ),
    ] {
        show::line(format_args!("  {number:>6}  {what}"))?;
    }
    show::line("")
}

/// Both views of a channel, once they are what they must be.
async fn show_channel(
    teller: &Teller,
    channel: ChannelId,
    left: (&Person, Amount),
    right: (&Person, Amount),
) -> anyhow::Result<()> {
    let expected = (left.1, right.1);
    let begun = Instant::now();
    let (mut of_left, mut of_right) = (None, None);
    while begun.elapsed() < PATIENCE {
        of_left = balances(left.0, channel).await?;
        of_right = balances(right.0, channel).await?.map(|(ours, theirs)| (theirs, ours));
        if of_left == Some(expected) && of_right == Some(expected) {
            let (left, right) = ((left.0.name, left.1), (right.0.name, right.1));
            return teller.say(picture::channel(left, right));
        }
        sleep(PAUSE).await;
    }
    let said = |balances: Option<(Amount, Amount)>| {
        balances.map_or_else(|| "no channel".to_owned(), |(l, r)| format!("{l} / {r}"))
    };
    Err(anyhow!(
        "the channel of {} and {} is {} for the one and {} for the other, expected {}",
        left.0.name,
        right.0.name,
        said(of_left),
        said(of_right),
        said(Some(expected)),
    ))
}

/// Ours and theirs, once nothing is locked and the partner is there.
async fn balances(person: &Person, channel: ChannelId) -> anyhow::Result<Option<(Amount, Amount)>> {
    let Some(view) = person.handle.channel(channel).await? else { return Ok(None) };
    let view = Channel::from(&view);
    let locked = !view.ours.locked.0.is_zero() || !view.theirs.locked.0.is_zero();
    let still = view.partner_online && !locked;
    Ok(still.then_some((view.ours.balance.0, view.theirs.balance.0)))
}

async fn show_transactions(stage: &Stage, teller: &Teller) -> anyhow::Result<()> {
    teller.transactions(&stage.ledger.lock().await.read().await?)
}

/// Waits for an event of somebody's, also of the past.
async fn event<T>(person: &Person, is_it: impl Fn(&EventKind) -> Option<T>) -> anyhow::Result<T> {
    let mut events = person.handle.events(EventsFrom::Start);
    let search = async {
        while let Some(next) = events.next().await {
            if let Some(found) = is_it(&Event::from(&next?).what) {
                return Ok(found);
            }
        }
        Err(anyhow!("{}'s node has stopped", person.name))
    };
    match timeout(PATIENCE, search).await {
        Ok(found) => found,
        Err(_) => {
            let transactions: Vec<_> =
                person.handle.transactions().iter().map(TransactionView::from).collect();
            Err(anyhow!(
                "nothing happened within {} s; {}'s transactions: {transactions:?}",
                PATIENCE.as_secs(),
                person.name,
            ))
        }
    }
}

/// Looks again and again until there is something.
async fn until<T, F>(what: &str, mut look: impl FnMut() -> F) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<Option<T>>>,
{
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        ensure!(begun.elapsed() < PATIENCE, "waited {} s in vain for {what}", PATIENCE.as_secs());
        sleep(PAUSE).await;
    }
}

/// What passes once the nodes have heard of each other.
fn is_early(error: &RequestError) -> bool {
    matches!(error.code(), "no_route" | "unknown_target" | "partner_offline")
}

fn check(what: &str, got: Amount, expected: Amount) -> anyhow::Result<()> {
    ensure!(got == expected, "{what} is {got}, expected {expected}");
    Ok(())
}
