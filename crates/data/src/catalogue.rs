//! The image sets that Inkling knows: shapes, class names, files with their checksums, origins and mirrors.

use crate::error::DataError;
use crate::sha256_hex;

/// What is fixed about an image set before any of its bytes are read.
#[derive(Debug)]
pub struct SetInfo {
    /// The name that a study or a command line uses, and the folder that holds the set.
    pub name: &'static str,
    /// The name to print.
    pub title: &'static str,
    /// Height, width and channels of an image.
    pub shape: [usize; 3],
    /// Number of training images.
    pub train_count: usize,
    /// Number of test images.
    pub test_count: usize,
    /// Mean brightness, from 0 to 1, of the training images' outermost pixels and of all of them: whether the set is light
    /// on dark.
    pub brightness: [f64; 2],
    /// Class names; a label is an index into them.
    pub classes: &'static [&'static str],
    /// A coarser labelling of the classes, where the set has one.
    pub groups: Option<Groups>,
    /// Training images, training labels, test images, test labels.
    pub files: [SetFile; 4],
    /// Who made the set and where it was published.
    pub origin: &'static str,
    /// The licence that the set is under.
    pub licence: &'static str,
    /// Base URLs, ending in `/`, that serve every file as `NAME.gz`; tried in this order.
    pub mirrors: &'static [&'static str],
}

/// A coarser labelling: every class belongs to one group.
#[derive(Debug)]
pub struct Groups {
    /// Group names; a group label is an index into them.
    pub names: &'static [&'static str],
    /// The group of each class, indexed by class label.
    pub of_class: &'static [u8],
}

/// One file of a set. Size and checksum are those of the uncompressed bytes, so that a file recompressed by a
/// mirror or unpacked by a person is still the same file.
#[derive(Debug)]
pub struct SetFile {
    /// File name without `.gz`.
    pub name: &'static str,
    /// Uncompressed size in bytes.
    pub bytes: u64,
    /// SHA-256 of the uncompressed bytes, in lower-case hexadecimal.
    pub sha256: &'static str,
}

impl SetInfo {
    /// The SHA-256 over the four files' checksums (their hexadecimal digits, concatenated in the order of
    /// [`files`](Self::files)): one value that identifies every byte of the set.
    pub fn checksum(&self) -> String {
        sha256_hex(self.files.each_ref().map(|file| file.sha256).concat().as_bytes())
    }
}

/// Every set, in the order in which to list them.
pub static SETS: [SetInfo; 2] = [
    SetInfo {
        name: "mnist",
        title: "MNIST",
        shape: [28, 28, 1],
        train_count: 60_000,
        test_count: 10_000,
        brightness: [0.0002, 0.1307],
        classes: &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
        groups: None,
        files: [
            SetFile {
                name: "train-images-idx3-ubyte",
                bytes: 47_040_016,
                sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            },
            SetFile {
                name: "train-labels-idx1-ubyte",
                bytes: 60_008,
                sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            },
            SetFile {
                name: "t10k-images-idx3-ubyte",
                bytes: 7_840_016,
                sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            },
            SetFile {
                name: "t10k-labels-idx1-ubyte",
                bytes: 10_008,
                sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            },
        ],
        origin: "Yann LeCun, Corinna Cortes, Christopher J.C. Burges: http://yann.lecun.com/exdb/mnist/",
        licence: "CC BY-SA 3.0",
        mirrors: &[
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
        ],
    },
    SetInfo {
        name: "fashion-mnist",
        title: "Fashion-MNIST",
        shape: [28, 28, 1],
        train_count: 60_000,
        test_count: 10_000,
        brightness: [0.0485, 0.2860],
        classes: &[
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ],
        groups: Some(Groups {
            names: &["shoes", "gendered", "unisex"],
            of_class: &[2, 2, 2, 1, 2, 0, 1, 0, 1, 0],
        }),
        files: [
            SetFile {
                name: "train-images-idx3-ubyte",
                bytes: 47_040_016,
                sha256: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            },
            SetFile {
                name: "train-labels-idx1-ubyte",
                bytes: 60_008,
                sha256: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            },
            SetFile {
                name: "t10k-images-idx3-ubyte",
                bytes: 7_840_016,
                sha256: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            },
            SetFile {
                name: "t10k-labels-idx1-ubyte",
                bytes: 10_008,
                sha256: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
            },
        ],
        origin: "Zalando SE (Han Xiao, Kashif Rasul, Roland Vollgraf): https://github.com/zalandoresearch/fashion-mnist",
        licence: "MIT",
        mirrors: &[
            // Zalando's bucket is a static website, which S3 serves without TLS; the checksums make up for
            // it.
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        ],
    },
];

/// The set called `name`.
///
/// # Errors
/// [`DataError::UnknownSet`], which lists the sets that exist and the nearest of them.
pub fn find(name: &str) -> Result<&'static SetInfo, DataError> {
    SETS.iter().find(|set| set.name == name).ok_or_else(|| DataError::UnknownSet {
        name: name.to_owned(),
        known: SETS.each_ref().map(|set| set.name).join(", "),
        nearest: nearest(name),
    })
}

/// The known name that `name` is most likely a misspelling of, if it resembles one.
fn nearest(name: &str) -> Option<&'static str> {
    const RESEMBLES: f64 = 0.75;
    let name = name.to_lowercase();
    SETS.iter()
        .map(|set| (strsim::jaro_winkler(&name, set.name), set.name))
        .filter(|(similarity, _)| *similarity >= RESEMBLES)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

/// The set and the file of it whose uncompressed bytes have this checksum.
pub(crate) fn owner(sha256: &str) -> Option<(&'static SetInfo, &'static SetFile)> {
    SETS.iter()
        .flat_map(|set| set.files.iter().map(move |file| (set, file)))
        .find(|(_, file)| file.sha256 == sha256)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_as_long_as_its_shape_says() {
        for set in &SETS {
            let pixels: usize = set.shape.iter().product();
            let sizes = [
                16 + set.train_count * pixels,
                8 + set.train_count,
                16 + set.test_count * pixels,
                8 + set.test_count,
            ];
            assert_eq!(set.files.each_ref().map(|file| file.bytes), sizes.map(|n| n as u64), "{}", set.name);
            assert!(set.mirrors.iter().all(|mirror| mirror.ends_with('/')), "{}", set.name);
            // Labels are bytes and so are counts of classes; figures and components are of grey images.
            assert!((2..=255).contains(&set.classes.len()) && set.shape[2] == 1, "{}", set.name);
        }
    }

    #[test]
    fn groups_follow_the_brief() {
        let groups = find("fashion-mnist").unwrap().groups.as_ref().unwrap();
        let members = |group| {
            groups
                .of_class
                .iter()
                .enumerate()
                .filter(|(_, g)| **g == group)
                .map(|(class, _)| class)
                .collect::<Vec<_>>()
        };
        assert_eq!(members(0), [5, 7, 9]);
        assert_eq!(members(1), [3, 6, 8]);
        assert_eq!(members(2), [0, 1, 2, 4]);
        assert_eq!(groups.names, ["shoes", "gendered", "unisex"]);
    }

    #[test]
    fn an_unknown_name_gets_the_nearest_one() {
        for (typed, meant) in [
            ("mnits", Some("mnist")),
            ("MNIST", Some("mnist")),
            ("fashion_mnist", Some("fashion-mnist")),
            ("Fashion-MNIST", Some("fashion-mnist")),
            ("cifar-10", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed), meant, "{typed}");
        }
    }

    #[test]
    fn a_checksum_names_its_file() {
        let (set, file) = owner("0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34").unwrap();
        assert_eq!((set.name, file.name), ("fashion-mnist", "t10k-labels-idx1-ubyte"));
        assert!(owner("").is_none());
    }

    #[test]
    fn set_checksums_are_stable() {
        assert_eq!(
            SETS.each_ref().map(SetInfo::checksum),
            [
                "c65580678af93f1ea48c2c0d01d543ec89307c6b8a0eb7ca542d7c18c5f4c681",
                "d1fd84a877f3b78fa9a171b3de73f93e7b6f69ed94bada3feae9d96821401f5c",
            ]
        );
    }
}
