use super::search::Reused;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use photon_wire::record::FeeSchedule;
use photon_wire::{Address, Amount, ChannelId};

/// The channels of one token that anybody has open, and what nodes take for mediating.
///
/// Nodes are numbered, and each keeps its channels in one array of 16 bytes a channel. A change
/// costs as much as the two nodes have channels; there is no index that must be rebuilt, so that
/// no change makes the next payment wait.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Graph {
    channels: BTreeMap<ChannelId, Channel>,
    numbers: BTreeMap<Address, NodeIndex>,
    nodes: Vec<Node>,
    unused: Vec<NodeIndex>,
    pub(super) scratch: Reused,
}

/// The number of a node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct NodeIndex(u32);

#[derive(Clone, PartialEq, Eq, Debug)]
struct Channel {
    low: NodeIndex,
    high: NodeIndex,
    low_deposit: PackedAmount,
    high_deposit: PackedAmount,
}

/// Who can mediate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Node {
    pub(super) address: Address,
    pub(super) fees: FeeSchedule,
    pub(super) edges: Vec<Edge>,
}

/// A channel, seen from one of its participants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Edge {
    pub(super) partner: NodeIndex,
    capacity: PackedAmount,
}

/// An amount in 96 bits, the most that one payment can carry; more is held as that.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct PackedAmount([u8; 12]);

impl NodeIndex {
    /// The place in an array with one entry a node.
    pub(super) const fn place(self) -> usize {
        self.0 as usize
    }
}

impl Edge {
    /// The most that either side can pay the other: both deposits.
    pub(super) const fn capacity(&self) -> Amount {
        self.capacity.unpack()
    }
}

impl PackedAmount {
    fn pack(amount: Amount) -> Self {
        let bytes = amount.min(Amount::MAX_DEPOSIT).0.to_le_bytes();
        Self(*bytes.first_chunk().expect("16 bytes begin with 12"))
    }

    const fn unpack(self) -> Amount {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = self.0;
        Amount(u128::from_le_bytes([a, b, c, d, e, f, g, h, i, j, k, l, 0, 0, 0, 0]))
    }
}

impl Channel {
    fn capacity(&self) -> PackedAmount {
        PackedAmount::pack(self.low_deposit.unpack().saturating_add(self.high_deposit.unpack()))
    }
}

impl Graph {
    /// Without channels.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a channel without deposits; one that is here already stays as it is.
    pub fn add(&mut self, channel: ChannelId, low: Address, high: Address) {
        if low == high || self.channels.contains_key(&channel) {
            return;
        }
        let (low, high) = (self.number(low), self.number(high));
        let none = PackedAmount::default();
        self.channels.insert(channel, Channel { low, high, low_deposit: none, high_deposit: none });
        for (end, partner) in [(low, high), (high, low)] {
            if let Some(node) = self.nodes.get_mut(end.place()) {
                node.edges.push(Edge { partner, capacity: none });
            }
        }
    }

    /// States what a participant has in a channel in all, less what was withdrawn. Nothing happens
    /// where the channel is not here or not the participant's.
    pub fn set_deposit(&mut self, channel: ChannelId, participant: Address, deposit: Amount) {
        let Some(participant) = self.numbers.get(&participant).copied() else { return };
        let Some(found) = self.channels.get_mut(&channel) else { return };
        if participant == found.low {
            found.low_deposit = PackedAmount::pack(deposit);
        } else if participant == found.high {
            found.high_deposit = PackedAmount::pack(deposit);
        }
        let (low, high, capacity) = (found.low, found.high, found.capacity());
        for (end, partner) in [(low, high), (high, low)] {
            let edges = self.nodes.get_mut(end.place()).map(|node| &mut node.edges);
            if let Some(edge) = edges.into_iter().flatten().find(|edge| edge.partner == partner) {
                edge.capacity = capacity;
            }
        }
    }

    /// Removes a channel.
    pub fn remove(&mut self, channel: ChannelId) {
        let Some(Channel { low, high, .. }) = self.channels.remove(&channel) else { return };
        for (end, partner) in [(low, high), (high, low)] {
            let Some(node) = self.nodes.get_mut(end.place()) else { continue };
            if let Some(place) = node.edges.iter().position(|edge| edge.partner == partner) {
                node.edges.swap_remove(place);
            }
            self.forget_unused(end);
        }
    }

    /// States what a node takes for mediating; a node without a statement takes nothing.
    ///
    /// A statement is kept for nodes without channels too, so that both may come in any order.
    /// Whoever bounds the statements takes one back by stating no fees.
    pub fn set_fees(&mut self, node: Address, fees: FeeSchedule) {
        if fees == FeeSchedule::default() && !self.numbers.contains_key(&node) {
            return;
        }
        let number = self.number(node);
        if let Some(node) = self.nodes.get_mut(number.place()) {
            node.fees = fees;
        }
        self.forget_unused(number);
    }

    /// How many channels there are.
    pub fn channels(&self) -> usize {
        self.channels.len()
    }

    /// Whether this channel is here.
    pub fn contains(&self, channel: ChannelId) -> bool {
        self.channels.contains_key(&channel)
    }

    /// What a node takes for mediating.
    pub fn fees(&self, node: Address) -> FeeSchedule {
        self.with(node).map_or_else(FeeSchedule::default, |(_, node)| node.fees)
    }

    /// The partners of a node, each with the most that either side can pay the other.
    pub fn partners(&self, node: Address) -> impl Iterator<Item = (Address, Amount)> {
        let edges = self.with(node).map(|(_, node)| &node.edges).into_iter().flatten();
        edges.filter_map(|edge| Some((self.node(edge.partner)?.address, edge.capacity())))
    }

    /// The most that either of these partners can pay the other; none without a channel.
    pub fn capacity(&self, one: Address, other: Address) -> Option<Amount> {
        let ((one, _), (other, _)) = (self.with(one)?, self.with(other)?);
        self.capacity_between(one, other)
    }

    /// Like [`Graph::capacity`].
    pub(super) fn capacity_between(&self, one: NodeIndex, other: NodeIndex) -> Option<Amount> {
        let (here, there) = (self.node(one)?, self.node(other)?);
        let (edges, partner) = if here.edges.len() <= there.edges.len() {
            (&here.edges, other)
        } else {
            (&there.edges, one)
        };
        edges.iter().find(|edge| edge.partner == partner).map(Edge::capacity)
    }

    /// The node with this address.
    pub(super) fn with(&self, address: Address) -> Option<(NodeIndex, &Node)> {
        let number = *self.numbers.get(&address)?;
        Some((number, self.node(number)?))
    }

    /// The node with this number.
    pub(super) fn node(&self, number: NodeIndex) -> Option<&Node> {
        self.nodes.get(number.place())
    }

    /// One more than the greatest number of a node.
    pub(super) fn places(&self) -> usize {
        self.nodes.len()
    }

    /// The number of a node, which gets one where it has none.
    fn number(&mut self, address: Address) -> NodeIndex {
        if let Some(number) = self.numbers.get(&address) {
            return *number;
        }
        let node = Node { address, fees: FeeSchedule::default(), edges: Vec::new() };
        let number = if let Some(number) = self.unused.pop() {
            if let Some(place) = self.nodes.get_mut(number.place()) {
                *place = node;
            }
            number
        } else {
            self.nodes.push(node);
            let last = self.nodes.len().saturating_sub(1);
            NodeIndex(u32::try_from(last).expect("memory holds fewer than 2^32 nodes"))
        };
        self.numbers.insert(address, number);
        number
    }

    /// Gives the number of a node back of which nothing is known any more.
    fn forget_unused(&mut self, number: NodeIndex) {
        let Some(node) = self.nodes.get_mut(number.place()) else { return };
        if node.edges.is_empty() && node.fees == FeeSchedule::default() {
            self.numbers.remove(&node.address);
            node.edges.shrink_to_fit();
            self.unused.push(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Address = Address::repeat_byte(0xa);
    const B: Address = Address::repeat_byte(0xb);
    const C: Address = Address::repeat_byte(0xc);

    fn channel(byte: u8) -> ChannelId {
        ChannelId(photon_wire::B256::repeat_byte(byte))
    }

    #[test]
    fn both_deposits_can_go_either_way() {
        let mut graph = Graph::new();
        graph.add(channel(1), A, B);
        assert_eq!(graph.capacity(A, B), Some(Amount(0)));
        graph.set_deposit(channel(1), A, Amount(5));
        graph.set_deposit(channel(1), B, Amount(7));
        graph.set_deposit(channel(1), A, Amount(6));
        graph.set_deposit(channel(1), C, Amount(9));
        graph.set_deposit(channel(2), A, Amount(9));
        assert_eq!(graph.capacity(A, B), Some(Amount(13)));
        assert_eq!(graph.capacity(B, A), Some(Amount(13)));
        assert_eq!(graph.capacity(A, C), None);
        assert_eq!(graph.partners(A).collect::<Vec<_>>(), [(B, Amount(13))]);
    }

    #[test]
    fn a_capacity_above_96_bits_is_held_as_the_most_one_payment_carries() {
        let mut graph = Graph::new();
        graph.add(channel(1), A, B);
        graph.set_deposit(channel(1), A, Amount::MAX_DEPOSIT);
        assert_eq!(graph.capacity(A, B), Some(Amount::MAX_DEPOSIT));
        graph.set_deposit(channel(1), B, Amount(u128::MAX));
        assert_eq!(graph.capacity(A, B), Some(Amount::MAX_DEPOSIT));
        assert_eq!(PackedAmount::pack(Amount(1 << 70)).unpack(), Amount(1 << 70));
    }

    #[test]
    fn a_channel_comes_once_and_leaves_nothing_behind() {
        let mut graph = Graph::new();
        graph.add(channel(1), A, B);
        graph.set_deposit(channel(1), A, Amount(5));
        graph.add(channel(1), A, B);
        graph.add(channel(2), B, C);
        graph.add(channel(3), C, C);
        assert_eq!((graph.channels(), graph.capacity(A, B)), (2, Some(Amount(5))));
        assert!(graph.contains(channel(2)) && !graph.contains(channel(3)));
        for byte in [1, 1, 2] {
            graph.remove(channel(byte));
        }
        assert_eq!((graph.channels(), graph.numbers.len(), graph.unused.len()), (0, 0, 3));
        graph.add(channel(4), A, C);
        assert_eq!((graph.places(), graph.capacity(A, C)), (3, Some(Amount(0))));
    }

    #[test]
    fn fees_may_come_before_the_channel_and_stay_after_it() {
        let fees = FeeSchedule { base: Amount(3), parts_per_million: 4 };
        let mut graph = Graph::new();
        graph.set_fees(B, fees);
        graph.add(channel(1), A, B);
        graph.remove(channel(1));
        assert_eq!((graph.fees(A), graph.fees(B)), (FeeSchedule::default(), fees));
        graph.set_fees(B, FeeSchedule::default());
        graph.set_fees(C, FeeSchedule::default());
        assert!(graph.numbers.is_empty());
    }

    #[test]
    fn an_edge_is_small() {
        assert_eq!(size_of::<Edge>(), 16);
    }
}
