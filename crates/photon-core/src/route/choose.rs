//! From a question to a route: exact amounts for a path, other paths where they do not fit, and
//! the reason where there is none.

use super::graph::{Graph, Node, NodeIndex};
use super::search::{Goal, IMPOSSIBLE, Path, Scratch, Weighing, cheapest};
use super::{NoRoute, Query, Route};
use alloc::vec::Vec;
use photon_wire::limits::MEDIATORS;
use photon_wire::{Address, Amount};

/// Paths that one search may lose to exact amounts: fees can make the amount too large for a
/// channel that could carry it without them.
const ATTEMPTS: usize = 16;

/// How often the amount is halved to find one that could go.
const HALVINGS: usize = 24;

impl Graph {
    /// The best route: few fees, few hops.
    ///
    /// Paths are compared by the fees for the payment's amount; fees on fees are left out of the
    /// comparison, but not out of the route. If the best route breaks a limit of the query, the
    /// cheapest and the shortest one are tried.
    ///
    /// # Errors
    /// Why there is none, found by lifting one limit after another.
    pub fn route(&self, query: &Query<'_>) -> Result<Route, NoRoute> {
        self.scratch.lend(|scratch| {
            let mut choice = Choice::new(self, query, scratch)?;
            choice.route()
        })
    }

    /// The best route and others that share little with it, `most` in all.
    ///
    /// # Errors
    /// Like [`Graph::route`].
    pub fn routes(&self, query: &Query<'_>, most: usize) -> Result<Vec<Route>, NoRoute> {
        self.scratch.lend(|scratch| {
            let mut choice = Choice::new(self, query, scratch)?;
            choice.routes(most)
        })
    }
}

/// Which partners of ours count as usable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum FirstHops {
    /// Those that can take the amount now.
    Usable,
    /// Those, and those of which nothing is known now.
    UsableOrOffline,
    /// All.
    All,
}

/// A channel that cannot carry the exact amount of a path.
struct Shortage {
    payer: NodeIndex,
    payee: NodeIndex,
    capacity: Amount,
    needed: Amount,
}

/// One query on its way to an answer.
struct Choice<'a> {
    graph: &'a Graph,
    query: &'a Query<'a>,
    from: (NodeIndex, &'a Node),
    to: (NodeIndex, &'a Node),
    scratch: &'a mut Scratch,
}

impl<'a> Choice<'a> {
    fn new(
        graph: &'a Graph,
        query: &'a Query<'a>,
        scratch: &'a mut Scratch,
    ) -> Result<Self, NoRoute> {
        let with_channels =
            |address| graph.with(address).filter(|(_, node)| !node.edges.is_empty());
        let from = with_channels(query.from).ok_or(NoRoute::NoChannels)?;
        let to = with_channels(query.to).ok_or(NoRoute::TargetUnknown)?;
        scratch.surcharges.clear();
        for (payer, payee) in query.avoid {
            if let (Some((payer, _)), Some((payee, _))) = (graph.with(*payer), graph.with(*payee)) {
                scratch.surcharges.add(payer, payee, IMPOSSIBLE);
            }
        }
        Ok(Self { graph, query, from, to, scratch })
    }

    fn route(&mut self) -> Result<Route, NoRoute> {
        let best = self.exact(Weighing::balanced(self.query.amount))?;
        if self.is_within_limits(&best) {
            return Ok(best);
        }
        let cheapest = self.exact(Weighing::FEES)?;
        if self.is_within_limits(&cheapest) {
            return Ok(cheapest);
        }
        let shortest = self.exact(Weighing::HOPS)?;
        if self.is_within_limits(&shortest) {
            return Ok(shortest);
        }
        if shortest.mediators() > self.most_mediators() {
            return Err(NoRoute::TooLong);
        }
        let allowed =
            if cheapest.mediators() > self.most_mediators() { shortest } else { cheapest };
        Err(NoRoute::FeeTooHigh { fee: allowed.fee() })
    }

    /// Searches again and again, each time with the hops of the last route made dearer.
    fn routes(&mut self, most: usize) -> Result<Vec<Route>, NoRoute> {
        let mut last = self.route()?;
        let weighing = Weighing::balanced(self.query.amount);
        let penalty = weighing.cost(last.fee(), last.amounts.len());
        let mut routes = Vec::new();
        // A search can find a route again; a few more than asked for make up for that.
        for _ in 0..most.saturating_mul(2) {
            self.make_dearer(&last, penalty);
            if self.is_within_limits(&last) && !routes.contains(&last) {
                routes.push(last);
            }
            if routes.len() >= most {
                break;
            }
            let Ok(next) = self.exact(weighing) else { break };
            last = next;
        }
        Ok(routes)
    }

    fn make_dearer(&mut self, route: &Route, penalty: u128) {
        for (payer, payee) in route.nodes.iter().zip(route.nodes.iter().skip(1)) {
            let pair = (self.graph.with(*payer), self.graph.with(*payee));
            if let (Some((payer, _)), Some((payee, _))) = pair {
                self.scratch.surcharges.add(payer, payee, penalty);
            }
        }
    }

    fn most_mediators(&self) -> usize {
        self.query.most_mediators.min(MEDIATORS)
    }

    fn is_within_limits(&self, route: &Route) -> bool {
        route.fee() <= self.query.most_fee && route.mediators() <= self.most_mediators()
    }

    /// The cheapest path that can carry its exact amounts.
    fn exact(&mut self, weighing: Weighing) -> Result<Route, NoRoute> {
        let mut shortage = None;
        for _ in 0..ATTEMPTS {
            let amount = self.query.amount;
            let Some(path) = self.search(weighing, amount, true, FirstHops::Usable) else { break };
            match self.price(&path) {
                Ok(route) => return Ok(route),
                Err(Shortage { payer, payee, capacity, needed }) => {
                    shortage.get_or_insert(NoRoute::NoCapacity { best: capacity, needed });
                    self.scratch.surcharges.add(payer, payee, IMPOSSIBLE);
                }
            }
        }
        Err(shortage.unwrap_or_else(|| self.reason()))
    }

    fn search(
        &mut self,
        weighing: Weighing,
        amount: Amount,
        capacities: bool,
        first_hops: FirstHops,
    ) -> Option<Path> {
        let first = |partner: &Node| match (first_hops, (self.query.first)(partner.address)) {
            (FirstHops::All, _) | (FirstHops::UsableOrOffline, None) => true,
            (FirstHops::Usable, None) => false,
            (FirstHops::Usable | FirstHops::UsableOrOffline, Some(most)) => amount <= most,
        };
        let (from, to) = (self.from.0, self.to.0);
        let goal = Goal { from, to, amount, weighing, capacities, first: &first };
        cheapest(self.graph, &goal, self.scratch)
    }

    /// The route along a path, computed backwards from the target so that fees are taken on what is
    /// forwarded, fees of those behind included.
    fn price(&self, path: &Path) -> Result<Route, Shortage> {
        let mut amount = self.query.amount;
        let mut amounts = Vec::with_capacity(path.nodes.len());
        let hops = path.nodes.iter().zip(path.nodes.iter().skip(1)).rev();
        for (payer, payee) in hops {
            let capacity = self.capacity(*payer, *payee);
            if amount > capacity {
                return Err(Shortage { payer: *payer, payee: *payee, capacity, needed: amount });
            }
            amounts.push(amount);
            let fees = self.graph.node(*payer).map(|node| node.fees).unwrap_or_default();
            if *payer != self.from.0 {
                let fee = fees.fee(amount).unwrap_or(Amount(u128::MAX));
                amount = amount.saturating_add(fee);
            }
        }
        amounts.reverse();
        Ok(Route { nodes: path.nodes.iter().map(|node| self.address(*node)).collect(), amounts })
    }

    /// What one node can pay the next, as far as we know.
    fn capacity(&self, payer: NodeIndex, payee: NodeIndex) -> Amount {
        if payer == self.from.0 {
            return (self.query.first)(self.address(payee)).unwrap_or_default();
        }
        self.graph.capacity_between(payer, payee).unwrap_or_default()
    }

    fn address(&self, node: NodeIndex) -> Address {
        self.graph.node(node).map(|node| node.address).unwrap_or_default()
    }

    /// Why no path was found.
    fn reason(&mut self) -> NoRoute {
        let amount = self.query.amount;
        if self.search(Weighing::HOPS, amount, false, FirstHops::All).is_none() {
            return NoRoute::Unreachable;
        }
        let offline = self.search(Weighing::HOPS, amount, true, FirstHops::UsableOrOffline);
        if let Some(partner) = offline.and_then(|path| path.nodes.get(1).copied()) {
            return NoRoute::FirstHopsOffline { partner: self.address(partner) };
        }
        NoRoute::NoCapacity { best: self.amount_that_could_go(), needed: amount }
    }

    /// An amount for which there is a path, fees not counted; zero where only a tiny one could go.
    fn amount_that_could_go(&mut self) -> Amount {
        let ours = self.from.1.edges.iter().filter_map(|edge| {
            let partner = self.graph.node(edge.partner)?;
            (self.query.first)(partner.address)
        });
        let theirs = self.to.1.edges.iter().map(|edge| edge.capacity());
        let at_the_ends = ours.max().unwrap_or_default().min(theirs.max().unwrap_or_default());
        let mut amount = at_the_ends.min(self.query.amount);
        for _ in 0..HALVINGS {
            if amount.is_zero() {
                break;
            }
            if self.search(Weighing::HOPS, amount, true, FirstHops::Usable).is_some() {
                return amount;
            }
            amount = Amount(amount.0 >> 1);
        }
        Amount::ZERO
    }
}
