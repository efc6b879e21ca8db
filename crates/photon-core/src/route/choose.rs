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
        let mut beyond = Vec::new();
        for weighing in [Weighing::balanced(self.query.amount), Weighing::FEES, Weighing::HOPS] {
            match self.exact(weighing) {
                Ok(route) if self.is_within_limits(&route) => return Ok(route),
                Ok(route) => beyond.push(route),
                Err(reason) if beyond.is_empty() => return Err(reason),
                Err(_) => {}
            }
        }
        let short = beyond.iter().filter(|route| route.mediators() <= self.most_mediators());
        let fee = short.map(Route::fee).min().ok_or(NoRoute::TooLong)?;
        Err(NoRoute::FeeTooHigh { fee })
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
            amount = amount.saturating_add(fees.fee(amount).unwrap_or(Amount(u128::MAX)));
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

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::{BTreeMap, BTreeSet};
    use photon_wire::record::FeeSchedule;
    use photon_wire::{B256, ChannelId};
    use proptest::prelude::*;

    const PLENTY: Amount = Amount(1_000_000);

    fn node(byte: u8) -> Address {
        Address::repeat_byte(byte)
    }

    /// Channels `(one, other, capacity)`; node 0 asks for a route.
    #[derive(Debug)]
    struct Network {
        graph: Graph,
        first: BTreeMap<Address, Option<Amount>>,
        avoid: BTreeSet<(Address, Address)>,
        most_fee: Amount,
        most_mediators: usize,
    }

    impl Network {
        fn new(channels: &[(u8, u8, u128)]) -> Self {
            let mut graph = Graph::new();
            for (one, other, capacity) in channels {
                let channel = ChannelId(B256::left_padding_from(&[*one, *other]));
                graph.add(channel, node(*one), node(*other));
                graph.set_deposit(channel, node(*one), Amount(*capacity));
            }
            let first = graph.partners(node(0)).map(|(partner, most)| (partner, Some(most)));
            let first = first.collect();
            let avoid = BTreeSet::new();
            Self { graph, first, avoid, most_fee: PLENTY, most_mediators: MEDIATORS }
        }

        fn fees(mut self, fees: &[(u8, u128)]) -> Self {
            for (mediator, base) in fees {
                let fees = FeeSchedule { base: Amount(*base), parts_per_million: 0 };
                self.graph.set_fees(node(*mediator), fees);
            }
            self
        }

        fn ask<T>(&self, to: u8, amount: u128, ask: impl FnOnce(&Query<'_>) -> T) -> T {
            ask(&Query {
                from: node(0),
                to: node(to),
                amount: Amount(amount),
                most_fee: self.most_fee,
                most_mediators: self.most_mediators,
                first: &|partner| self.first.get(&partner).copied().flatten(),
                avoid: &self.avoid,
            })
        }

        fn route(&self, to: u8, amount: u128) -> Result<Route, NoRoute> {
            self.ask(to, amount, |query| self.graph.route(query))
        }

        fn nodes(&self, to: u8, amount: u128) -> Vec<u8> {
            first_bytes(&self.route(to, amount).unwrap())
        }
    }

    fn first_bytes(route: &Route) -> Vec<u8> {
        route.nodes.iter().map(|address| address.0[0]).collect()
    }

    fn line(mediators: u8) -> Network {
        let channels: Vec<_> = (0..=mediators).map(|at| (at, at + 1, 100)).collect();
        Network::new(&channels)
    }

    /// Two ways from 0 to 3: over 1 and over 2.
    const DIAMOND: [(u8, u8, u128); 4] = [(0, 1, 100), (1, 3, 100), (0, 2, 100), (2, 3, 100)];

    #[test]
    fn a_partner_is_paid_without_mediators() {
        let network = Network::new(&[(0, 1, 100), (1, 2, 100), (0, 2, 100)]);
        let route = network.route(2, 100).unwrap();
        assert_eq!(
            route,
            Route { nodes: [node(0), node(2)].into(), amounts: [Amount(100)].into() }
        );
        assert_eq!((route.fee(), route.total(), route.mediators()), (Amount(0), Amount(100), 0));
    }

    #[test]
    fn each_mediator_takes_its_fee_on_what_it_forwards() {
        let mut network = line(3);
        for (mediator, parts_per_million) in [(1, 100_000), (2, 0), (3, 50_000)] {
            let fees = FeeSchedule { base: Amount(1), parts_per_million };
            network.graph.set_fees(node(mediator), fees);
        }
        let route = network.route(4, 40).unwrap();
        // 40 + 1 + 2 = 43; 43 + 1 = 44; 44 + 1 + 4 = 49.
        assert_eq!(route.amounts, [49, 44, 43, 40].map(Amount));
        assert_eq!(route.fee(), Amount(9));
    }

    #[test]
    fn the_cheaper_of_two_mediators_is_taken() {
        let network = Network::new(&DIAMOND).fees(&[(1, 3), (2, 2)]);
        assert_eq!(network.nodes(3, 50), [0, 2, 3]);
        let network = Network::new(&DIAMOND).fees(&[(1, 2), (2, 2)]);
        assert_eq!(network.nodes(3, 50), [0, 1, 3]);
    }

    #[test]
    fn a_channel_that_is_too_small_is_passed_by() {
        let mut channels = DIAMOND;
        channels[3].2 = 49;
        let network = Network::new(&channels).fees(&[(1, 9), (2, 2)]);
        assert_eq!(network.nodes(3, 50), [0, 1, 3]);
        assert_eq!(network.nodes(3, 49), [0, 2, 3]);
    }

    #[test]
    fn a_channel_that_is_too_small_for_the_fees_is_passed_by() {
        let mut channels = DIAMOND;
        channels[2].2 = 51;
        let network = Network::new(&channels).fees(&[(1, 9), (2, 2)]);
        assert_eq!(network.nodes(3, 50), [0, 1, 3]);
        let network = Network::new(&channels[2..]).fees(&[(2, 2)]);
        let short = NoRoute::NoCapacity { best: Amount(51), needed: Amount(52) };
        assert_eq!(network.route(3, 50), Err(short));
    }

    #[test]
    fn a_partner_who_is_offline_or_has_failed_is_passed_by() {
        let mut network = Network::new(&DIAMOND).fees(&[(1, 3), (2, 2)]);
        network.first.insert(node(2), None);
        assert_eq!(network.nodes(3, 50), [0, 1, 3]);
        network.first.insert(node(2), Some(Amount(100)));
        network.avoid.insert((node(2), node(3)));
        assert_eq!(network.nodes(3, 50), [0, 1, 3]);
        network.avoid.insert((node(1), node(3)));
        assert_eq!(network.route(3, 50), Err(NoRoute::Unreachable));
        assert_eq!(network.nodes(2, 50), [0, 2]);
    }

    #[test]
    fn an_unknown_payer_or_target_is_told() {
        let mut network = Network::new(&[(1, 2, 100), (3, 4, 100)]);
        assert_eq!(network.route(2, 50), Err(NoRoute::NoChannels));
        network.graph.add(ChannelId::default(), node(0), node(1));
        network.first.insert(node(1), Some(PLENTY));
        assert_eq!(network.route(9, 50), Err(NoRoute::TargetUnknown));
        assert_eq!(network.route(4, 50), Err(NoRoute::Unreachable));
        assert_eq!(network.route(0, 50), Err(NoRoute::Unreachable));
        assert_eq!(network.nodes(2, 50), [0, 1, 2]);
    }

    #[test]
    fn the_partner_to_wait_for_is_told() {
        let mut network = Network::new(&DIAMOND);
        network.first.insert(node(1), None);
        network.first.insert(node(2), Some(Amount(10)));
        assert_eq!(network.route(3, 50), Err(NoRoute::FirstHopsOffline { partner: node(1) }));
    }

    #[test]
    fn the_amount_that_could_go_is_told() {
        let short = |best| Err(NoRoute::NoCapacity { best: Amount(best), needed: Amount(150) });
        let network = Network::new(&DIAMOND);
        assert_eq!(network.route(3, 150), short(100));
        // The narrow place is in the middle: found by halving.
        let network = Network::new(&[(0, 1, 200), (1, 2, 80), (2, 3, 200)]);
        assert_eq!(network.route(3, 150), short(75));
        let mut network = Network::new(&DIAMOND);
        network.first.values_mut().for_each(|most| *most = Some(Amount(0)));
        assert_eq!(network.route(3, 150), short(0));
    }

    #[test]
    fn a_dearer_limit_is_told_only_where_no_detour_is_cheaper() {
        let mut network = Network::new(&[(0, 1, 90_000), (1, 4, 90_000)]).fees(&[(1, 3)]);
        network.most_fee = Amount(2);
        let too_high = NoRoute::FeeTooHigh { fee: Amount(3) };
        assert_eq!(network.route(4, 50_000), Err(too_high));
        // A hop counts as 5, so that the detour over 2 and 3 is the worse route, but a cheaper one.
        let channels =
            [(0, 1, 90_000), (1, 4, 90_000), (0, 2, 90_000), (2, 3, 90_000), (3, 4, 90_000)];
        let mut network = Network::new(&channels).fees(&[(1, 3), (2, 1)]);
        assert_eq!(network.nodes(4, 50_000), [0, 1, 4]);
        network.most_fee = Amount(2);
        assert_eq!(network.nodes(4, 50_000), [0, 2, 3, 4]);
        // The detour has too many mediators, and the short way costs too much.
        network.most_mediators = 1;
        assert_eq!(network.route(4, 50_000), Err(too_high));
    }

    #[test]
    fn a_route_has_at_most_so_many_mediators() {
        let most = u8::try_from(MEDIATORS).unwrap();
        assert_eq!(line(most).route(most + 1, 50).unwrap().mediators(), MEDIATORS);
        let mut network = line(most + 1);
        network.most_mediators = usize::MAX;
        assert_eq!(network.route(most + 2, 50), Err(NoRoute::TooLong));
        // Two cheap mediators, or one dear one.
        let channels = [(0, 1, 100), (1, 2, 100), (2, 4, 100), (0, 3, 100), (3, 4, 100)];
        let mut network = Network::new(&channels).fees(&[(3, 9)]);
        assert_eq!(network.nodes(4, 50), [0, 1, 2, 4]);
        network.most_mediators = 1;
        assert_eq!(network.nodes(4, 50), [0, 3, 4]);
    }

    #[test]
    fn several_routes_share_little() {
        let channels = [
            (0, 1, 100),
            (0, 2, 100),
            (0, 3, 100),
            (1, 9, 100),
            (2, 9, 100),
            (3, 9, 100),
            (1, 2, 100),
        ];
        let network = Network::new(&channels).fees(&[(1, 1), (2, 2), (3, 3)]);
        let routes = |most| network.ask(9, 50, |query| network.graph.routes(query, most)).unwrap();
        let nodes = |most| routes(most).iter().map(first_bytes).collect::<Vec<_>>();
        assert_eq!(nodes(0), Vec::<Vec<u8>>::new());
        assert_eq!(nodes(1), [[0, 1, 9]]);
        assert_eq!(nodes(3), [[0, 1, 9], [0, 2, 9], [0, 3, 9]]);
        assert!(nodes(9).len() >= 3);
        // The next query knows nothing of what was dearer in the last.
        assert_eq!(nodes(1), [[0, 1, 9]]);
    }

    #[test]
    fn a_search_inside_a_search_is_answered() {
        let network = line(2);
        let first = |_| {
            assert_eq!(network.nodes(3, 50), [0, 1, 2, 3]);
            Some(PLENTY)
        };
        let inner =
            network.ask(3, 50, |query| network.graph.route(&Query { first: &first, ..*query }));
        assert_eq!(inner, network.route(3, 50));
    }

    /// All ways from the last node on, each node once.
    fn every_way(network: &Network, to: Address, way: &[Address]) -> Vec<Vec<Address>> {
        let last = *way.last().unwrap();
        if last == to {
            return [way.to_vec()].into();
        }
        let partners = network.graph.partners(last).map(|(partner, _)| partner);
        let next = partners.filter(|partner| !way.contains(partner));
        next.flat_map(|next| every_way(network, to, &[way, &[next]].concat())).collect()
    }

    /// The route along a way, if it breaks no rule of the query.
    fn valid_route(network: &Network, query: &Query<'_>, way: &[Address]) -> Option<Route> {
        let mut amounts = alloc::vec![query.amount];
        for mediator in way[1..way.len() - 1].iter().rev() {
            let forwarded = amounts[0];
            let fee = network.graph.fees(*mediator).fee(forwarded).unwrap();
            amounts.insert(0, Amount(forwarded.0 + fee.0));
        }
        let fits = way.windows(2).zip(&amounts).all(|(pair, amount)| {
            let capacity = if pair[0] == query.from {
                (query.first)(pair[1])
            } else {
                network.graph.capacity(pair[0], pair[1])
            };
            capacity.is_some_and(|most| *amount <= most)
                && !query.avoid.contains(&(pair[0], pair[1]))
        });
        let route = Route { nodes: way.to_vec(), amounts };
        let allowed = route.fee() <= query.most_fee && route.mediators() <= query.most_mediators;
        (fits && allowed).then_some(route)
    }

    prop_compose! {
        fn any_network()(
            channels in prop::collection::btree_map((0u8..7, 0u8..7), 0u128..80, 1..14),
            free in any::<bool>(),
            fees in prop::collection::vec((0u128..4, 0u32..200_000), 7),
            offline in prop::collection::btree_set(0u8..7, 0..3),
            avoid in prop::collection::btree_set((0u8..7, 0u8..7), 0..4),
            most_fee in prop_oneof![Just(PLENTY.0), 0u128..10],
            most_mediators in 0usize..6,
        ) -> Network {
            let once = channels.iter().filter(|((one, other), _)| one < other);
            let channels: Vec<_> =
                once.map(|((one, other), capacity)| (*one, *other, *capacity)).collect();
            let mut network = Network::new(&channels);
            for (at, (base, parts_per_million)) in (0u8..).zip(fees) {
                if !free {
                    let fees = FeeSchedule { base: Amount(base), parts_per_million };
                    network.graph.set_fees(node(at), fees);
                }
            }
            for partner in offline {
                network.first.insert(node(partner), None);
            }
            let avoid = avoid.into_iter().map(|(one, other)| (node(one), node(other)));
            network.avoid = avoid.collect();
            network.most_fee = Amount(most_fee);
            network.most_mediators = most_mediators;
            network
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn every_route_keeps_every_rule(network in any_network(), amount in 1u128..60) {
            network.ask(6, amount, |query| {
                for route in network.graph.routes(query, 3).unwrap_or_default() {
                    let valid = valid_route(&network, query, &route.nodes);
                    prop_assert_eq!(valid, Some(route));
                }
                Ok(())
            })?;
        }

        #[test]
        fn a_route_without_fees_is_missed_by_nobody(network in any_network(), amount in 1u128..60) {
            let mut network = network;
            for at in 0..7 {
                network.graph.set_fees(node(at), FeeSchedule::default());
            }
            network.ask(6, amount, |query| {
                let ways = every_way(&network, node(6), &[node(0)]);
                let routes = ways.iter().filter_map(|way| valid_route(&network, query, way));
                let fewest = routes.map(|route| route.mediators()).min();
                let found = network.graph.route(query).ok().map(|route| route.mediators());
                prop_assert_eq!(found, fewest);
                Ok(())
            })?;
        }
    }
}
