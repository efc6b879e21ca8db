//! Whether every token is where the payments say that it must be.

use super::node::Node;
use super::stage::{DEPOSIT, Stage};
use anyhow::{Context as _, bail, ensure};
use photon_node::api::types::{NodeStatus, Side};
use photon_wire::Amount;

/// What was paid, by the number of mediators.
#[derive(Debug, Default)]
pub(super) struct Books {
    paid: [u64; 3],
}

impl Books {
    /// Payments of 1 each were made.
    pub(super) fn note(&mut self, mediators: usize, count: u64) {
        if let Some(paid) = self.paid.get_mut(mediators) {
            *paid += count;
        }
    }

    /// How many in all.
    pub(super) fn paid(&self) -> u64 {
        self.paid.iter().sum()
    }

    /// Demands that balances, both views of every channel, deposits, the contract and the nodes'
    /// own counts all say the same.
    pub(super) async fn check(&self, stage: &Stage) -> anyhow::Result<()> {
        self.check_again(stage).await?;
        self.check_count(stage.payer(), "payments_sent", self.paid()).await?;
        for (index, node) in stage.nodes.iter().skip(1).enumerate() {
            let received = self.paid.get(index).copied().unwrap_or_default();
            self.check_count(node, "payments_received", received).await?;
        }
        Ok(())
    }

    /// The same without the counts, which begin anew when a node is started again.
    pub(super) async fn check_again(&self, stage: &Stage) -> anyhow::Result<()> {
        stage.quiet().await?;
        let mut deposits = Amount::ZERO;
        for (index, (payer, payee)) in stage.pairs().enumerate() {
            // Whatever goes further than this channel's payer goes through this channel.
            let through: u64 = self.paid.iter().skip(index).sum();
            self.check_channel(stage, payer, payee, through).await?;
            deposits = deposits.saturating_add(DEPOSIT);
        }
        let contract = stage.network.contract;
        let held = photon_chain::token::balance(&stage.endpoint, stage.token, contract).await?;
        ensure!(held == deposits, "the contract holds {held}, expected {deposits}");
        Ok(())
    }

    async fn check_channel(
        &self,
        stage: &Stage,
        payer: &Node,
        payee: &Node,
        through: u64,
    ) -> anyhow::Result<()> {
        let name = format!("channel {}-{}", payer.name, payee.name);
        let paying = stage.channel(payer, payee).await?;
        let paid = stage.channel(payee, payer).await?;
        ensure!(paying.ours == paid.theirs, "{name}: {} is seen differently", payer.name);
        ensure!(paying.theirs == paid.ours, "{name}: {} is seen differently", payee.name);
        let moved = Amount(through.into());
        let left = DEPOSIT.checked_sub(moved).context("more was paid than there is")?;
        check_side(&name, payer, &paying.ours, DEPOSIT, left)?;
        check_side(&name, payee, &paid.ours, Amount::ZERO, moved)
    }

    async fn check_count(&self, node: &Node, counter: &str, expected: u64) -> anyhow::Result<()> {
        let status: NodeStatus = node.get("/node").await?;
        let got = status.counters.0.get(counter).copied().unwrap_or_default();
        if got != expected {
            bail!("{} counts {got} {counter}, expected {expected}", node.name);
        }
        Ok(())
    }
}

fn check_side(
    channel: &str,
    node: &Node,
    side: &Side,
    deposit: Amount,
    balance: Amount,
) -> anyhow::Result<()> {
    let name = node.name;
    ensure!(side.deposit.0 == deposit, "{channel}: {name} put {} in, not {deposit}", side.deposit);
    ensure!(
        side.balance.0 == balance,
        "{channel}: {name} has {}, expected {balance}",
        side.balance
    );
    ensure!(side.locks == 0 && side.locked.0.is_zero(), "{channel}: {name} has locks");
    Ok(())
}
