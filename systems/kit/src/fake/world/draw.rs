//! Chance with a seed: the distributions that the generator draws from.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rust_decimal::Decimal;

/// A seeded source of chance.
#[derive(Debug)]
pub(super) struct Dice(StdRng);

impl Dice {
    /// Dice for one purpose: what one purpose draws doesn't change what another does.
    pub(super) fn new(seed: u64, purpose: u64) -> Self {
        Self(StdRng::seed_from_u64(mixed(seed ^ mixed(purpose))))
    }

    /// A whole number below `end`; 0 if `end` is 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        if end == 0 {
            0
        } else {
            self.0.random_range(0..end)
        }
    }

    /// Yes, in so many of a thousand cases.
    pub(super) fn per_mille(&mut self, share: u32) -> bool {
        self.0.random_range(0..1000) < share
    }

    /// One of several; `None` if there are none.
    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        from.get(self.below(from.len())).copied()
    }

    /// An index, each as likely as its share in `cumulative`, which only rises.
    pub(super) fn weighted(&mut self, cumulative: &[f64]) -> usize {
        let total = cumulative.last().copied().unwrap_or(0.0);
        let drawn = self.0.random::<f64>() * total;
        let index = cumulative.partition_point(|upto| *upto <= drawn);
        index.min(cumulative.len().saturating_sub(1))
    }

    /// Cents, log-normally distributed: `mu` and `sigma` are those of the logarithm of whole units.
    /// From one cent to 50 million units. The float ends here: from now on the amount is exact.
    pub(super) fn log_normal_cents(&mut self, mu: f64, sigma: f64) -> i64 {
        let radius = (-2.0 * (1.0 - self.0.random::<f64>()).ln()).sqrt();
        let angle = std::f64::consts::TAU * self.0.random::<f64>();
        let units = (mu + sigma * radius * angle.cos()).exp();
        // Saturates, and is clamped: nothing is cut off.
        #[allow(clippy::cast_possible_truncation)]
        let cents = (units * 100.0).round() as i64;
        cents.clamp(1, 5_000_000_000)
    }

    /// One, and one more in `more` of a thousand cases, and so on up to `most`.
    pub(super) fn one_and_more(&mut self, more: u32, most: usize) -> usize {
        let mut count = 1;
        while count < most && self.per_mille(more) {
            count += 1;
        }
        count
    }

    /// Splits cents into `parts` positive parts at most; fewer if there aren't enough cents.
    pub(super) fn split(&mut self, cents: i64, parts: usize) -> Vec<i64> {
        let most = usize::try_from(cents.max(1)).unwrap_or(usize::MAX);
        let parts = parts.clamp(1, most);
        let weights: Vec<i64> = (0..parts)
            .map(|_| 1 + self.0.random_range(0..1000))
            .collect();
        let whole: i64 = weights.iter().sum();
        let spare = cents - i64::try_from(parts).unwrap_or(1);
        let part = |weight: &i64| {
            1 + i64::try_from(i128::from(spare) * i128::from(*weight) / i128::from(whole))
                .unwrap_or(0)
        };
        let mut split: Vec<i64> = weights.iter().map(part).collect();
        let rest = cents - split.iter().sum::<i64>();
        split[0] += rest;
        split
    }
}

/// An exact amount with two decimals.
pub(super) fn money(cents: i64) -> Decimal {
    Decimal::new(cents, 2)
}

/// A number that looks like chance but belongs to its input alone (Steele, Lea and Flood's SplitMix64).
pub(super) fn mixed(input: u64) -> u64 {
    let mut z = input.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// An index below `end` that belongs to `input`; 0 if `end` is 0.
pub(super) fn mixed_below(input: u64, end: usize) -> usize {
    let end = end.max(1) as u64;
    usize::try_from(mixed(input) % end).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_have_the_median_they_are_drawn_for() {
        let mut dice = Dice::new(1, 1);
        let mut drawn: Vec<i64> = (0..20_001)
            .map(|_| dice.log_normal_cents(6.2, 1.5))
            .collect();
        drawn.sort_unstable();
        let median = drawn[10_000];
        assert!((45_000..54_000).contains(&median), "{median}");
    }

    proptest! {
        #[test]
        fn a_split_adds_up_and_has_no_empty_part(
            cents in 1_i64..5_000_000_000, parts in 1_usize..200, seed: u64,
        ) {
            let split = Dice::new(seed, 1).split(cents, parts);
            prop_assert_eq!(split.iter().sum::<i64>(), cents);
            prop_assert!(split.iter().all(|part| *part > 0));
            prop_assert!(split.len() <= parts);
        }
    }
}
