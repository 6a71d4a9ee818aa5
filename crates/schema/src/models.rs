//! The brief's networks, and some of the textbooks: files like any other network, held in the binary.

/// The version of the format of model files, which they have in their metadata.
pub const MODEL_FORMAT: &str = "1";

/// Key under which a model's file holds its card, as JSON.
pub const MODEL_CARD: &str = "card";

/// Key under which a model's file without a card names the classes of each head, as JSON: those of an imported network.
pub const MODEL_CLASSES: &str = "classes";

/// Every network that ships with the program, as (name, TOML text).
pub const MODELS: [(&str, &str); 7] = [
    ("mlp", include_str!("../models/mlp.toml")),
    ("cnn", include_str!("../models/cnn.toml")),
    ("item", include_str!("../models/item.toml")),
    ("item-and-group", include_str!("../models/item-and-group.toml")),
    ("lenet-5", include_str!("../models/lenet-5.toml")),
    ("all-conv", include_str!("../models/all-conv.toml")),
    ("resnet-8", include_str!("../models/resnet-8.toml")),
];
