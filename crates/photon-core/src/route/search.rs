//! The cheapest path: Dijkstra's search from both ends at once.
//!
//! A path costs something for each hop, and what its mediators take. What is known of a node is the
//! cost of coming to it, from us or, against the payment, from the target, without its own fee: so
//! both searches are alike, and a path over a node costs both sums and its fee. The order is by the
//! cost of leaving, which includes the fee: dear nodes are left last, most of them never.

use super::graph::{Edge, Graph, Node, NodeIndex};
use alloc::collections::BinaryHeap;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::cmp::Reverse;
use photon_wire::Amount;

/// What a path is judged by. Only ever compared with costs of the same weighing.
pub(super) type Cost = u128;

/// The cost of what cannot be used.
pub(super) const IMPOSSIBLE: Cost = Cost::MAX;

/// What one search looks for.
pub(super) struct Goal<'a> {
    pub(super) from: NodeIndex,
    pub(super) to: NodeIndex,
    pub(super) amount: Amount,
    pub(super) weighing: Weighing,
    /// Whether the channels of others must be able to carry the amount.
    pub(super) capacities: bool,
    /// Whether the first hop can be to this partner.
    pub(super) first: &'a dyn Fn(&Node) -> bool,
}

/// What counts in the choice of a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Weighing {
    hop: Cost,
    unit_of_fee: Cost,
}

impl Weighing {
    /// Few fees and few hops: another hop is as bad as a fee of 100 parts per million.
    pub(super) fn balanced(amount: Amount) -> Self {
        const HOP_PARTS_PER_MILLION: u32 = 100;
        let hop = amount.parts_per_million(HOP_PARTS_PER_MILLION).map_or(1, |hop| hop.0.max(1));
        Self { hop, unit_of_fee: 1 }
    }

    /// The lowest fees, then the fewest hops.
    pub(super) const FEES: Self = Self { hop: 1, unit_of_fee: 1 << 16 };

    /// The fewest hops, then the lowest fees; the sum of fees stays below 2^112.
    pub(super) const HOPS: Self = Self { hop: 1 << 112, unit_of_fee: 1 };

    /// The cost of a path.
    pub(super) fn cost(self, fee: Amount, hops: usize) -> Cost {
        let hops = Cost::try_from(hops).unwrap_or(IMPOSSIBLE);
        self.fee(fee).saturating_add(self.hop.saturating_mul(hops))
    }

    fn fee(self, fee: Amount) -> Cost {
        fee.0.saturating_mul(self.unit_of_fee)
    }
}

/// A way over the graph and its cost.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Path {
    pub(super) nodes: Vec<NodeIndex>,
    pub(super) cost: Cost,
}

/// From where a search goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Side {
    /// From us, along the payment.
    Payer,
    /// From the target, against the payment.
    Payee,
}

/// What each side needs one of.
#[derive(Clone, Debug, Default)]
struct Sides<T> {
    payer: T,
    payee: T,
}

impl<T> Sides<T> {
    const fn of(&self, side: Side) -> &T {
        match side {
            Side::Payer => &self.payer,
            Side::Payee => &self.payee,
        }
    }

    const fn of_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Payer => &mut self.payer,
            Side::Payee => &mut self.payee,
        }
    }
}

/// What is known of a node from one side; void unless stamped by the running search.
#[derive(Clone, Copy, Debug, Default)]
struct Label {
    cost: Cost,
    before: Option<NodeIndex>,
    stamp: u32,
}

/// How far one side has got.
#[derive(Clone, Debug, Default)]
struct Frontier {
    queue: BinaryHeap<Reverse<(Cost, NodeIndex)>>,
    /// Channels looked at.
    work: usize,
}

/// The arrays of a search, reused by the next one: no search clears or allocates as much as the
/// graph is large.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    labels: Vec<Sides<Label>>,
    stamp: u32,
    frontiers: Sides<Frontier>,
    /// What single hops cost extra, [`IMPOSSIBLE`] where they must not be used.
    pub(super) surcharges: Surcharges,
}

impl Scratch {
    fn begin(&mut self, places: usize) {
        if let Some(stamp) = self.stamp.checked_add(1) {
            self.stamp = stamp;
        } else {
            self.labels.clear();
            self.stamp = 1;
        }
        self.labels.resize_with(places.max(self.labels.len()), Sides::default);
        for side in [Side::Payer, Side::Payee] {
            let frontier = self.frontiers.of_mut(side);
            frontier.queue.clear();
            frontier.work = 0;
        }
    }
}

/// A [`Scratch`] kept beside what is searched. It is no part of the value beside it.
#[derive(Debug, Default)]
pub(super) struct Reused(RefCell<Scratch>);

impl Reused {
    /// Lends the scratch; a new one to whoever searches in the middle of a search.
    pub(super) fn lend<T>(&self, search: impl FnOnce(&mut Scratch) -> T) -> T {
        match self.0.try_borrow_mut() {
            Ok(mut scratch) => search(&mut scratch),
            Err(_) => search(&mut Scratch::default()),
        }
    }
}

impl Clone for Reused {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Reused {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Reused {}

/// Extra costs of a few hops, sorted for a search from either side.
#[derive(Clone, Debug, Default)]
pub(super) struct Surcharges(Sides<Vec<Surcharge>>);

#[derive(Clone, Copy, Debug)]
struct Surcharge {
    /// The node from which the search of this side goes on.
    at: NodeIndex,
    next: NodeIndex,
    extra: Cost,
}

impl Surcharges {
    pub(super) fn clear(&mut self) {
        self.0.payer.clear();
        self.0.payee.clear();
    }

    /// Adds to the cost of the hop from payer to payee.
    pub(super) fn add(&mut self, payer: NodeIndex, payee: NodeIndex, extra: Cost) {
        for (side, at, next) in [(Side::Payer, payer, payee), (Side::Payee, payee, payer)] {
            let list = self.0.of_mut(side);
            match list.binary_search_by_key(&(at, next), |known| (known.at, known.next)) {
                Ok(place) => {
                    if let Some(known) = list.get_mut(place) {
                        known.extra = known.extra.saturating_add(extra);
                    }
                }
                Err(place) => list.insert(place, Surcharge { at, next, extra }),
            }
        }
    }

    /// Those of the hops that a search from this side can take at a node.
    fn at(&self, side: Side, node: NodeIndex) -> &[Surcharge] {
        let list = self.0.of(side);
        let start = list.partition_point(|known| known.at < node);
        let rest = list.get(start..).unwrap_or_default();
        let length = rest.partition_point(|known| known.at == node);
        rest.get(..length).unwrap_or_default()
    }
}

/// The cheapest path, its nodes in the order of the payment; of equally cheap ones always the same.
pub(super) fn cheapest(graph: &Graph, goal: &Goal<'_>, scratch: &mut Scratch) -> Option<Path> {
    if goal.from == goal.to {
        return None;
    }
    scratch.begin(graph.places());
    let mut search = Search { graph, goal, scratch, least: IMPOSSIBLE, meeting: None };
    search.begin(Side::Payer, goal.from);
    search.begin(Side::Payee, goal.to);
    search.run();
    search.path()
}

struct Search<'a> {
    graph: &'a Graph,
    goal: &'a Goal<'a>,
    scratch: &'a mut Scratch,
    /// The cost of the cheapest path found.
    least: Cost,
    /// A node on it that both sides have reached.
    meeting: Option<NodeIndex>,
}

impl Search<'_> {
    fn begin(&mut self, side: Side, node: NodeIndex) {
        let stamp = self.scratch.stamp;
        if let Some(labels) = self.scratch.labels.get_mut(node.place()) {
            *labels.of_mut(side) = Label { cost: 0, before: None, stamp };
        }
        self.scratch.frontiers.of_mut(side).queue.push(Reverse((0, node)));
    }

    /// Leaves the cheapest node of one side until no path not yet found can be cheaper. A side
    /// without further nodes has come to all it can, and so found every path.
    ///
    /// A path not yet found leaves some node for another by a hop that neither side has seen.
    fn run(&mut self) {
        while let (Some(payer), Some(payee)) = (self.next(Side::Payer), self.next(Side::Payee)) {
            if self.join(payer.0, payee.0) >= self.least {
                return;
            }
            // The side that has worked less goes on: a node with many channels waits until the
            // other side has had its chance to meet it.
            if self.work_after(Side::Payer, payer.1) <= self.work_after(Side::Payee, payee.1) {
                self.leave(Side::Payer, payer, payee.0);
            } else {
                self.leave(Side::Payee, payee, payer.0);
            }
        }
    }

    /// The cost of a path whose middle hop has these sums before and after it.
    const fn join(&self, payer: Cost, payee: Cost) -> Cost {
        payer.saturating_add(payee).saturating_add(self.goal.weighing.hop)
    }

    /// The node that a side leaves next, and the cost of leaving it.
    fn next(&mut self, side: Side) -> Option<(Cost, NodeIndex)> {
        loop {
            let Reverse((leaving, at)) = *self.scratch.frontiers.of(side).queue.peek()?;
            let known = self.scratch.labels.get(at.place())?.of(side).cost;
            let fee = self.graph.node(at).and_then(|node| self.fee(at, node));
            // Otherwise a cheaper way to the node was found later, and is in the queue too.
            if fee.is_some_and(|fee| known.saturating_add(fee) == leaving) {
                return Some((leaving, at));
            }
            self.scratch.frontiers.of_mut(side).queue.pop();
        }
    }

    fn work_after(&self, side: Side, at: NodeIndex) -> usize {
        let channels = self.graph.node(at).map_or(0, |node| node.edges.len());
        self.scratch.frontiers.of(side).work.saturating_add(channels)
    }

    /// Looks at all channels of a node. The other side leaves its next node at `other_side`.
    fn leave(&mut self, side: Side, (leaving, at): (Cost, NodeIndex), other_side: Cost) {
        let frontier = self.scratch.frontiers.of_mut(side);
        frontier.queue.pop();
        let Some(node) = self.graph.node(at) else { return };
        frontier.work = frontier.work.saturating_add(node.edges.len());
        let cost = leaving.saturating_add(self.goal.weighing.hop);
        // A hop is extra only at very few nodes.
        let extras = !self.scratch.surcharges.at(side, at).is_empty();
        for edge in &node.edges {
            let extra = if extras { self.extra(side, at, edge.partner) } else { 0 };
            let cost = cost.saturating_add(extra);
            if cost < self.least && self.is_usable(side, at, node, edge) {
                self.arrive(side, at, edge.partner, cost, other_side);
            }
        }
    }

    fn extra(&self, side: Side, at: NodeIndex, next: NodeIndex) -> Cost {
        let known = self.scratch.surcharges.at(side, at);
        known.iter().find(|known| known.next == next).map_or(0, |known| known.extra)
    }

    /// Whether the hop between a node and its partner can carry the payment.
    fn is_usable(&self, side: Side, at: NodeIndex, node: &Node, edge: &Edge) -> bool {
        match side {
            Side::Payer if at == self.goal.from => {
                self.graph.node(edge.partner).is_some_and(|partner| (self.goal.first)(partner))
            }
            Side::Payee if edge.partner == self.goal.from => (self.goal.first)(node),
            Side::Payer | Side::Payee => {
                !self.goal.capacities || edge.capacity() >= self.goal.amount
            }
        }
    }

    /// Notes that a side has come from one node to another, unless it was there for less.
    fn arrive(&mut self, side: Side, at: NodeIndex, to: NodeIndex, cost: Cost, other_side: Cost) {
        let stamp = self.scratch.stamp;
        let Some(labels) = self.scratch.labels.get_mut(to.place()) else { return };
        let label = labels.of_mut(side);
        if label.stamp == stamp && label.cost <= cost {
            return;
        }
        *label = Label { cost, before: Some(at), stamp };
        let other = match side {
            Side::Payer => labels.payee,
            Side::Payee => labels.payer,
        };
        let Some(node) = self.graph.node(to) else { return };
        let Some(fee) = self.fee(to, node) else { return };
        let leaving = cost.saturating_add(fee);
        if other.stamp == stamp && leaving.saturating_add(other.cost) < self.least {
            self.least = leaving.saturating_add(other.cost);
            self.meeting = Some(to);
        }
        // A node that leads nowhere, or only to dearer paths, is not left.
        if node.edges.len() > 1 && self.join(leaving, other_side) < self.least {
            self.scratch.frontiers.of_mut(side).queue.push(Reverse((leaving, to)));
        }
    }

    /// What a node takes, as a cost; none where it is too much for any sum.
    fn fee(&self, number: NodeIndex, node: &Node) -> Option<Cost> {
        if number == self.goal.from || number == self.goal.to {
            return Some(0);
        }
        node.fees.fee(self.goal.amount).map(|fee| self.goal.weighing.fee(fee))
    }

    fn path(&self) -> Option<Path> {
        let meeting = self.meeting?;
        let mut nodes: Vec<_> = self.trail(Side::Payer, meeting).collect();
        nodes.reverse();
        nodes.extend(self.trail(Side::Payee, meeting).skip(1));
        Some(Path { nodes, cost: self.least })
    }

    /// The way back to where a side began.
    fn trail(&self, side: Side, node: NodeIndex) -> impl Iterator<Item = NodeIndex> {
        core::iter::successors(Some(node), move |node| {
            self.scratch.labels.get(node.place())?.of(side).before
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use photon_wire::record::FeeSchedule;
    use photon_wire::{Address, B256, ChannelId};
    use proptest::prelude::*;

    const NODES: u8 = 12;

    fn address(byte: u8) -> Address {
        Address::repeat_byte(byte)
    }

    fn number(graph: &Graph, byte: u8) -> NodeIndex {
        graph.with(address(byte)).unwrap().0
    }

    prop_compose! {
        fn any_graph()(
            channels in prop::collection::btree_map((0..NODES, 0..NODES), 0u128..60, 10..50),
            removed in prop::collection::vec((0..NODES, 0..NODES), 0..5),
            fees in prop::collection::vec((1u128..9, 0u32..100_000), usize::from(NODES)),
        ) -> Graph {
            let channel = |pair: (u8, u8)| ChannelId(B256::left_padding_from(&[pair.0, pair.1]));
            let mut graph = Graph::new();
            for (pair, capacity) in channels {
                if pair.0 < pair.1 {
                    graph.add(channel(pair), address(pair.0), address(pair.1));
                    graph.set_deposit(channel(pair), address(pair.0), Amount(capacity));
                }
            }
            removed.into_iter().for_each(|pair| graph.remove(channel(pair)));
            for (at, (base, parts_per_million)) in (0..).zip(fees) {
                graph.set_fees(address(at), FeeSchedule { base: Amount(base), parts_per_million });
            }
            graph
        }
    }

    /// The cost of one hop, by the rules as they are written, fee of its payer included.
    fn hop(goal: &Goal<'_>, graph: &Graph, extras: &[Extra], pair: [u8; 2]) -> Option<Cost> {
        let [payer, payee] = pair.map(address);
        let capacity = graph.capacity(payer, payee)?;
        let (_, node) = graph.with(payee)?;
        let ours = number(graph, pair[0]) == goal.from;
        let usable = if ours { (goal.first)(node) } else { capacity >= goal.amount };
        let extra = extras.iter().filter(|extra| extra.0 == pair[0] && extra.1 == pair[1]);
        let extra = extra.map(|extra| extra.2).fold(0, Cost::saturating_add);
        let fee = if ours { Amount(0) } else { graph.fees(payer).fee(goal.amount)? };
        let cost = goal.weighing.cost(fee, 1).saturating_add(extra);
        (usable && cost < IMPOSSIBLE).then_some(cost)
    }

    /// The least cost to each node, by going over all hops as often as there are nodes.
    fn plain(goal: &Goal<'_>, graph: &Graph, extras: &[Extra], from: u8) -> Vec<Option<Cost>> {
        let mut costs = alloc::vec![None; usize::from(NODES)];
        costs[usize::from(from)] = Some(0);
        for _ in 0..NODES {
            for (payer, payee) in
                (0..NODES).flat_map(|one| (0..NODES).map(move |other| (one, other)))
            {
                let known = costs[usize::from(payer)];
                let cost = hop(goal, graph, extras, [payer, payee]);
                let Some(sum) = known.zip(cost).map(|(known, cost): (Cost, Cost)| known + cost)
                else {
                    continue;
                };
                let best = &mut costs[usize::from(payee)];
                *best = Some(best.map_or(sum, |best: Cost| best.min(sum)));
            }
        }
        costs
    }

    type Extra = (u8, u8, Cost);

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn both_sides_find_what_plain_search_finds(
            graph in any_graph(),
            amount in 1u128..50,
            weighing in prop_oneof![
                (1u128..20).prop_map(|hop| Weighing { hop, unit_of_fee: 1 }),
                Just(Weighing::FEES),
                Just(Weighing::HOPS),
            ],
            extras in prop::collection::vec(
                (0..NODES, 0..NODES, prop_oneof![Just(IMPOSSIBLE), 1u128..40]), 0..30),
            offline in 0..NODES,
            from in 0..NODES,
        ) {
            let amount = Amount(amount);
            let first = |partner: &Node| partner.address != address(offline);
            let mut scratch = Scratch::default();
            for (payer, payee, extra) in &extras {
                scratch.surcharges.add(number(&graph, *payer), number(&graph, *payee), *extra);
            }
            let from_number = number(&graph, from);
            let goal = |to| Goal {
                from: from_number, to, amount, weighing, capacities: true, first: &first,
            };
            let expected = plain(&goal(from_number), &graph, &extras, from);
            for to in (0..NODES).filter(|to| *to != from) {
                let goal = goal(number(&graph, to));
                let path = cheapest(&graph, &goal, &mut scratch);
                prop_assert_eq!(path.as_ref().map(|path| path.cost), expected[usize::from(to)]);
                let Some(path) = path else { continue };
                let bytes: Vec<u8> =
                    path.nodes.iter().map(|node| graph.node(*node).unwrap().address.0[0]).collect();
                prop_assert_eq!((bytes.first(), bytes.last()), (Some(&from), Some(&to)));
                let pairs = bytes.windows(2).map(|pair| [pair[0], pair[1]]);
                let hops = pairs.map(|pair| hop(&goal, &graph, &extras, pair));
                prop_assert_eq!(hops.sum::<Option<Cost>>(), Some(path.cost));
            }
        }
    }

    #[test]
    fn stamps_may_wrap() {
        let mut graph = Graph::new();
        graph.add(ChannelId::default(), address(0), address(1));
        let (from, to) = (number(&graph, 0), number(&graph, 1));
        let weighing = Weighing::HOPS;
        let goal =
            Goal { from, to, amount: Amount(1), weighing, capacities: true, first: &|_| true };
        let mut scratch = Scratch { stamp: u32::MAX - 1, ..Scratch::default() };
        for _ in 0..3 {
            let path = cheapest(&graph, &goal, &mut scratch).unwrap();
            assert_eq!(path.nodes, [from, to]);
        }
        assert_eq!(scratch.stamp, 2);
    }

    #[test]
    fn both_labels_of_a_node_share_a_cache_line() {
        assert_eq!(size_of::<Sides<Label>>(), 64);
    }
}
