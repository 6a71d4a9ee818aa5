//! Mean, standard deviation, median.

/// The mean; `None` of nothing.
pub fn mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (sum, count) =
        values.into_iter().fold((0.0, 0_usize), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / count as f64)
}

/// The mean and the sample standard deviation √(Σ(x − x̄)² / (n − 1)): no deviation of a single number, and nothing of none.
pub fn mean_and_std(values: &[f64]) -> Option<(f64, Option<f64>)> {
    let mean = mean(values.iter().copied())?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some((mean, (values.len() > 1).then(|| (squares / (values.len() - 1) as f64).sqrt())))
}

/// The median, the mean of both middle values where there are two; `None` of nothing.
pub fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = values.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    Some(if sorted.len() % 2 == 1 { upper } else { sorted[sorted.len() / 2 - 1].midpoint(upper) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // Squares of −2, 1 and 1 add up to 6, over 2.
        assert_eq!(mean_and_std(&[1.0, 4.0, 4.0]), Some((3.0, Some(3.0_f64.sqrt()))));
        assert_eq!(mean_and_std(&[0.5]), Some((0.5, None)));
        assert_eq!(mean_and_std(&[]), None);
        assert_eq!(mean([1.0, 2.0, 6.0]), Some(3.0));
        assert_eq!(median([6.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([6.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!((mean([]), median([])), (None, None));
    }
}
