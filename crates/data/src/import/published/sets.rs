//! The sets that are known by name where their files lie on disk, with the MD5 checksums that their authors or torchvision publish.

use super::{Form, PublishedSet};

const CIFAR: &str = "https://www.cs.toronto.edu/~kriz/cifar.html";
const EMNIST: &str = "https://www.nist.gov/itl/products-and-services/emnist-dataset";

/// The splits of EMNIST (Cohen et al. 2017), all of which lie in one archive.
const SPLITS: [(&str, &str); 6] = [
    ("emnist-balanced", "EMNIST Balanced"),
    ("emnist-byclass", "EMNIST ByClass"),
    ("emnist-bymerge", "EMNIST ByMerge"),
    ("emnist-digits", "EMNIST Digits"),
    ("emnist-letters", "EMNIST Letters"),
    ("emnist-mnist", "EMNIST MNIST"),
];

/// A set of MedMNIST (Yang et al. 2023), with a class for each image.
struct MedMnist {
    name: &'static str,
    title: &'static str,
    licence: &'static str,
    /// Of the files with images of 28, 64, 128 and 224 pixels a side.
    md5: [&'static str; 4],
    classes: &'static [&'static str],
}

const MEDMNIST: [MedMnist; 11] = [
    MedMnist {
        name: "pathmnist",
        title: "PathMNIST",
        licence: "CC BY 4.0",
        md5: [
            "a8b06965200029087d5bd730944a56c1",
            "55aa9c1e0525abe5a6b9d8343a507616",
            "ac42d08fb904d92c244187169d1fd1d9",
            "2c51a510bcdc9cf8ddb2af93af1eadec",
        ],
        classes: &[
            "adipose",
            "background",
            "debris",
            "lymphocytes",
            "mucus",
            "smooth muscle",
            "normal colon mucosa",
            "cancer-associated stroma",
            "colorectal adenocarcinoma epithelium",
        ],
    },
    MedMnist {
        name: "dermamnist",
        title: "DermaMNIST",
        licence: "CC BY-NC 4.0",
        md5: [
            "0744692d530f8e62ec473284d019b0c7",
            "b70a2f5635c6199aeaa28c31d7202e1f",
            "2defd784463fa5243564e855ed717de1",
            "8974907d8e169bef5f5b96bc506ae45d",
        ],
        classes: &[
            "actinic keratoses and intraepithelial carcinoma",
            "basal cell carcinoma",
            "benign keratosis-like lesions",
            "dermatofibroma",
            "melanoma",
            "melanocytic nevi",
            "vascular lesions",
        ],
    },
    MedMnist {
        name: "octmnist",
        title: "OCTMNIST",
        licence: "CC BY 4.0",
        md5: [
            "c68d92d5b585d8d81f7112f81e2d0842",
            "e229e9440236b774d9f0dfef9d07bdaf",
            "0a97e76651ace45c5d943ee3f65b63ae",
            "abc493b6d529d5de7569faaef2773ba3",
        ],
        classes: &["choroidal neovascularization", "diabetic macular edema", "drusen", "normal"],
    },
    MedMnist {
        name: "pneumoniamnist",
        title: "PneumoniaMNIST",
        licence: "CC BY 4.0",
        md5: [
            "28209eda62fecd6e6a2d98b1501bb15f",
            "8f4eceb4ccffa70c672198ea285246c6",
            "05b46931834c231683c68f40c47b2971",
            "d6a3c71de1b945ea11211b03746c1fe1",
        ],
        classes: &["normal", "pneumonia"],
    },
    MedMnist {
        name: "retinamnist",
        title: "RetinaMNIST",
        licence: "CC BY 4.0",
        md5: [
            "bd4c0672f1bba3e3a89f0e4e876791e4",
            "afda852cc34dcda56f86ad2b2457dbcc",
            "e48e916a24454daf90583d4e6efb1a18",
            "eae7e3b6f3fcbda4ae613ebdcbe35348",
        ],
        classes: &["grade 0", "grade 1", "grade 2", "grade 3", "grade 4"],
    },
    MedMnist {
        name: "breastmnist",
        title: "BreastMNIST",
        licence: "CC BY 4.0",
        md5: [
            "750601b1f35ba3300ea97c75c52ff8f6",
            "742edef2a1fd1524b2efff4bd7ba9364",
            "363e4b3f8d712e9b5de15470a2aaadf1",
            "b56378a6eefa9fed602bb16d192d4c8b",
        ],
        classes: &["malignant", "normal, benign"],
    },
    MedMnist {
        name: "bloodmnist",
        title: "BloodMNIST",
        licence: "CC BY 4.0",
        md5: [
            "7053d0359d879ad8a5505303e11de1dc",
            "2b94928a2ae4916078ca51e05b6b800b",
            "adace1e0ed228fccda1f39692059dd4c",
            "b718ff6835fcbdb22ba9eacccd7b2601",
        ],
        classes: &[
            "basophil",
            "eosinophil",
            "erythroblast",
            "immature granulocytes",
            "lymphocyte",
            "monocyte",
            "neutrophil",
            "platelet",
        ],
    },
    MedMnist {
        name: "tissuemnist",
        title: "TissueMNIST",
        licence: "CC BY 4.0",
        md5: [
            "ebe78ee8b05294063de985d821c1c34b",
            "123ece2eba09d0aa5d698fda57103344",
            "61b955355d7425a89687b06cca3ce0c2",
            "b077128c4a949f0a4eb01517f9037b9c",
        ],
        classes: &[
            "Collecting Duct, Connecting Tubule",
            "Distal Convoluted Tubule",
            "Glomerular endothelial cells",
            "Interstitial endothelial cells",
            "Leukocytes",
            "Podocytes",
            "Proximal Tubule Segments",
            "Thick Ascending Limb",
        ],
    },
    MedMnist {
        name: "organamnist",
        title: "OrganAMNIST",
        licence: "CC BY 4.0",
        md5: [
            "68e3f8846a6bd62f0c9bf841c0d9eacc",
            "2dcccc29b88e6da5a01161ef20cda288",
            "eeae80d0a227a8d099027e1b3cfd3b60",
            "50747347e05c87dd3aaf92c49f9f3170",
        ],
        classes: &[
            "bladder",
            "femur-left",
            "femur-right",
            "heart",
            "kidney-left",
            "kidney-right",
            "liver",
            "lung-left",
            "lung-right",
            "pancreas",
            "spleen",
        ],
    },
    MedMnist {
        name: "organcmnist",
        title: "OrganCMNIST",
        licence: "CC BY 4.0",
        md5: [
            "b9ceb9546e10131b32923c5bbeaea2b1",
            "3ce34a8724ea6f548e6db4744d03b6a9",
            "773c1f009daa3fe5d9a2a201b2a7ed94",
            "050f5e875dc056f6768abf94ec9995d1",
        ],
        classes: &[
            "bladder",
            "femur-left",
            "femur-right",
            "heart",
            "kidney-left",
            "kidney-right",
            "liver",
            "lung-left",
            "lung-right",
            "pancreas",
            "spleen",
        ],
    },
    MedMnist {
        name: "organsmnist",
        title: "OrganSMNIST",
        licence: "CC BY 4.0",
        md5: [
            "9ab87b696fb54e2a387ebe992d6ed5f1",
            "53a6d115339d874c25e309a994ff46d3",
            "ded0c5fa01a95dc4978b956f613e9b8e",
            "b354719e553fbbb2513d5533f52a4cb1",
        ],
        classes: &[
            "bladder",
            "femur-left",
            "femur-right",
            "heart",
            "kidney-left",
            "kidney-right",
            "liver",
            "lung-left",
            "lung-right",
            "pancreas",
            "spleen",
        ],
    },
];

/// What follows the name of a set of MedMNIST, by the size of its images.
const SIZES: [&str; 4] = ["", "_64", "_128", "_224"];

/// Every set, in the order in which to list them.
pub(super) fn all() -> Vec<PublishedSet> {
    // Clanuwat et al. 2018; the checksums are torchvision's.
    let kmnist = PublishedSet {
        name: "kmnist".into(),
        title: "KMNIST".into(),
        form: Form::Idx,
        files: vec![
            ("train-images-idx3-ubyte.gz".into(), "bdb82020997e1d708af4cf47b453dcf7"),
            ("train-labels-idx1-ubyte.gz".into(), "e144d726b3acfaa3e44228e80efcd344"),
            ("t10k-images-idx3-ubyte.gz".into(), "5c965bf0a639b31b8f53240b1b52f4d7"),
            ("t10k-labels-idx1-ubyte.gz".into(), "7320c461ea6c1c855c0b718fb2a4b134"),
        ],
        folders: &["kmnist"],
        classes: &["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"],
        origin: "https://github.com/rois-codh/kmnist",
        licence: "CC BY-SA 4.0",
    };
    let emnist = SPLITS.map(|(name, title)| PublishedSet {
        name: name.into(),
        title: title.into(),
        form: Form::Emnist,
        files: vec![("gzip.zip".into(), "58c8d27c78d21e728a6bc7b3cc06412e")],
        folders: &["emnist"],
        classes: &[],
        origin: EMNIST,
        licence: "public domain",
    });
    let cifar = [
        ("cifar-10", "CIFAR-10", "cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530"),
        ("cifar-100", "CIFAR-100", "cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8"),
    ];
    let cifar = cifar.map(|(name, title, file, md5)| PublishedSet {
        name: name.into(),
        title: title.into(),
        form: Form::Cifar,
        files: vec![(file.into(), md5)],
        folders: if name == "cifar-10" {
            &["cifar10", "cifar10batchesbin"]
        } else {
            &["cifar100", "cifar100binary"]
        },
        classes: &[],
        origin: CIFAR,
        licence: "not stated",
    });
    let medmnist = MEDMNIST.iter().flat_map(|set| {
        SIZES.iter().zip(set.md5).map(|(size, md5)| PublishedSet {
            name: format!("{}{size}", set.name),
            title: match size.strip_prefix('_') {
                Some(side) => format!("{} {side} × {side}", set.title),
                None => set.title.into(),
            },
            form: Form::Npz,
            files: vec![(format!("{}{size}.npz", set.name), md5)],
            folders: &["medmnist"],
            classes: set.classes,
            origin: "https://zenodo.org/records/10519652",
            licence: set.licence,
        })
    });
    std::iter::once(kmnist).chain(emnist).chain(cifar).chain(medmnist).collect()
}
