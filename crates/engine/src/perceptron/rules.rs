//! Other learning rules than Rosenblatt's: batch, averaged, pocket.

use super::{Callback, Fit, PerceptronConfig, Rule, correct_each, optimize, predict_one};
use crate::ByteMatrix;

/// One correction a pass: the mean of Rosenblatt's corrections over all rows answered wrongly.
pub fn batch(x: &ByteMatrix, y: &[i8], config: &PerceptronConfig, callback: Callback) -> Fit {
    optimize(x, y, config, Batch { rate: config.learning_rate }, callback)
}

/// The online rule, predicting with the mean of the weights after every row seen so far (Freund and Schapire 1999).
pub fn averaged(x: &ByteMatrix, y: &[i8], config: &PerceptronConfig, callback: Callback) -> Fit {
    let late = vec![0.0; x.columns()];
    let rule = Averaged { rate: config.learning_rate, seen: 0, late, late_b: 0.0 };
    optimize(x, y, config, rule, callback)
}

/// The online rule, predicting with the weights that made the fewest errors after any pass so far: Gallant's (1990)
/// pocket algorithm with ratchet, looking into the pocket once a pass.
pub fn pocket(x: &ByteMatrix, y: &[i8], config: &PerceptronConfig, callback: Callback) -> Fit {
    optimize(x, y, config, Pocket { rate: config.learning_rate, best: None }, callback)
}

struct Batch {
    rate: f32,
}

impl Rule for Batch {
    fn pass(&mut self, x: &ByteMatrix, y: &[i8], _order: &[u32], w: &mut [f32], b: &mut f32) {
        let (mut sum, mut sum_b, mut wrong) = (vec![0.0; w.len()], 0.0, 0);
        for (i, &label) in y.iter().enumerate() {
            if predict_one(x, i, w, *b) != label {
                x.axpy(i, f32::from(label), &mut sum);
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
    late: Vec<f64>,
    late_b: f64,
}

impl Rule for Averaged {
    fn pass(&mut self, x: &ByteMatrix, y: &[i8], order: &[u32], w: &mut [f32], b: &mut f32) {
        let (seen, late, late_b) = (self.seen, &mut self.late, &mut self.late_b);
        correct_each(x, y, order, self.rate, w, b, |place, step, i| {
            let weighted = (seen + place) as f64 * f64::from(step);
            x.axpy(i, weighted, late);
            *late_b += weighted;
        });
        self.seen += order.len();
    }

    fn answer(&mut self, w: &[f32], b: f32, error: &dyn Fn(&[f32], f32) -> f64) -> (Vec<f32>, f32, f64) {
        let n = self.seen as f64;
        let mean = |last: f32, late: f64| (f64::from(last) - late / n) as f32;
        let w: Vec<f32> = w.iter().zip(&self.late).map(|(&w, &late)| mean(w, late)).collect();
        let b = mean(b, self.late_b);
        let error = error(&w, b);
        (w, b, error)
    }
}

struct Pocket {
    rate: f32,
    best: Option<(Vec<f32>, f32, f64)>,
}

impl Rule for Pocket {
    fn pass(&mut self, x: &ByteMatrix, y: &[i8], order: &[u32], w: &mut [f32], b: &mut f32) {
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
