//! A small deterministic generator.

/// SplitMix64: a generator of 64-bit numbers with a state of 64 bits, good enough to shuffle for a test, and the same on
/// every machine. It is not for secrets.
///
/// Source: Steele, Lea and Flood (2014), *Fast splittable pseudorandom number generators*, OOPSLA.
#[derive(Debug, Clone)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// A generator from a seed.
    pub fn new(seed: u64) -> Self {
        SplitMix64(seed)
    }

    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below a bound, by the upper half of a product: its bias is below bound/2⁶⁴.
    ///
    /// # Panics
    /// If the bound is zero.
    pub fn below(&mut self, bound: usize) -> usize {
        assert!(bound > 0, "no number is below zero");
        ((u128::from(self.next_u64()) * bound as u128) >> 64) as usize
    }

    /// Brings the first `count` places of a list into random order, with values drawn from the whole of it without
    /// replacement (Fisher and Yates): `count` = the list's length shuffles all.
    pub fn shuffle_first<T>(&mut self, values: &mut [T], count: usize) {
        for i in 0..count.min(values.len()) {
            let other = i + self.below(values.len() - i);
            values.swap(i, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_published_numbers() {
        // The first outputs of the reference implementation (prng.di.unimi.it/splitmix64.c) from the seed 1234567.
        let mut generator = SplitMix64::new(1_234_567);
        let found: Vec<u64> = (0..3).map(|_| generator.next_u64()).collect();
        assert_eq!(found, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn every_order_is_as_likely() {
        let mut generator = SplitMix64::new(1);
        let mut counts = [0; 6];
        for _ in 0..6000 {
            let mut list = [0, 1, 2];
            generator.shuffle_first(&mut list, 3);
            counts[2 * list[0] + usize::from(list[1] > list[2])] += 1;
        }
        // 1000 each, and a standard deviation of 29.
        assert!(counts.iter().all(|count| (880..1120).contains(count)), "{counts:?}");
    }
}
