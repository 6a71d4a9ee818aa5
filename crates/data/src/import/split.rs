//! From the parts of a source to training and test images: classes by name, seeded and stratified draws.

use std::path::{Path, PathBuf};

use inkling_statistics::SplitMix64;

use super::error::ImportError;
use super::{Imported, Labelled, Part, Request, classes};
use crate::set::{Images, Samples};

/// Joins the parts of a source under common classes, draws the test images where there are none, and puts each part in
/// order.
pub(super) fn assemble(
    source: &Path,
    name: String,
    parts: Vec<Labelled>,
    request: &Request,
    mut notes: Vec<String>,
) -> Result<Imported, ImportError> {
    let classes = classes::of(source, parts.iter().map(|part| &part.names))?;
    let found = parts[0].images.dim();
    let prepared = parts[0].prepared.clone();
    debug_assert!(parts.iter().all(|part| part.images.dim() == found), "readers make images of one size");
    let mut all: [Option<(Samples, Vec<PathBuf>)>; 3] = [None, None, None];
    for part in parts {
        let of = |name: &String| classes.iter().position(|class| class == name).expect("a class of the set");
        let places: Vec<u8> = part.names.iter().map(|name| of(name) as u8).collect();
        let labels = part.labels.iter().map(|&label| places[label]).collect();
        let samples = Samples { images: part.images, labels };
        let place = match part.part {
            Part::Train | Part::Whole => &mut all[0],
            Part::Test => &mut all[1],
            Part::Validation => &mut all[2],
        };
        match place {
            None => *place = Some((samples, part.files)),
            Some((held, files)) => {
                held.images.count += samples.images.count;
                held.images.pixels.extend(samples.images.pixels);
                held.labels.extend(samples.labels);
                files.extend(part.files);
            }
        }
    }
    let [train, test, validation] = all;
    if let Some((validation, _)) = &validation {
        notes.push(format!(
            "The part for validation ({} of the images) is used where a training asks for the set's own validation images.",
            validation.len()
        ));
    }
    let Some((train, train_files)) = train else {
        let help = "a set with parts needs a part named `train`";
        return Err(ImportError::new(source, "has no training images", help));
    };
    let order = |part: &Samples| stratified(&part.labels, classes.len(), request.seed);
    let drawn = test.is_none();
    let (train, test) = match test {
        // A set that this program prepared has its order, which the study that it is from drew.
        Some(test)
            if is_as_prepared(
                prepared,
                &classes,
                [&train, &test.0],
                validation.as_ref().map(|(part, _)| part),
            ) =>
        {
            ((train, train_files), test)
        }
        Some((test, files)) => {
            let (first, second) = (order(&train), order(&test));
            (
                (permuted(train, &first), pick(&train_files, &first)),
                (permuted(test, &second), pick(&files, &second)),
            )
        }
        None => {
            let [kept, drawn] = draw(source, &train.labels, &classes, request)?;
            let mut train = permuted(train, &[&kept[..], &drawn].concat());
            let test = split_off(&mut train, kept.len());
            ((train, pick(&train_files, &kept)), (test, pick(&train_files, &drawn)))
        }
    };
    for (part, samples) in [(Part::Train, &train.0), (Part::Test, &test.0)] {
        if let Some(missing) = (0..classes.len()).find(|&class| !samples.labels.contains(&(class as u8))) {
            return Err(ImportError::new(
                source,
                format!("has no {} image of the class `{}`", part.name(), classes[missing]),
                "add one, or leave the class out of the other parts",
            ));
        }
    }
    Ok(Imported {
        name,
        classes,
        train: train.0,
        test: test.0,
        validation: validation.map(|(validation, _)| validation),
        drawn,
        fit: request.fit,
        files: [train.1, test.1],
        notes,
    })
}

/// Whether these parts are, byte for byte and in their order, the set whose checksum is given.
fn is_as_prepared(
    checksum: Option<String>,
    classes: &[String],
    [train, test]: [&Samples; 2],
    validation: Option<&Samples>,
) -> bool {
    checksum.is_some_and(|checksum| super::checksum(classes, train, test, validation) == checksum)
}

/// Places of the images in an order of which every beginning has the classes in about their shares: those of a class are
/// shuffled, then all are merged evenly.
pub fn stratified(labels: &[u8], classes: usize, seed: u64) -> Vec<usize> {
    let mut order: Vec<(f64, usize)> = Vec::with_capacity(labels.len());
    for places in by_class(labels, classes, seed) {
        let count = places.len() as f64;
        order
            .extend(places.into_iter().enumerate().map(|(rank, place)| ((rank as f64 + 0.5) / count, place)));
    }
    // Equal ranks stand in the order of the classes, as they were added.
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    order.into_iter().map(|(_, place)| place).collect()
}

/// The places of each class's images, shuffled.
fn by_class(labels: &[u8], classes: usize, seed: u64) -> Vec<Vec<usize>> {
    let mut places = vec![Vec::new(); classes];
    labels.iter().enumerate().for_each(|(place, &label)| places[usize::from(label)].push(place));
    // A stream for each class, so that another image in one changes no draw elsewhere.
    let mut seeds = SplitMix64::new(seed);
    for places in &mut places {
        let count = places.len();
        SplitMix64::new(seeds.next_u64()).shuffle_first(places, count);
    }
    places
}

/// Places of the images that stay and of those that become test images, each in order.
fn draw(
    source: &Path,
    labels: &[u8],
    classes: &[String],
    request: &Request,
) -> Result<[Vec<usize>; 2], ImportError> {
    let (mut kept, mut drawn) = (Vec::new(), Vec::new());
    for (class, places) in by_class(labels, classes.len(), request.seed).into_iter().enumerate() {
        let count = places.len();
        if count < 2 {
            return Err(ImportError::new(
                source,
                format!(
                    "has {} of the class `{}`",
                    if count == 1 { "one image" } else { "no image" },
                    classes[class]
                ),
                format!(
                    "a share of {} of each class becomes test images, so that a class needs two images at least: add \
                     some, or name a source of test images",
                    request.test_share
                ),
            ));
        }
        let share = (request.test_share * count as f64).round() as usize;
        let (test, train) = places.split_at(share.clamp(1, count - 1));
        kept.extend_from_slice(train);
        drawn.extend_from_slice(test);
    }
    let ordered = |places: Vec<usize>| -> Vec<usize> {
        let labels: Vec<u8> = places.iter().map(|&place| labels[place]).collect();
        stratified(&labels, classes.len(), request.seed).into_iter().map(|i| places[i]).collect()
    };
    Ok([ordered(kept), ordered(drawn)])
}

/// The samples in another order, where they are: a set may fill half of the memory.
fn permuted(mut samples: Samples, order: &[usize]) -> Samples {
    let dim = samples.images.dim();
    for place in 0..order.len() {
        let mut from = order[place];
        // What was there has been exchanged with what came to its place.
        while from < place {
            from = order[from];
        }
        if from > place {
            samples.labels.swap(place, from);
            let (low, high) = samples.images.pixels.split_at_mut(from * dim);
            low[place * dim..][..dim].swap_with_slice(&mut high[..dim]);
        }
    }
    samples
}

/// Takes the samples from a place on.
fn split_off(samples: &mut Samples, at: usize) -> Samples {
    let pixels = samples.images.pixels.split_off(at * samples.images.dim());
    let labels = samples.labels.split_off(at);
    samples.images.count = at;
    let Images { height, width, channels, .. } = samples.images;
    Samples { images: Images { count: labels.len(), height, width, channels, pixels }, labels }
}

fn pick(files: &[PathBuf], places: &[usize]) -> Vec<PathBuf> {
    if files.is_empty() { Vec::new() } else { places.iter().map(|&place| files[place].clone()).collect() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn samples_in_another_order_are_the_same_samples(count in 0_usize..40, seed in any::<u64>()) {
            let mut order: Vec<usize> = (0..count).collect();
            SplitMix64::new(seed).shuffle_first(&mut order, count);
            let pixels = (0..2 * count).map(|i| i as u8).collect();
            let labels: Vec<u8> = (0..count as u8).collect();
            let samples = Samples { images: Images { count, height: 1, width: 2, channels: 1, pixels }, labels };
            let mut found = permuted(samples, &order);
            for (place, &from) in order.iter().enumerate() {
                prop_assert_eq!(found.images.image(place), [2 * from as u8, 2 * from as u8 + 1]);
                prop_assert_eq!(usize::from(found.labels[place]), from);
            }
            let rest = split_off(&mut found, count / 3);
            prop_assert_eq!((found.len() + rest.len(), rest.images.count), (count, rest.len()));
        }

        #[test]
        fn every_beginning_has_the_classes_in_their_shares(
            labels in prop::collection::vec(0_u8..5, 1..300),
            seed in any::<u64>(),
        ) {
            let order = stratified(&labels, 5, seed);
            let mut seen = order.clone();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..labels.len()).collect::<Vec<_>>());
            for end in 1..=labels.len() {
                for class in 0..5 {
                    let count = |places: &mut dyn Iterator<Item = u8>| places.filter(|&l| l == class).count() as f64;
                    let all = count(&mut labels.iter().copied());
                    let here = count(&mut order[..end].iter().map(|&place| labels[place]));
                    let share = all * end as f64 / labels.len() as f64;
                    prop_assert!((here - share).abs() <= 3.0, "{here} of class {class}, {share} expected");
                }
            }
        }

        #[test]
        fn a_draw_takes_its_share_of_each_class_and_every_image_once(
            counts in prop::collection::vec(2_usize..60, 2..6),
            share in 0.01..0.99_f64,
            seed in any::<u64>(),
        ) {
            let labels: Vec<u8> = counts.iter().enumerate().flat_map(|(c, &n)| vec![c as u8; n]).collect();
            let classes: Vec<String> = (0..counts.len()).map(|c| c.to_string()).collect();
            let request = Request { test_share: share, seed, ..Request::default() };
            let [kept, drawn] = draw(Path::new("set"), &labels, &classes, &request).unwrap();
            let mut all = [&kept[..], &drawn].concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..labels.len()).collect::<Vec<_>>());
            for (class, &count) in counts.iter().enumerate() {
                let test = drawn.iter().filter(|&&place| usize::from(labels[place]) == class).count();
                prop_assert_eq!(test, ((share * count as f64).round() as usize).clamp(1, count - 1));
            }
        }
    }
}
