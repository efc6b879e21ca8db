//! How long a route takes to find: scale-free graphs with random fees and deposits, routes between
//! random nodes. `cargo bench -p photon-core --bench route`, or with `-- small` the small one only.

use photon_core::route::{Graph, Query};
use photon_wire::record::FeeSchedule;
use photon_wire::{Address, Amount, B256, ChannelId};
use std::collections::BTreeSet;
use std::hint::black_box;
use std::time::{Duration, Instant};

const AMOUNT: Amount = Amount(1_000_000);

fn main() {
    measure("20,000 nodes, 80,000 channels", 20_000, 4, 5_000);
    if !std::env::args().any(|argument| argument == "small") {
        measure("1,000,000 nodes, 5,000,000 channels", 1_000_000, 5, 1_000);
    }
}

/// `SplitMix64`.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).expect("a usize has 64 bits");
        usize::try_from(self.next() % end).expect("below a usize")
    }

    fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes.chunks_exact_mut(8).for_each(|word| word.copy_from_slice(&self.next().to_le_bytes()));
        bytes
    }
}

/// Each node after the first ones opens channels with others, preferring those that have many.
/// (Barabasi, Albert: Emergence of scaling in random networks, 1999.)
fn scale_free(nodes: usize, channels_each: usize, random: &mut Random) -> (Graph, Vec<Address>) {
    let addresses: Vec<_> =
        (0..nodes).map(|_| Address::from_word(B256::from(random.bytes()))).collect();
    let mut graph = Graph::new();
    let mut ends: Vec<usize> = (0..channels_each).collect();
    for node in channels_each..nodes {
        let mut partners = BTreeSet::new();
        while partners.len() < channels_each {
            partners.insert(ends[random.below(ends.len())]);
        }
        for partner in partners {
            let channel = ChannelId(B256::from(random.bytes()));
            graph.add(channel, addresses[node], addresses[partner]);
            for end in [node, partner] {
                let deposit = u128::from(random.next()) % (5 * AMOUNT.0);
                graph.set_deposit(channel, addresses[end], Amount(deposit));
            }
            ends.extend([node, partner]);
        }
    }
    for address in &addresses {
        let base = Amount(u128::from(random.next() % 1_000));
        let parts_per_million = u32::try_from(random.next() % 1_000).expect("below 1,000");
        graph.set_fees(*address, FeeSchedule { base, parts_per_million });
    }
    (graph, addresses)
}

fn measure(name: &str, nodes: usize, channels_each: usize, queries: usize) {
    let mut random = Random(1);
    let start = Instant::now();
    let (mut graph, addresses) = scale_free(nodes, channels_each, &mut random);
    println!("{name}: built in {:.2?}{}", start.elapsed(), resident());

    let pair =
        |random: &mut Random| (addresses[random.below(nodes)], addresses[random.below(nodes)]);
    let search = |(from, to): (Address, Address), amount, most: usize| {
        let start = Instant::now();
        let found = ask(&graph, from, to, amount, most);
        (start.elapsed(), found)
    };
    // The first search makes the arrays that the others use again.
    search(pair(&mut random), AMOUNT, 1);
    let one: Vec<_> = (0..queries).map(|_| search(pair(&mut random), AMOUNT, 1)).collect();
    print_times("one route", &one);
    let five: Vec<_> = (0..queries / 5).map(|_| search(pair(&mut random), AMOUNT, 5)).collect();
    print_times("five routes", &five);
    // The first nodes have the most channels.
    let first_nodes = addresses.iter().take(100);
    let hub = *first_nodes.max_by_key(|node| graph.partners(**node).count()).expect("some nodes");
    let from_hub: Vec<_> =
        (0..queries).map(|_| search((hub, pair(&mut random).1), AMOUNT, 1)).collect();
    print_times(&format!("from a hub of {}", graph.partners(hub).count()), &from_hub);
    let large = Amount(9 * AMOUNT.0);
    let scarce: Vec<_> = (0..queries / 50).map(|_| search(pair(&mut random), large, 1)).collect();
    print_times("one route for nine times the amount", &scarce);

    let channel = ChannelId(B256::ZERO);
    let start = Instant::now();
    const CHANGES: u32 = 1_000;
    for _ in 0..CHANGES {
        let (one, other) = pair(&mut random);
        graph.add(channel, one, other);
        graph.set_deposit(channel, one, AMOUNT);
        graph.remove(channel);
    }
    println!("  open, deposit, remove: {:.2?}", start.elapsed() / CHANGES);
}

/// How many mediators the routes have in all, and how many routes there are.
fn ask(graph: &Graph, from: Address, to: Address, amount: Amount, most: usize) -> (usize, usize) {
    let query = Query {
        from,
        to,
        amount,
        most_fee: Amount(u128::MAX),
        most_mediators: usize::MAX,
        first: &|_| Some(Amount::MAX_DEPOSIT),
        avoid: &BTreeSet::new(),
    };
    let routes = if most == 1 {
        graph.route(&query).into_iter().collect()
    } else {
        graph.routes(&query, most).unwrap_or_default()
    };
    let routes = black_box(routes);
    (routes.iter().map(|route| route.mediators()).sum(), routes.len())
}

fn print_times(what: &str, results: &[(Duration, (usize, usize))]) {
    let mut times: Vec<_> = results.iter().map(|(time, _)| *time).collect();
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    let mean = times.iter().sum::<Duration>() / u32::try_from(times.len()).expect("few");
    let (mediators, routes) = results
        .iter()
        .fold((0, 0), |sum, (_, (mediators, routes))| (sum.0 + mediators, sum.1 + routes));
    let tenths = mediators * 10 / routes.max(1);
    println!(
        "  {what}: p50 {:.1?}, p99 {:.1?}, mean {mean:.1?}; {routes} routes for {} queries, \
         {}.{} mediators each",
        at(50),
        at(99),
        results.len(),
        tenths / 10,
        tenths % 10,
    );
}

/// The memory in use, where the system tells it.
fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.map(|size| format!(", {} resident", size.trim())).unwrap_or_default()
}
