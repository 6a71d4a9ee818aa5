//! The images that a network is trained on, and those held out to choose its best epoch by.

use std::borrow::Cow;

use inkling_data::{Images, Samples};
use inkling_engine::random::RngStream;
use inkling_schema::TrainRun;

/// The images that are trained on and chosen by. Nothing here knows of test images.
#[derive(Debug)]
pub(crate) struct Split<'a> {
    /// Trained on.
    pub(crate) train: Cow<'a, Samples>,
    /// To choose the best epoch by, where the run asks for it.
    pub(crate) validation: Option<Cow<'a, Samples>>,
}

impl<'a> Split<'a> {
    /// Holds out the first images of a shuffled order, which the run's seed decides; both parts keep the order of the
    /// set. `own` are the validation images that the set has of its own, which take their place if the run says so.
    pub(crate) fn new(samples: &'a Samples, own: Option<&'a Samples>, run: &TrainRun) -> Split<'a> {
        let Some(validation) = run.training.validation.as_ref().filter(|validation| !validation.own) else {
            let validation = run.training.validation.as_ref().and(own).map(Cow::Borrowed);
            return Split { train: Cow::Borrowed(samples), validation };
        };
        let mut order = arange(samples.len());
        RngStream::new(run.seed, "validation").shuffle(&mut order);
        let (held_out, rest) = order.split_at_mut(validation.images);
        held_out.sort_unstable();
        rest.sort_unstable();
        Split {
            train: Cow::Owned(select(samples, rest)),
            validation: Some(Cow::Owned(select(samples, held_out))),
        }
    }
}

/// The numbers 0, 1, … of `images` images.
pub(crate) fn arange(images: usize) -> Vec<u32> {
    (0..u32::try_from(images).expect("fewer than 2³² images")).collect()
}

fn select(samples: &Samples, indices: &[u32]) -> Samples {
    let images = &samples.images;
    let chosen = || indices.iter().map(|&index| index as usize);
    Samples {
        images: Images {
            count: indices.len(),
            pixels: chosen().flat_map(|index| images.image(index)).copied().collect(),
            ..Images { pixels: Vec::new(), ..*images }
        },
        labels: chosen().map(|index| samples.labels[index]).collect(),
    }
}

#[cfg(test)]
mod tests {
    use inkling_schema::{
        DataSlice, ModelSpec, Optimizer, Schedule, TrainingPrecision, TrainingSpec, ValidationSpec,
    };

    use super::*;

    fn run(held_out: Option<usize>, seed: u64) -> TrainRun {
        let data = DataSlice { set: "mnist".into(), train_images: 40, test_images: 1 };
        let model = ModelSpec { input: [1, 1, 1], trunk: vec![], heads: vec![] };
        let training = TrainingSpec {
            augmentation: None,
            class_weights: None,
            precision: TrainingPrecision::Float32,
            epochs: 1,
            batch_size: 1,
            learning_rate: 1.0,
            schedule: Schedule::Constant,
            optimizer: Optimizer::Sgd { momentum: 0.0, nesterov: false },
            log_every: 1,
            warmup_steps: None,
            clip_norm: None,
            validation: held_out.map(|images| ValidationSpec { images, own: false, patience: None }),
        };
        TrainRun::of_classes(data, model, training, seed)
    }

    /// Forty images of one pixel, which is the image's number.
    fn samples() -> Samples {
        let images = Images { count: 40, height: 1, width: 1, channels: 1, pixels: (0..40).collect() };
        Samples { images, labels: (0..40).rev().collect() }
    }

    #[test]
    fn the_parts_are_the_whole_in_order_and_labels_stay_with_their_images() {
        let samples = samples();
        let split = Split::new(&samples, None, &run(Some(15), 1));
        let validation = split.validation.unwrap();
        assert_eq!((split.train.len(), validation.len()), (25, 15));
        for part in [split.train.as_ref(), &validation] {
            assert!(part.images.pixels.is_sorted() && part.images.len() == part.len());
            assert!(part.images.pixels.iter().zip(&part.labels).all(|(pixel, label)| pixel + label == 39));
        }
        let mut all = [&split.train.images.pixels[..], &validation.images.pixels].concat();
        all.sort_unstable();
        assert_eq!(all, samples.images.pixels);
    }

    #[test]
    fn validation_images_of_the_set_leave_all_others_to_train_on() {
        let samples = samples();
        let other = samples.clone().take(7);
        let mut run = run(None, 1);
        run.training.validation = Some(ValidationSpec { images: 0, own: true, patience: None });
        let split = Split::new(&samples, Some(&other), &run);
        assert_eq!((split.train.as_ref(), split.validation.as_deref()), (&samples, Some(&other)));
    }

    #[test]
    fn the_seed_decides_who_is_held_out() {
        let samples = samples();
        let held_out = |seed| Split::new(&samples, None, &run(Some(15), seed)).validation.unwrap();
        assert_eq!(held_out(1), held_out(1));
        assert_ne!(held_out(1), held_out(2));
        assert_eq!(*Split::new(&samples, None, &run(None, 1)).train, samples);
    }
}
