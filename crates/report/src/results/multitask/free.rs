//! The free baseline: a group is a function of the item, so a network for items already says groups.

/// The groups that the softmax of an item head's scores gives, its probabilities summed into groups, and the mean
/// cross-entropy of those sums. Scores have the shape [n, classes], the mapping [classes], right groups and answers [n]; of
/// equal sums the first counts.
pub(super) fn groups(scores: &[f32], mapping: &[u8], groups: usize, right: &[u8]) -> (Vec<u8>, f64) {
    let mut sums = vec![0.0_f64; groups];
    let mut loss = 0.0;
    let answers: Vec<u8> = scores
        .chunks_exact(mapping.len())
        .zip(right)
        .map(|(scores, &right)| {
            sums.fill(0.0);
            let largest = scores.iter().copied().fold(f32::MIN, f32::max);
            for (&score, &group) in scores.iter().zip(mapping) {
                sums[usize::from(group)] += (f64::from(score) - f64::from(largest)).exp();
            }
            let all: f64 = sums.iter().sum();
            loss -= (sums[usize::from(right)] / all).max(f64::MIN_POSITIVE).ln();
            let first_largest =
                |best: usize, group: usize| if sums[group] > sums[best] { group } else { best };
            (0..groups).fold(0, first_largest) as u8
        })
        .collect();
    let loss = loss / answers.len().max(1) as f64;
    (answers, loss)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_may_win_though_none_of_its_classes_does() {
        // Probabilities 0.4, 0.3, 0.3: the class is in group 0, the others together in group 1.
        let scores = [0.4_f32, 0.3, 0.3].map(f32::ln);
        let (answers, loss) = groups(&scores, &[0, 1, 1], 2, &[1]);
        assert_eq!(answers, [1]);
        assert!((loss + 0.6_f64.ln()).abs() < 1e-6);
        // Large scores do not overflow, equal sums go to the first group.
        assert_eq!(groups(&[3e38, -3e38, 0.0], &[1, 0, 0], 2, &[1]).0, [1]);
        assert_eq!(groups(&[0.0, 0.0], &[1, 0], 2, &[0]).0, [0]);
        assert_eq!(groups(&[f32::NAN, 0.0], &[1, 0], 2, &[0]).0.len(), 1);
    }
}
