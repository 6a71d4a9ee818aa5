//! Dense layer: y = x·W + b.
//!
//! x is [batch, inputs], w is [inputs, units], b is [units], y is [batch, units].

pub(crate) fn forward(x: &[f64], w: &[f64], b: &[f64]) -> Vec<f64> {
    let units = b.len();
    let inputs = w.len() / units;
    let mut y = Vec::new();
    for x in x.chunks_exact(inputs) {
        for j in 0..units {
            let mut sum = b[j];
            for i in 0..inputs {
                sum += x[i] * w[i * units + j];
            }
            y.push(sum);
        }
    }
    y
}

/// dx, dw and db.
pub(crate) fn backward(x: &[f64], w: &[f64], dy: &[f64], units: usize) -> [Vec<f64>; 3] {
    let inputs = w.len() / units;
    let (mut dx, mut dw, mut db) = (vec![0.0; x.len()], vec![0.0; w.len()], vec![0.0; units]);
    for n in 0..x.len() / inputs {
        for j in 0..units {
            let dy = dy[n * units + j];
            db[j] += dy;
            for i in 0..inputs {
                dx[n * inputs + i] += dy * w[i * units + j];
                dw[i * units + j] += dy * x[n * inputs + i];
            }
        }
    }
    [dx, dw, db]
}
