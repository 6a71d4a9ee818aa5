//! Initial parameters of feature visualisation.

use super::parametrisation::ImageBasis;
use crate::random::RngStream;

/// How close to black and white an initial image may be: at 0 and 1 themselves the logistic function has no finite
/// argument.
const MARGIN: f32 = 0.02;

/// The parameters of an image of one level, from 0 to 1, with normal noise of this standard deviation added to them.
pub fn parameters_of_grey(
    basis: &ImageBasis,
    level: f64,
    deviation: f64,
    stream: &mut RngStream,
) -> Vec<f32> {
    let mut parameters = parameters_of_image(basis, &vec![level as f32; basis.size().num_values()]);
    if deviation > 0.0 {
        parameters.iter_mut().for_each(|parameter| *parameter += (deviation * normal(stream)) as f32);
    }
    parameters
}

/// The parameters of an image, whose numbers from 0 to 1 are clamped to [0.02, 0.98].
pub fn parameters_of_image(basis: &ImageBasis, image: &[f32]) -> Vec<f32> {
    let inside: Vec<f32> = image.iter().map(|x| x.clamp(MARGIN, 1.0 - MARGIN)).collect();
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
    use crate::interpret::ImageSize;

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
    fn images_start_as_asked() {
        let size = ImageSize { height: 6, width: 5, channels: 2 };
        for parametrisation in [Parametrisation::Pixels, Parametrisation::Fourier { decay: 1.0 }] {
            let basis = ImageBasis::new(parametrisation, size);
            let mut image = vec![0.0; size.num_values()];
            let mut stream = RngStream::new(1, "test/start");
            basis.image(&parameters_of_grey(&basis, 0.3, 0.0, &mut stream), &mut image);
            assert!(image.iter().all(|x| (x - 0.3).abs() < 1e-4), "{image:?}");
            let asked: Vec<f32> = (0..size.num_values()).map(|i| i as f32 / 59.0).collect();
            basis.image(&parameters_of_image(&basis, &asked), &mut image);
            let off = image.iter().zip(&asked).map(|(x, asked)| (x - asked).abs()).fold(0.0, f32::max);
            assert!(off < MARGIN + 1e-3, "{off}");
        }
    }
}
