//! What the end of a Parquet file says of it: its columns, where their values lie, and what its writer noted.

use super::thrift::Value;
use super::{Problem, unread};

/// How a column's values are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Int32,
    Int64,
    Bytes,
    /// Another kind, whose number Parquet's format gives.
    Other(i64),
}

impl Kind {
    fn of(number: i64) -> Kind {
        match number {
            1 => Kind::Int32,
            2 => Kind::Int64,
            6 => Kind::Bytes,
            other => Kind::Other(other),
        }
    }

    /// The kind in words.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Int32 | Kind::Int64 => "whole numbers",
            Kind::Bytes => "texts or bytes",
            Kind::Other(0) => "truth values",
            Kind::Other(3) => "times",
            Kind::Other(4 | 5) => "numbers with fractions",
            Kind::Other(_) => "values of another kind",
        }
    }
}

/// A column: a leaf of the tree of fields.
#[derive(Debug, PartialEq)]
pub(super) struct Leaf {
    /// Names from the top of the tree, such as `image` and `bytes`.
    pub(super) path: Vec<String>,
    pub(super) kind: Kind,
    /// Whether it holds texts and not any bytes.
    pub(super) text: bool,
    /// How many of the fields on its path may be missing, which is the level of a value that is there.
    pub(super) levels: u32,
    /// Whether a row has a list of its values.
    pub(super) repeated: bool,
}

/// How a part of a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    None,
    Snappy,
    Gzip,
    Zstd,
}

/// Where a column's values of some rows lie in the file.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) codec: Result<Codec, &'static str>,
    pub(super) start: u64,
    pub(super) length: u64,
}

/// Some rows of a file.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) rows: usize,
    /// One for each leaf.
    pub(super) chunks: Vec<Chunk>,
}

#[derive(Debug)]
pub(super) struct Footer {
    pub(super) leaves: Vec<Leaf>,
    pub(super) groups: Vec<Group>,
    /// What the library `datasets` noted under its name, as JSON.
    pub(super) features: Option<String>,
}

pub(super) fn encrypted(what: impl Into<String>) -> Problem {
    Problem { what: what.into(), help: "write the file without encryption" }
}

const DAMAGED: &str = "is damaged: its footer describes no table";

impl Footer {
    pub(super) fn parse(bytes: &[u8]) -> Result<Footer, Problem> {
        let (file, _) = Value::parse(bytes)?;
        if file.field(8).is_some() {
            return Err(encrypted("is encrypted"));
        }
        let leaves = leaves(file.list(2).unwrap_or_default())?;
        let groups = file.list(4).unwrap_or_default().iter().map(|group| Group::new(group, &leaves));
        let noted = file.list(5).unwrap_or_default();
        let features = noted.iter().find(|note| note.text(1) == Some("huggingface"));
        Ok(Footer {
            groups: groups.collect::<Result<_, _>>()?,
            leaves,
            features: features.and_then(|note| note.text(2)).map(str::to_owned),
        })
    }
}

/// The columns of a tree of fields that lie one after another, each before those in it.
fn leaves(fields: &[Value]) -> Result<Vec<Leaf>, Problem> {
    struct Above {
        children: usize,
        levels: u32,
        repeated: bool,
    }
    let mut fields = fields.iter();
    let root = fields.next().and_then(|root| root.count(5)).ok_or(DAMAGED)?;
    let (mut leaves, mut path) = (Vec::new(), Vec::new());
    let mut above = vec![Above { children: root, levels: 0, repeated: false }];
    while let Some(parent) = above.last_mut() {
        if parent.children == 0 {
            above.pop();
            path.pop();
            continue;
        }
        parent.children -= 1;
        let field = fields.next().ok_or(DAMAGED)?;
        let name = field.text(4).ok_or(DAMAGED)?.to_owned();
        let repetition = field.integer(3).filter(|repetition| (0..3).contains(repetition)).ok_or(DAMAGED)?;
        let levels = parent.levels + u32::from(repetition > 0);
        let repeated = parent.repeated || repetition == 2;
        path.push(name);
        if path.len() > MAX_PATH {
            return Err(unread(format!("has a column that lies more than {MAX_PATH} fields deep")));
        }
        match field.integer(5).unwrap_or(0) {
            0 => {
                let kind = Kind::of(field.integer(1).ok_or(DAMAGED)?);
                // Older writers say it in field 6, newer ones in field 10.
                let text = field.integer(6) == Some(0)
                    || field.field(10).is_some_and(|logical| logical.field(1).is_some());
                leaves.push(Leaf { path: path.clone(), kind, text, levels, repeated });
                path.pop();
            }
            children => {
                let children = usize::try_from(children).map_err(|_| DAMAGED)?;
                above.push(Above { children, levels, repeated });
            }
        }
    }
    Ok(leaves)
}

/// The deepest path of a column.
const MAX_PATH: usize = 32;

impl Group {
    fn new(group: &Value, leaves: &[Leaf]) -> Result<Group, Problem> {
        let columns = group.list(1).unwrap_or_default();
        if columns.len() != leaves.len() {
            return Err(DAMAGED.into());
        }
        let chunks = columns.iter().zip(leaves).map(|(column, leaf)| Chunk::new(column, leaf));
        Ok(Group { rows: group.count(3).ok_or(DAMAGED)?, chunks: chunks.collect::<Result<_, _>>()? })
    }
}

impl Chunk {
    fn new(column: &Value, leaf: &Leaf) -> Result<Chunk, Problem> {
        let name = leaf.path.join(".");
        if column.field(1).is_some() {
            return Err(unread(format!("keeps its column `{name}` in another file")));
        }
        let Some(about) = column.field(3).filter(|_| column.field(8).is_none()) else {
            return Err(encrypted(format!("has an encrypted column `{name}`")));
        };
        if about.integer(1).map(Kind::of) != Some(leaf.kind) {
            return Err(DAMAGED.into());
        }
        let first_page = about.count(9).ok_or(DAMAGED)?;
        // Some writers say that a dictionary begins at 0 where there is none.
        let dictionary = about.count(11).filter(|&start| start > 0 && start < first_page);
        Ok(Chunk {
            codec: match about.integer(4).ok_or(DAMAGED)? {
                0 => Ok(Codec::None),
                1 => Ok(Codec::Snappy),
                2 => Ok(Codec::Gzip),
                6 => Ok(Codec::Zstd),
                3 => Err("LZO"),
                4 => Err("Brotli"),
                5 | 7 => Err("LZ4"),
                _ => Err("another method"),
            },
            start: dictionary.unwrap_or(first_page) as u64,
            length: about.count(7).ok_or(DAMAGED)? as u64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn structure<'a>(fields: Vec<(i16, Value<'a>)>) -> Value<'a> {
        Value::Structure(fields)
    }

    fn field<'a>(name: &'a str, kind: Option<i64>, repetition: i64, children: i64) -> Value<'a> {
        let mut fields = vec![(3, Value::Integer(repetition)), (4, Value::Bytes(name.as_bytes()))];
        fields.extend(kind.map(|kind| (1, Value::Integer(kind))));
        fields.extend((children != 0).then_some((5, Value::Integer(children))));
        structure(fields)
    }

    #[test]
    fn columns_are_the_leaves_of_the_tree() {
        let root = || field("schema", None, 0, 3);
        let fields = [
            root(),
            field("image", None, 1, 2),
            field("bytes", Some(6), 1, 0),
            field("path", Some(6), 0, 0),
            field("label", Some(2), 0, 0),
            field("tags", None, 2, 1),
            field("tag", Some(5), 1, 0),
        ];
        let found = leaves(&fields).unwrap();
        let expected =
            [("image.bytes", 2, false), ("image.path", 1, false), ("label", 0, false), ("tags.tag", 2, true)];
        let found: Vec<_> =
            found.iter().map(|leaf| (leaf.path.join("."), leaf.levels, leaf.repeated)).collect();
        assert_eq!(found, expected.map(|(path, levels, repeated)| (path.to_owned(), levels, repeated)));
        // More children than there are fields, fewer than none, and one within another without end.
        assert!(leaves(&fields[..3]).is_err() && leaves(&[]).is_err());
        assert!(leaves(&[field("schema", None, 0, i64::MAX), field("a", Some(2), 0, 0)]).is_err());
        assert!(leaves(&[root(), field("a", None, 0, -1)]).is_err());
        let deep: Vec<Value> = (0..100).map(|_| field("a", None, 1, 1)).collect();
        assert!(leaves(&deep).unwrap_err().what.contains("fields deep"));
    }
}
