//! Facts of what tells the dreams of two classes apart.

use serde::Serialize;

use crate::{InsideResults, Pictures};
use inkling_statistics::{ALPHA, pearson, within_between};

#[derive(Debug, Serialize)]
pub(super) struct DifferenceFacts {
    /// Where the mean dream of the first class is brighter than that of the second, and the other way round.
    first_brighter: Option<&'static str>,
    second_brighter: Option<&'static str>,
    /// Mean correlation of two dreams of one class, and of two of different classes, with the p of a permutation test of
    /// the first being no larger; `None` with one seed.
    alike: Option<Alike>,
    /// Correlation of the difference of the mean dreams with that of the two images looked at.
    with_images: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Alike {
    within: f64,
    between: f64,
    p: f64,
    clear: bool,
}

impl Alike {
    fn new(a: &Pictures, b: &Pictures) -> Option<Alike> {
        let pictures: Vec<Vec<f64>> = a.iter().chain(b.iter()).map(numbers).collect();
        let labels: Vec<usize> = a.iter().map(|_| 0).chain(b.iter().map(|_| 1)).collect();
        let pairs = pictures.iter().flat_map(|p| pictures.iter().map(move |q| (p, q)));
        let similarity: Vec<f64> = pairs.map(|(p, q)| pearson(p, q).unwrap_or(f64::NAN)).collect();
        let (within, between, p) = within_between(&similarity, &labels, 0)?;
        Some(Alike { within, between, p, clear: p < ALPHA })
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
            alike: Alike::new(a, b),
            with_images,
        })
    }
}

fn less(a: &[f32], b: &[f32]) -> Vec<f64> {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) - f64::from(b)).collect()
}

fn numbers(picture: &[f32]) -> Vec<f64> {
    picture.iter().map(|&value| f64::from(value)).collect()
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
