//! Dice that always fall the same way for the same seed.

/// Random numbers from one seed. Source: SplitMix64 by Steele, Lea and Flood (2014).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The dice of this seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 where that is 0.
    pub const fn below(&mut self, end: u64) -> u64 {
        let wide = (self.next() as u128) * (end as u128);
        let [high, _] = halves(wide);
        high
    }

    /// A number in `0..=most`.
    pub fn up_to(&mut self, most: u128) -> u128 {
        let bits = (u128::from(self.next()) << 64) | u128::from(self.next());
        most.checked_add(1).map_or(bits, |end| bits % end)
    }

    /// An index below `length`; 0 where that is 0.
    pub fn index(&mut self, length: usize) -> usize {
        let end = u64::try_from(length).unwrap_or(u64::MAX);
        usize::try_from(self.below(end)).unwrap_or(0)
    }

    /// True once in `times`, on the average.
    pub const fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    pub fn pick<'a, T>(&mut self, some: &'a [T]) -> Option<&'a T> {
        let index = self.index(some.len());
        some.get(index)
    }

    /// 32 bytes.
    pub fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes.chunks_exact_mut(8).for_each(|part| part.copy_from_slice(&self.next().to_be_bytes()));
        bytes
    }
}

/// The high and the low half.
#[allow(clippy::cast_possible_truncation, reason = "the halves are meant")]
const fn halves(wide: u128) -> [u64; 2] {
    [(wide >> 64) as u64, wide as u64]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_falls_the_same_way() {
        let throw = |seed| {
            let mut dice = Dice::new(seed);
            (dice.next(), dice.below(10), dice.up_to(5), dice.bytes())
        };
        assert_eq!(throw(1), throw(1));
        assert_ne!(throw(1), throw(2));
    }

    #[test]
    fn every_side_comes_up() {
        let mut dice = Dice::new(1);
        let seen: std::collections::BTreeSet<_> = (0..200).map(|_| dice.below(6)).collect();
        assert_eq!(seen, (0..6).collect());
        assert_eq!(dice.below(0), 0);
        assert!((0..100).all(|_| dice.up_to(3) <= 3));
    }
}
