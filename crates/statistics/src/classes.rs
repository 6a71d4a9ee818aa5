//! Precision, recall and F1 of each class.

/// How well a classifier does on one class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassMeasures {
    /// Of the images that were given this class, the share that has it; `None` where none was given it.
    pub precision: Option<f64>,
    /// Of the images that have this class, the share that was given it; `None` where none has it.
    pub recall: Option<f64>,
    /// The harmonic mean of both, 2·TP / (2·TP + FP + FN); `None` where no image has the class or was given it.
    pub f1: Option<f64>,
    /// Images that have this class.
    pub support: usize,
}

/// Precision, recall, F1 and support of each class, from counts of images by their class (rows) and by the answer
/// (columns), shape [classes, classes].
///
/// What has no value is `None` and not 0, as it would be in scikit-learn's `classification_report` by default. F1 is 0 where
/// there is something to find and nothing is found.
///
/// Source: van Rijsbergen (1979), *Information Retrieval*, chapter 7.
///
/// # Panics
/// If the counts are no square.
pub fn class_measures(confusion: &[Vec<usize>]) -> Vec<ClassMeasures> {
    assert!(confusion.iter().all(|row| row.len() == confusion.len()), "a square of counts");
    let share = |part: usize, all: usize| (all > 0).then(|| part as f64 / all as f64);
    let of = |class: usize| {
        let right = confusion[class][class];
        let support: usize = confusion[class].iter().sum();
        let given: usize = confusion.iter().map(|row| row[class]).sum();
        ClassMeasures {
            precision: share(right, given),
            recall: share(right, support),
            f1: share(2 * right, support + given),
            support,
        }
    };
    (0..confusion.len()).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_scikit_learn() {
        // The example of sklearn.metrics.classification_report: classes 0, 1, 2, 2, 2, answers 0, 0, 2, 2, 1, which gives
        // 0.50 1.00 0.67 1, 0.00 0.00 0.00 1 and 1.00 0.67 0.80 3.
        let found = class_measures(&[vec![1, 0, 0], vec![1, 0, 0], vec![0, 1, 2]]);
        let expected = [(0.5, 1.0, 2.0 / 3.0, 1), (0.0, 0.0, 0.0, 1), (1.0, 2.0 / 3.0, 0.8, 3)];
        for (found, (precision, recall, f1, support)) in found.iter().zip(expected) {
            let close = |a: Option<f64>, b: f64| (a.unwrap() - b).abs() < 1e-15;
            assert!(close(found.precision, precision) && close(found.recall, recall) && close(found.f1, f1));
            assert_eq!(found.support, support);
        }
    }

    #[test]
    fn what_is_undefined_is_none() {
        // No image of the second class, and none given the third; nothing at all of the fourth.
        let found = class_measures(&[vec![3, 1, 0, 0], vec![0, 0, 0, 0], vec![2, 0, 0, 0], vec![0, 0, 0, 0]]);
        assert_eq!((found[1].precision, found[1].recall, found[1].f1), (Some(0.0), None, Some(0.0)));
        assert_eq!((found[2].precision, found[2].recall, found[2].f1), (None, Some(0.0), Some(0.0)));
        assert_eq!((found[3].precision, found[3].recall, found[3].f1), (None, None, None));
        assert!(class_measures(&[]).is_empty());
    }
}
