//! The images that a network is given in a look: typical test images, test images by number, and image files of the
//! user.

use inkling_data::{DataSet, Images};
use inkling_engine::logits::argmax;
use inkling_schema::{ImageChoice, Labels};

use super::error::LookError;
use super::trained::Trained;

/// An image file that a user supplies.
#[derive(Debug, Clone)]
pub struct UserImage {
    /// SHA-256 of its file, in hexadecimal: how runs name it.
    pub checksum: String,
    /// The image alone.
    pub image: Images,
    /// Notes on it for the reader, each a sentence that begins with its name.
    pub notes: Vec<String>,
}

/// The notes on the images that a user supplied, and on those that were found among the test images.
pub(crate) fn notes<'a>(
    user_images: &[UserImage],
    input_images: impl IntoIterator<Item = &'a InputImage>,
) -> Vec<String> {
    let mut notes: Vec<String> = user_images.iter().flat_map(|image| &image.notes).cloned().collect();
    for note in input_images.into_iter().filter_map(|image| image.note.as_ref()) {
        if !notes.contains(note) {
            notes.push(note.clone());
        }
    }
    notes
}

/// An image that the network is given in a look.
#[derive(Debug, Clone)]
pub(crate) struct InputImage {
    pub(crate) name: String,
    /// Its number among the test images, if it is one.
    pub(crate) index: Option<usize>,
    /// Its class, as the head that is asked has it, where that is known.
    pub(crate) class: Option<usize>,
    /// Bytes, [height, width, channels].
    pub(crate) pixels: Vec<u8>,
    /// A note on it for the reader, a sentence.
    pub(crate) note: Option<String>,
}

/// The head that says what images are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeadLabels<'a> {
    pub(crate) head: &'a str,
    /// What it should say of an image, where that is known.
    pub(crate) labels: Option<&'a Labels>,
}

impl HeadLabels<'_> {
    /// What the head should say of an image of this class of the set.
    fn label(&self, class: u8) -> Option<usize> {
        match self.labels? {
            Labels::Classes => Some(usize::from(class)),
            Labels::Groups(groups) => groups.get(usize::from(class)).map(|&group| usize::from(group)),
        }
    }
}

/// Refuses an image that does not exist or has another size than the network takes. Classes are those of the head that
/// is asked. Whether any image of a class is typical is only known once the network has seen them all.
///
/// # Errors
/// [`LookError`].
pub(crate) fn check(
    choice: &ImageChoice,
    trained: &Trained,
    head_labels: HeadLabels,
    set: Option<&DataSet>,
    user_images: &[UserImage],
) -> Result<(), LookError> {
    if let ImageChoice::File { name, checksum, .. } = choice {
        return check_size(&format!("`{name}`"), find_user_image(checksum, user_images), trained, false);
    }
    let set = set.ok_or(LookError::NoDataSet)?;
    check_set(set, trained)?;
    match *choice {
        ImageChoice::Index { index } if index >= set.test.len() => {
            Err(LookError::NoImage { index, last: set.test.len() - 1 })
        }
        ImageChoice::Typical { class } => {
            trained.check_class(head_labels.head, usize::from(class), &set.about.classes)?;
            match head_labels.labels {
                Some(_) => Ok(()),
                None => Err(LookError::NoLabels { head: head_labels.head.into() }),
            }
        }
        _ => Ok(()),
    }
}

/// Refuses a set whose images the network does not take.
///
/// # Errors
/// [`LookError::ImageSize`].
pub(crate) fn check_set(set: &DataSet, trained: &Trained) -> Result<(), LookError> {
    check_size(&format!("an image of {}", set.about.title), &set.test.images, trained, true)
}

fn check_size(image: &str, images: &Images, trained: &Trained, of_set: bool) -> Result<(), LookError> {
    let (found, expected) = ([images.height, images.width, images.channels], trained.input());
    if found == expected {
        return Ok(());
    }
    let [found, expected] =
        [found, expected].map(|[height, width, channels]| format!("{height}×{width}×{channels}"));
    Err(LookError::ImageSize { image: image.into(), found, expected, of_set })
}

fn find_user_image<'a>(checksum: &str, user_images: &'a [UserImage]) -> &'a Images {
    let found = user_images.iter().find(|image| image.checksum == *checksum);
    &found.expect("every image that a run names is brought").image
}

/// Finds the image that was chosen, with its class as the head that is asked has it.
///
/// # Errors
/// [`LookError`]: there is no such image, none is typical, it has another size than the network takes.
pub(crate) fn find(
    choice: &ImageChoice,
    trained: &mut Trained,
    head_labels: HeadLabels,
    set: Option<&DataSet>,
    user_images: &[UserImage],
) -> Result<InputImage, LookError> {
    check(choice, trained, head_labels, set, user_images)?;
    if let ImageChoice::File { name, checksum, inverted } = choice {
        let pixels = find_user_image(checksum, user_images).pixels.clone();
        let name = if *inverted { format!("{name}, inverted") } else { name.clone() };
        return Ok(InputImage { name, index: None, class: None, pixels, note: None });
    }
    let set = set.ok_or(LookError::NoDataSet)?;
    let head = trained.head(head_labels.head)?;
    let (index, note) = match *choice {
        ImageChoice::Index { index } => (index, None),
        ImageChoice::Typical { class } => {
            let classes = trained.network.num_classes()[head];
            let labels: Vec<Option<usize>> =
                set.test.labels.iter().map(|&label| head_labels.label(label)).collect();
            let scores = trained.test_scores(head, set);
            let class = usize::from(class);
            let typical = typical(scores, classes, &labels, class);
            let index = typical.ok_or(LookError::NoTypicalImage { class })?;
            let wrong = argmax(&scores[index * classes..][..classes]) != class;
            let note = wrong.then(|| {
                format!(
                    "the network classifies no test image of class {class} correctly, so {index} is typical of all of them"
                )
            });
            (index, note)
        }
        ImageChoice::File { .. } => unreachable!("files are found above"),
    };
    Ok(InputImage {
        name: format!("test image {index}"),
        index: Some(index),
        class: head_labels.label(set.test.labels[index]),
        pixels: set.test.images.image(index).to_vec(),
        note,
    })
}

/// Of the images of a class that are classified rightly, the one whose scores are nearest to the mean of the scores of
/// all of these; where none is, of all images of the class.
fn typical(scores: &[f32], classes: usize, labels: &[Option<usize>], class: usize) -> Option<usize> {
    let all = scores.chunks_exact(classes).enumerate().filter(|(i, _)| labels[*i] == Some(class));
    let all: Vec<(usize, &[f32])> = all.collect();
    let right: Vec<(usize, &[f32])> =
        all.iter().filter(|(_, scores)| argmax(scores) == class).copied().collect();
    let right = if right.is_empty() { all } else { right };
    let mean: Vec<f64> = (0..classes)
        .map(|j| right.iter().map(|(_, scores)| f64::from(scores[j])).sum::<f64>() / right.len() as f64)
        .collect();
    let distance = |scores: &[f32]| {
        scores.iter().zip(&mean).map(|(&score, mean)| (f64::from(score) - mean).powi(2)).sum::<f64>()
    };
    right.iter().min_by(|a, b| distance(a.1).total_cmp(&distance(b.1))).map(|(index, _)| *index)
}

#[cfg(test)]
mod tests {
    /// As the function of this name, of labels that are all known.
    fn typical(scores: &[f32], classes: usize, labels: &[usize], class: usize) -> Option<usize> {
        let labels: Vec<Option<usize>> = labels.iter().copied().map(Some).collect();
        super::typical(scores, classes, &labels, class)
    }

    #[test]
    fn the_typical_image_is_right_and_nearest_to_the_mean_scores() {
        // Class 1: images 0, 2, 3 right, with scores 1, 2 and 9 for it; image 4 wrong. The mean is 4.
        let scores = [0.0, 1.0, 5.0, 0.0, 0.0, 2.0, 0.0, 9.0, 4.1, 4.0];
        assert_eq!(typical(&scores, 2, &[1, 0, 1, 1, 1], 1), Some(2));
        assert_eq!(typical(&scores, 2, &[1, 0, 1, 1, 1], 0), Some(1));
        // Of equally near ones the first; of all where none is right; none where there is none.
        assert_eq!(typical(&[1.0, 0.0, 3.0, 0.0], 2, &[0, 0], 0), Some(0));
        assert_eq!(typical(&[1.0, 0.0, 9.0, 0.0, 2.0, 0.0], 2, &[1, 1, 1], 1), Some(2));
        assert_eq!(typical(&[1.0, 0.0], 2, &[1], 0), None);
    }
}
