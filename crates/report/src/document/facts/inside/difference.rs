//! Facts of what tells the dreams of two classes apart.

use serde::Serialize;

use crate::{InsideResults, Pictures};
use inkling_statistics::{mean, pearson};

#[derive(Debug, Serialize)]
pub(super) struct DifferenceFacts {
    /// Where the mean dream of the first class is brighter than that of the second, and the other way round.
    first_brighter: Option<&'static str>,
    second_brighter: Option<&'static str>,
    /// Mean correlation of two dreams of one class, and of two of different classes; `None` with one seed.
    within: Option<f64>,
    between: Option<f64>,
    /// Correlation of the difference of the mean dreams with that of the two images looked at.
    with_images: Option<f64>,
    strength: Option<Strength>,
}

/// How close a correlation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Strength {
    Close,
    Weak,
    None,
}

fn strength(correlation: f64) -> Strength {
    match correlation {
        r if r >= 0.5 => Strength::Close,
        r if r >= 0.2 => Strength::Weak,
        _ => Strength::None,
    }
}

impl DifferenceFacts {
    /// `None` unless there are dreams of both classes.
    pub(super) fn new(inside: &InsideResults) -> Option<Self> {
        let [a, b] = inside.classes;
        let (a, b) = (&inside.seeds(a)?.pictures, &inside.seeds(b)?.pictures);
        if a.size != b.size {
            return None;
        }
        let difference = less(&a.mean(), &b.mean());
        let images = inside.activations.as_ref().filter(|found| {
            let classes: Vec<Option<usize>> = found.outcome.images.iter().map(|image| image.class).collect();
            classes == inside.classes.map(|class| Some(usize::from(class))) && found.images.size == a.size
        });
        let with_images =
            images.and_then(|found| pearson(&difference, &less(found.images.get(0), found.images.get(1))));
        let reversed: Vec<f64> = difference.iter().map(|value| -value).collect();
        Some(DifferenceFacts {
            first_brighter: region(&difference, a.size),
            second_brighter: region(&reversed, a.size),
            within: mean([a, b].into_iter().flat_map(pairs_within)),
            between: mean(pairs_between(a, b)).filter(|_| a.iter().len() > 1),
            with_images,
            strength: with_images.map(strength),
        })
    }
}

fn less(a: &[f32], b: &[f32]) -> Vec<f64> {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) - f64::from(b)).collect()
}

fn numbers(picture: &[f32]) -> Vec<f64> {
    picture.iter().map(|&value| f64::from(value)).collect()
}

fn pairs_within(pictures: &Pictures) -> Vec<f64> {
    let count = pictures.iter().len();
    let pairs = (0..count).flat_map(|i| (i + 1..count).map(move |j| (i, j)));
    pairs.filter_map(|(i, j)| pearson(&numbers(pictures.get(i)), &numbers(pictures.get(j)))).collect()
}

fn pairs_between(a: &Pictures, b: &Pictures) -> Vec<f64> {
    let pairs = a.iter().flat_map(|of_a| b.iter().map(move |of_b| (of_a, of_b)));
    pairs.filter_map(|(of_a, of_b)| pearson(&numbers(of_a), &numbers(of_b))).collect()
}

/// The ninth of a picture with the largest sum of what is positive in it; `None` where nothing is.
fn region(difference: &[f64], [height, width, channels]: [usize; 3]) -> Option<&'static str> {
    const NAMES: [&str; 9] = [
        "at the upper left",
        "at the top",
        "at the upper right",
        "at the left",
        "in the middle",
        "at the right",
        "at the lower left",
        "at the bottom",
        "at the lower right",
    ];
    let mut sums = [0.0; 9];
    for (i, value) in difference.iter().enumerate() {
        let (row, column) = (i / channels / width, i / channels % width);
        sums[row * 3 / height * 3 + column * 3 / width] += value.max(0.0);
    }
    let (place, most) = sums.iter().enumerate().max_by(|p, q| p.1.total_cmp(q.1))?;
    (*most > 0.0).then(|| NAMES[place])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_close_a_correlation_is() {
        assert_eq!(
            [0.6, 0.3, 0.1, -0.9].map(strength),
            [Strength::Close, Strength::Weak, Strength::None, Strength::None]
        );
    }

    #[test]
    fn the_brightest_ninth_has_its_name() {
        let mut difference = [-1.0; 36];
        difference[6] = 0.5;
        assert_eq!(region(&difference, [6, 6, 1]), Some("at the upper left"));
        difference[35] = 0.7;
        assert_eq!(region(&difference, [6, 6, 1]), Some("at the lower right"));
        assert_eq!(region(&[0.0; 36], [6, 6, 1]), None);
        // Three channels, one row of three pixels: the last pixel.
        assert_eq!(
            region(&[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0], [1, 3, 3]),
            Some("at the upper right")
        );
    }
}
