//! The initial parameters of dreams.

use inkling_engine::random::RngStream;

use super::Size;
use super::parametrisation::Basis;

/// How near to black and white a dream may begin: at 0 and 1 themselves the logistic function has no finite argument.
const MARGIN: f32 = 0.02;

/// The parameters of a picture of one level, with normal noise of this deviation on them.
pub(crate) fn grey(
    basis: &Basis,
    size: Size,
    level: f64,
    deviation: f64,
    stream: &mut RngStream,
) -> Vec<f32> {
    let mut parameters = image(basis, &vec![level as f32; size.len()]);
    if deviation > 0.0 {
        parameters.iter_mut().for_each(|parameter| *parameter += (deviation * normal(stream)) as f32);
    }
    parameters
}

/// The parameters of a picture of numbers from 0 to 1, drawn in to [0.02, 0.98].
pub(crate) fn image(basis: &Basis, picture: &[f32]) -> Vec<f32> {
    let inside: Vec<f32> = picture.iter().map(|x| x.clamp(MARGIN, 1.0 - MARGIN)).collect();
    basis.parameters(&inside)
}

/// A standard normal number (Box and Muller 1958).
fn normal(stream: &mut RngStream) -> f64 {
    let (a, b) = (1.0 - f64::from(stream.uniform()), f64::from(stream.uniform()));
    (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
}

#[cfg(test)]
mod tests {
    use inkling_schema::Parametrisation;

    use super::*;

    #[test]
    fn noise_is_normal() {
        let mut stream = RngStream::new(4, "test/normal");
        let n = 20_000;
        let sampled: Vec<f64> = (0..n).map(|_| normal(&mut stream)).collect();
        let moment = |k: i32| sampled.iter().map(|x| x.powi(k)).sum::<f64>() / f64::from(n);
        // Four standard errors of each.
        assert!(moment(1).abs() < 4.0 / f64::from(n).sqrt());
        assert!((moment(2) - 1.0).abs() < 4.0 * (2.0 / f64::from(n)).sqrt());
        assert!((moment(4) - 3.0).abs() < 4.0 * (96.0 / f64::from(n)).sqrt());
    }

    #[test]
    fn a_dream_begins_with_what_was_asked() {
        let size = Size { height: 6, width: 5, channels: 2 };
        for parametrisation in [Parametrisation::Pixels, Parametrisation::Fourier { decay: 1.0 }] {
            let basis = Basis::new(parametrisation, size);
            let mut picture = vec![0.0; size.len()];
            let mut stream = RngStream::new(1, "test/start");
            basis.picture(&grey(&basis, size, 0.3, 0.0, &mut stream), &mut picture);
            assert!(picture.iter().all(|x| (x - 0.3).abs() < 1e-4), "{picture:?}");
            let asked: Vec<f32> = (0..size.len()).map(|i| i as f32 / 59.0).collect();
            basis.picture(&image(&basis, &asked), &mut picture);
            let off = picture.iter().zip(&asked).map(|(x, asked)| (x - asked).abs()).fold(0.0, f32::max);
            assert!(off < MARGIN + 1e-3, "{off}");
        }
    }
}
