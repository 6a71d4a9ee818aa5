//! What the heads of a network should say of images.

/// What one head should say of each image of a set.
#[derive(Debug, Clone, Copy)]
pub enum Labels<'a> {
    /// The class of each image, for up to 256 classes, `[n]`.
    Bytes(&'a [u8]),
    /// The class of each image, `[n]`.
    Classes(&'a [u32]),
    /// A number for each output of the head, image by image: what it should be, or from 0 for no to 1 for yes.
    Values {
        /// The numbers, [n, outputs].
        values: &'a [f32],
        /// Outputs of the head.
        outputs: usize,
    },
}

impl Labels<'_> {
    /// Number of images.
    pub fn len(&self) -> usize {
        match self {
            Labels::Bytes(classes) => classes.len(),
            Labels::Classes(classes) => classes.len(),
            Labels::Values { values, outputs } => values.len() / outputs,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The class of an image.
    ///
    /// # Panics
    /// If there are not so many, or these are values.
    pub(crate) fn class(&self, image: usize) -> usize {
        match self {
            Labels::Bytes(classes) => usize::from(classes[image]),
            Labels::Classes(classes) => classes[image] as usize,
            Labels::Values { .. } => panic!("values are no classes"),
        }
    }

    /// The labels of the images from the first of a range to the one after its last.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn slice(&self, images: std::ops::Range<usize>) -> Self {
        match *self {
            Labels::Bytes(classes) => Labels::Bytes(&classes[images]),
            Labels::Classes(classes) => Labels::Classes(&classes[images]),
            Labels::Values { values, outputs } => {
                let values = &values[images.start * outputs..images.end * outputs];
                Labels::Values { values, outputs }
            }
        }
    }
}

impl<'a, T: AsRef<[u8]> + ?Sized> From<&'a T> for Labels<'a> {
    fn from(classes: &'a T) -> Self {
        Labels::Bytes(classes.as_ref())
    }
}

/// The labels of a batch for one head, which [`Labels`] are taken from one by one.
#[derive(Debug, Clone, PartialEq)]
pub enum HeadTargets {
    /// The class of each image.
    Classes(Vec<u32>),
    /// Numbers for each output, image by image.
    Values {
        /// The numbers, [batch, outputs].
        values: Vec<f32>,
        /// Outputs of the head.
        outputs: usize,
    },
}

impl HeadTargets {
    /// All of these labels.
    pub fn new(labels: Labels) -> HeadTargets {
        let order: Vec<u32> = (0..labels.len() as u32).collect();
        let mut targets = HeadTargets::Classes(Vec::new());
        targets.gather(labels, &order);
        targets
    }

    /// Takes the labels of the images of this order in the place of what it holds. Allocates nothing once it has held as many
    /// of the same kind.
    ///
    /// # Panics
    /// If a number is beyond the last label.
    pub(crate) fn gather(&mut self, labels: Labels, order: &[u32]) {
        let indices = order.iter().map(|&index| index as usize);
        match (&mut *self, labels) {
            (HeadTargets::Classes(classes), Labels::Bytes(_) | Labels::Classes(_)) => {
                classes.clear();
                classes.extend(indices.map(|index| labels.class(index) as u32));
            }
            (HeadTargets::Values { values, outputs }, Labels::Values { values: all, outputs: width }) => {
                *outputs = width;
                values.clear();
                indices.for_each(|index| values.extend_from_slice(&all[index * width..(index + 1) * width]));
            }
            (_, Labels::Values { outputs, .. }) => {
                *self = HeadTargets::Values { values: Vec::new(), outputs };
                self.gather(labels, order);
            }
            (HeadTargets::Values { .. }, _) => {
                *self = HeadTargets::Classes(Vec::new());
                self.gather(labels, order);
            }
        }
    }

    /// What it holds.
    pub(crate) fn labels(&self) -> Labels<'_> {
        match self {
            HeadTargets::Classes(classes) => Labels::Classes(classes),
            HeadTargets::Values { values, outputs } => Labels::Values { values, outputs: *outputs },
        }
    }
}

/// The labels of a batch, and the weight of each head in the loss.
#[derive(Debug, Clone, Copy)]
pub struct Targets<'a> {
    /// The labels of the batch for each head.
    pub labels: &'a [HeadTargets],
    /// The weight of each head's mean loss in the loss of the network, `[heads]`.
    pub loss_weights: &'a [f32],
    /// What the gradient of an image counts, by its class, in the first head; 1 each where empty.
    pub class_weights: &'a [f32],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_takes_labels_of_any_kind_in_its_order() {
        let mut targets = HeadTargets::new(Labels::Bytes(&[7, 8]));
        assert_eq!(targets, HeadTargets::Classes(vec![7, 8]));
        targets.gather(Labels::Classes(&[300, 1, 65_536]), &[2, 0]);
        assert_eq!(targets, HeadTargets::Classes(vec![65_536, 300]));
        let values = Labels::Values { values: &[0.0, 0.5, 1.0, 1.5], outputs: 2 };
        targets.gather(values, &[1, 1]);
        assert_eq!(targets, HeadTargets::Values { values: vec![1.0, 1.5, 1.0, 1.5], outputs: 2 });
        assert_eq!((values.len(), values.slice(1..2).len(), targets.labels().len()), (2, 1, 2));
        targets.gather((&[3_u8, 4]).into(), &[1]);
        assert_eq!(targets, HeadTargets::Classes(vec![4]));
    }
}
