//! Histograms as TensorBoard's own summaries make them: thirty buckets of equal width between the extremes.

/// Buckets of a histogram.
pub(crate) const BUCKETS: usize = 30;

/// Left edge, right edge and count of each bucket. A bucket has its left edge, and the last one its right edge too. Values
/// that are not finite are in none. Equal values are in the last of buckets without width, and without a value every number is
/// zero: so does `tensorboard.plugins.histogram.summary_v2`.
pub(crate) fn buckets(values: &[f32]) -> [[f64; 3]; BUCKETS] {
    let finite = || values.iter().filter(|value| value.is_finite()).map(|&value| f64::from(value));
    let (min, max) = finite()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), value| (value.min(min), value.max(max)));
    if min > max {
        return [[0.0; 3]; BUCKETS];
    }
    let width = (max - min) / BUCKETS as f64;
    let edge = |number: usize| if number == BUCKETS { max } else { min + number as f64 * width };
    let mut buckets = std::array::from_fn(|number| [edge(number), edge(number + 1), 0.0]);
    for value in finite() {
        // Without a width, the division gives NaN, which no bucket has.
        let number = if width > 0.0 { ((value - min) / width) as usize } else { BUCKETS };
        buckets[number.min(BUCKETS - 1)][2] += 1.0;
    }
    buckets
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counts(values: &[f32]) -> Vec<f64> {
        buckets(values).iter().map(|bucket| bucket[2]).collect()
    }

    #[test]
    fn values_are_counted_from_edge_to_edge() {
        let values: Vec<f32> = (0..=30).map(|number| number as f32).collect();
        let mut expected = vec![1.0; BUCKETS];
        expected[29] = 2.0;
        assert_eq!(counts(&values), expected);
        assert_eq!(buckets(&values)[3][..2], [3.0, 4.0]);
    }

    #[test]
    fn equal_values_no_values_and_values_that_are_not_finite() {
        let equal = buckets(&[2.5; 4]);
        assert_eq!(equal[0], [2.5, 2.5, 0.0]);
        assert_eq!(equal[29], [2.5, 2.5, 4.0]);
        assert_eq!(buckets(&[]), [[0.0; 3]; BUCKETS]);
        assert_eq!(buckets(&[f32::NAN, f32::INFINITY]), [[0.0; 3]; BUCKETS]);
        assert_eq!(buckets(&[f32::NAN, 1.0, f32::NEG_INFINITY, 2.0]), buckets(&[1.0, 2.0]));
    }

    proptest! {
        #[test]
        fn every_finite_value_is_in_one_bucket_between_the_extremes(values in prop::collection::vec(any::<f32>(), 1..200)) {
            let buckets = buckets(&values);
            let finite: Vec<f32> = values.iter().copied().filter(|value| value.is_finite()).collect();
            prop_assert_eq!(buckets.iter().map(|bucket| bucket[2]).sum::<f64>(), finite.len() as f64);
            if let Some(min) = finite.iter().copied().reduce(f32::min) {
                let max = finite.iter().copied().fold(min, f32::max);
                prop_assert_eq!(buckets[0][0], f64::from(min));
                prop_assert_eq!(buckets[BUCKETS - 1][1], f64::from(max));
            }
            prop_assert!(buckets.iter().all(|[left, right, _]| left <= right));
            prop_assert!(buckets.windows(2).all(|pair| pair[0][1] == pair[1][0]));
        }
    }
}
