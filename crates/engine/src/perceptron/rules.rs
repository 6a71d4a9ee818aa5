//! The learning rules. All but `batch` make Rosenblatt's correction w ← w + η·y·x, b ← b + η·y at each wrong answer.

use super::{Fit, Rule, Settings, answer, optimize};
use crate::Features;

type Progress<'a> = &'a dyn Fn(usize, f64) -> bool;

/// Rosenblatt's online rule: correct the weights at every wrong answer, predict with the last ones.
pub fn online(x: &Features, y: &[i8], settings: &Settings, progress: Progress) -> Fit {
    optimize(x, y, settings, Online { rate: settings.learning_rate }, progress)
}

/// One correction a pass: the mean of Rosenblatt's corrections over all rows answered wrongly.
pub fn batch(x: &Features, y: &[i8], settings: &Settings, progress: Progress) -> Fit {
    optimize(x, y, settings, Batch { rate: settings.learning_rate }, progress)
}

/// The online rule, predicting with the mean of the weights after every row seen so far (Freund and Schapire 1999).
pub fn averaged(x: &Features, y: &[i8], settings: &Settings, progress: Progress) -> Fit {
    let zero = vec![0.0; x.columns()];
    optimize(
        x,
        y,
        settings,
        Averaged { rate: settings.learning_rate, seen: 0, late: zero, late_b: 0.0 },
        progress,
    )
}

/// The online rule, predicting with the weights that made the fewest errors after any pass so far: Gallant's (1990)
/// pocket algorithm with ratchet, looking into the pocket once a pass.
pub fn pocket(x: &Features, y: &[i8], settings: &Settings, progress: Progress) -> Fit {
    optimize(x, y, settings, Pocket { rate: settings.learning_rate, best: None }, progress)
}

struct Online {
    rate: f32,
}

impl Rule for Online {
    fn pass(&mut self, x: &Features, y: &[i8], order: &[u32], w: &mut [f32], b: &mut f32) {
        correct_each(x, y, order, self.rate, w, b, |_, _, _| ());
    }
}

struct Batch {
    rate: f32,
}

impl Rule for Batch {
    fn pass(&mut self, x: &Features, y: &[i8], _order: &[u32], w: &mut [f32], b: &mut f32) {
        let (mut sum, mut sum_b, mut wrong) = (vec![0.0; w.len()], 0.0, 0);
        for (i, &label) in y.iter().enumerate() {
            if answer(x, i, w, *b) != label {
                x.add_scaled(i, f32::from(label), &mut sum);
                sum_b += f32::from(label);
                wrong += 1;
            }
        }
        if wrong > 0 {
            let step = self.rate / wrong as f32;
            for (w, sum) in w.iter_mut().zip(&sum) {
                *w += step * sum;
            }
            *b += step * sum_b;
        }
    }
}

struct Averaged {
    rate: f32,
    /// Rows seen in all passes.
    seen: usize,
    /// Σ (rows seen before the correction) · correction, for weights and bias: the mean over the n rows seen is the
    /// last weights less this sum over n, so that rows answered rightly cost nothing.
    late: Vec<f32>,
    late_b: f64,
}

impl Rule for Averaged {
    fn pass(&mut self, x: &Features, y: &[i8], order: &[u32], w: &mut [f32], b: &mut f32) {
        let (seen, late, late_b) = (self.seen, &mut self.late, &mut self.late_b);
        correct_each(x, y, order, self.rate, w, b, |place, step, i| {
            let before = (seen + place) as f32;
            x.add_scaled(i, before * step, late);
            *late_b += f64::from(before * step);
        });
        self.seen += order.len();
    }

    fn answer(&mut self, w: &[f32], b: f32, error: &dyn Fn(&[f32], f32) -> f64) -> (Vec<f32>, f32, f64) {
        let n = self.seen as f32;
        let w: Vec<f32> = w.iter().zip(&self.late).map(|(w, late)| w - late / n).collect();
        let b = b - (self.late_b / self.seen as f64) as f32;
        let error = error(&w, b);
        (w, b, error)
    }
}

struct Pocket {
    rate: f32,
    best: Option<(Vec<f32>, f32, f64)>,
}

impl Rule for Pocket {
    fn pass(&mut self, x: &Features, y: &[i8], order: &[u32], w: &mut [f32], b: &mut f32) {
        correct_each(x, y, order, self.rate, w, b, |_, _, _| ());
    }

    fn answer(&mut self, w: &[f32], b: f32, error: &dyn Fn(&[f32], f32) -> f64) -> (Vec<f32>, f32, f64) {
        let now = error(w, b);
        match &self.best {
            Some(best) if best.2 <= now => best.clone(),
            _ => self.best.insert((w.to_vec(), b, now)).clone(),
        }
    }
}

/// One pass of Rosenblatt's rule. `corrected` hears each correction: its place in the order, its step ±η and the row's index.
fn correct_each(
    x: &Features,
    y: &[i8],
    order: &[u32],
    rate: f32,
    w: &mut [f32],
    b: &mut f32,
    mut corrected: impl FnMut(usize, f32, usize),
) {
    for (place, &i) in order.iter().enumerate() {
        let i = i as usize;
        if answer(x, i, w, *b) != y[i] {
            let step = rate * f32::from(y[i]);
            x.add_scaled(i, step, w);
            *b += step;
            corrected(place, step, i);
        }
    }
}
