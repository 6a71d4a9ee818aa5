//! Which columns of a table hold its images and their labels, and what the classes are called.

use serde_json::Value;

use super::footer::{Footer, Kind, Leaf};
use super::{Problem, unfit};

/// What the column of images is called where several could be it.
const IMAGES: [&str; 4] = ["image", "img", "images", "picture"];
/// What the column of labels is called, the first of all that are there; CIFAR-100 has a fine and a coarse one.
const LABELS: [&str; 9] =
    ["label", "labels", "class", "target", "y", "digit", "fine_label", "character", "coarse_label"];

/// Columns by their places.
#[derive(Debug, PartialEq)]
pub(super) struct Columns {
    pub(super) images: usize,
    pub(super) labels: usize,
    /// Names of the classes, if the library `datasets` noted them.
    pub(super) names: Option<Vec<String>>,
    /// Other columns that could hold labels.
    pub(super) others: Vec<String>,
}

/// The name of a column as its readers know it: of the whole picture, not of the bytes in it.
fn name(leaf: &Leaf) -> &str {
    &leaf.path[0]
}

impl Columns {
    pub(super) fn choose(footer: &Footer) -> Result<Columns, Problem> {
        let features = footer.features.as_deref().and_then(features);
        let leaves = || footer.leaves.iter().enumerate().filter(|(_, leaf)| !leaf.repeated);
        // A picture is a pair of bytes and a path, or the bytes alone.
        let has_bytes = |leaf: &Leaf| {
            leaf.kind == Kind::Bytes
                && !leaf.text
                && match &leaf.path[..] {
                    [_, inner] => inner == "bytes",
                    [name] => IMAGES.contains(&name.as_str()),
                    _ => false,
                }
        };
        let pictures: Vec<(usize, &Leaf)> = leaves().filter(|(_, leaf)| has_bytes(leaf)).collect();
        let known = IMAGES.iter().find_map(|&known| pictures.iter().find(|(_, leaf)| name(leaf) == known));
        let (images, image) = *match (known, &pictures[..]) {
            (Some(known), _) => known,
            (None, [only]) => only,
            (None, []) => {
                return Err(unfit(format!("has {}, and none with the bytes of images", columns(footer))));
            }
            (None, [first, second, ..]) => {
                let (first, second) = (name(first.1), name(second.1));
                return Err(unfit(format!(
                    "has images in `{first}` and in `{second}`, and none called `image`"
                )));
            }
        };
        let is_class = |leaf: &Leaf| {
            LABELS.contains(&name(leaf))
                || features.as_ref().is_some_and(|features| features[name(leaf)]["_type"] == "ClassLabel")
        };
        let labelled = leaves().filter(|(_, leaf)| leaf.path.len() == 1 && name(leaf) != name(image));
        let mut labels: Vec<(usize, &Leaf)> = labelled.filter(|(_, leaf)| is_class(leaf)).collect();
        labels.sort_by_key(|(_, leaf)| {
            LABELS.iter().position(|&known| known == name(leaf)).unwrap_or(LABELS.len())
        });
        let [(labels, label), others @ ..] = &labels[..] else {
            return Err(unfit(format!("has {}, and none called `label`", columns(footer))));
        };
        Ok(Columns {
            images,
            labels: *labels,
            names: features.and_then(|features| names(&features[name(label)])),
            others: others.iter().map(|(_, leaf)| name(leaf).to_owned()).collect(),
        })
    }
}

/// All columns, as a part of a sentence.
fn columns(footer: &Footer) -> String {
    const SHOWN: usize = 12;
    let mut names: Vec<String> = footer.leaves.iter().map(|leaf| format!("`{}`", name(leaf))).collect();
    names.dedup();
    let more = names.len().saturating_sub(SHOWN);
    names.truncate(SHOWN);
    match (names.len(), more) {
        (0, _) => "no columns".into(),
        (1, _) => format!("the column {}", names[0]),
        (_, 0) => format!("the columns {}", names.join(", ")),
        _ => format!("the columns {} and {more} more", names.join(", ")),
    }
}

/// What is noted of each column.
fn features(noted: &str) -> Option<Value> {
    let mut noted: Value = serde_json::from_str(noted).ok()?;
    noted.pointer_mut("/info/features").map(Value::take)
}

/// The names of classes, of which a label is the place.
fn names(feature: &Value) -> Option<Vec<String>> {
    feature.get("names")?.as_array()?.iter().map(|name| name.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn footer(leaves: &[(&str, Kind)], features: Option<&str>) -> Footer {
        let leaf = |&(path, kind): &(&str, Kind)| Leaf {
            path: path.split('.').map(str::to_owned).collect(),
            kind,
            text: path.ends_with("path"),
            levels: 1,
            repeated: path.ends_with("list"),
        };
        Footer {
            leaves: leaves.iter().map(leaf).collect(),
            groups: Vec::new(),
            features: features.map(str::to_owned),
        }
    }

    #[test]
    fn columns_are_known_by_what_they_hold_and_by_their_names() {
        use Kind::{Bytes, Int64};
        let choose = |leaves: &[(&str, Kind)], features| {
            Columns::choose(&footer(leaves, features))
                .map(|found| (found.images, found.labels, found.others.join(" ")))
        };
        let of = |images, labels, others: &str| Ok((images, labels, others.to_owned()));
        let picture = [("image.bytes", Bytes), ("image.path", Bytes), ("label", Int64)];
        assert_eq!(choose(&picture, None), of(0, 2, ""));
        let hundred = [("img.bytes", Bytes), ("coarse_label", Int64), ("fine_label", Int64)];
        assert_eq!(choose(&hundred, None), of(0, 2, "coarse_label"));
        assert_eq!(choose(&[("label", Bytes), ("img", Bytes)], None), of(1, 0, ""));
        // A column of another name, which is known as one of classes.
        let noted = r#"{"info": {"features": {"leaf": {"names": ["oak", "ash"], "_type": "ClassLabel"}}}}"#;
        let leaves = [("scan.bytes", Bytes), ("leaf", Int64), ("age", Int64)];
        assert_eq!(choose(&leaves, Some(noted)), of(0, 1, ""));
        let names = Columns::choose(&footer(&leaves, Some(noted))).unwrap().names;
        assert_eq!(names, Some(vec!["oak".to_owned(), "ash".to_owned()]));
        for (leaves, features, problem) in [
            (&leaves[..], None, "has the columns `scan`, `leaf`, `age`, and none called `label`"),
            (&leaves[..], Some("{"), "none called `label`"),
            (&[("label", Int64)], None, "has the column `label`, and none with the bytes of images"),
            (&[("image.path", Bytes), ("label", Int64)], None, "none with the bytes of images"),
            (&[("image.list", Bytes), ("label", Int64)], None, "none with the bytes of images"),
            (&[("a.bytes", Bytes), ("b.bytes", Bytes)], None, "has images in `a` and in `b`"),
            (&[], None, "has no columns"),
        ] {
            let told = choose(leaves, features).unwrap_err().what;
            assert!(told.contains(problem), "expected `{problem}` in: {told}");
        }
    }
}
