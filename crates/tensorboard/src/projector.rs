//! Embeddings for TensorBoard's projector: tables of numbers, with labels and pictures of the points.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::error::BoardError;

/// Points in a space of some dimensions.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding<'a> {
    /// What it is called.
    pub name: &'a str,
    /// Coordinates, point after point.
    pub values: &'a [f32],
    /// Dimensions of the space.
    pub columns: usize,
    /// A label for each point, or none at all.
    pub labels: &'a [String],
    /// Pictures of the points.
    pub sprite: Option<Sprite<'a>>,
}

/// Pictures of all points in one image, from left to right and row by row; a row has ⌈√n⌉ of n pictures.
#[derive(Debug, Clone, PartialEq)]
pub struct Sprite<'a> {
    /// The image, as the bytes of a PNG file; browsers take up to 8,192 pixels each way.
    pub png: &'a [u8],
    /// Width and height of a single picture.
    pub single: [u32; 2],
}

impl Embedding<'_> {
    /// Points.
    fn rows(&self) -> usize {
        self.values.len() / self.columns
    }
}

/// Writes `projector_config.pbtxt` into the folder of a run, with a folder for each embedding that holds `tensors.tsv` and,
/// where there are labels and pictures, `metadata.tsv` and `sprite.png`. What is there of these is replaced.
///
/// # Errors
/// [`BoardError::Embedding`] before anything is written, and [`BoardError::Write`].
pub fn write(dir: &Path, embeddings: &[Embedding]) -> Result<(), BoardError> {
    let mut names = BTreeSet::new();
    for embedding in embeddings {
        check(embedding)?;
        if !names.insert(embedding.name) {
            let help = "give each embedding of a run a name of its own";
            return Err(refused(embedding, "has the name of another one", help));
        }
    }
    let mut config = String::new();
    for (number, embedding) in (1..).zip(embeddings) {
        let folder = format!("embedding-{number}");
        write_one(&dir.join(&folder), embedding)?;
        push_config(&mut config, &folder, embedding);
    }
    write_file(&dir.join("projector_config.pbtxt"), config.as_bytes())
}

fn refused(embedding: &Embedding, problem: impl Into<String>, help: &'static str) -> BoardError {
    BoardError::Embedding { name: embedding.name.to_owned(), problem: problem.into(), help }
}

fn check(embedding: &Embedding) -> Result<(), BoardError> {
    let Embedding { name, values, columns, labels, .. } = embedding;
    if name.is_empty() {
        return Err(refused(embedding, "has an empty name", "give it a name"));
    }
    if *columns == 0 || values.is_empty() || !values.len().is_multiple_of(*columns) {
        let problem = format!("has {} numbers for points of {columns} dimensions", values.len());
        return Err(refused(embedding, problem, "give as many numbers as points times dimensions"));
    }
    if let Some(place) = values.iter().position(|value| !value.is_finite()) {
        let problem = format!("has a number that is not finite, in point {}", place / columns + 1);
        return Err(refused(embedding, problem, "leave out points that have such numbers"));
    }
    let rows = embedding.rows();
    if !labels.is_empty() && labels.len() != rows {
        let problem = format!("has {} labels for {rows} points", labels.len());
        return Err(refused(embedding, problem, "give each point a label, or none of them"));
    }
    // The projector skips lines without a letter, and the labels that follow would go to other points.
    if let Some(place) = labels.iter().position(|label| one_line(label).trim().is_empty()) {
        let problem = format!("has an empty label, of point {}", place + 1);
        return Err(refused(embedding, problem, "give the point a label, such as a dash"));
    }
    Ok(())
}

/// A label as a line of its own without tabs, by which the projector would take it for several columns.
fn one_line(label: &str) -> String {
    label.replace(char::is_control, " ")
}

/// Numbers as text, although the projector reads bytes too: it takes them for text wherever they happen to be valid UTF-8.
fn tensors(embedding: &Embedding) -> String {
    let mut text = String::new();
    for point in embedding.values.chunks_exact(embedding.columns) {
        for (column, value) in point.iter().enumerate() {
            let before = if column == 0 { "" } else { "\t" };
            // The shortest digits that are read as the same number.
            write!(text, "{before}{value:?}").expect("a string takes what is written");
        }
        text.push('\n');
    }
    text
}

fn write_one(folder: &Path, embedding: &Embedding) -> Result<(), BoardError> {
    fs::create_dir_all(folder).map_err(|source| BoardError::write(folder, source))?;
    write_file(&folder.join("tensors.tsv"), tensors(embedding).as_bytes())?;
    if !embedding.labels.is_empty() {
        let lines: String = embedding.labels.iter().map(|label| one_line(label) + "\n").collect();
        write_file(&folder.join("metadata.tsv"), lines.as_bytes())?;
    }
    if let Some(sprite) = &embedding.sprite {
        write_file(&folder.join("sprite.png"), sprite.png)?;
    }
    Ok(())
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<(), BoardError> {
    fs::write(path, bytes).map_err(|source| BoardError::write(path, source))
}

/// The embedding in the text form of `tensorboard.projector.ProjectorConfig`.
fn push_config(config: &mut String, folder: &str, embedding: &Embedding) {
    let (rows, columns) = (embedding.rows(), embedding.columns);
    let mut lines = vec![
        format!("tensor_name: {}", quoted(embedding.name)),
        format!("tensor_path: {}", quoted(&format!("{folder}/tensors.tsv"))),
        format!("tensor_shape: {rows}"),
        format!("tensor_shape: {columns}"),
    ];
    if !embedding.labels.is_empty() {
        lines.push(format!("metadata_path: {}", quoted(&format!("{folder}/metadata.tsv"))));
    }
    if let Some(Sprite { single: [width, height], .. }) = embedding.sprite {
        let path = quoted(&format!("{folder}/sprite.png"));
        lines.push(format!(
            "sprite {{ image_path: {path} single_image_dim: {width} single_image_dim: {height} }}"
        ));
    }
    config.push_str("embeddings {\n");
    lines.iter().for_each(|line| config.extend(["  ", line, "\n"]));
    config.push_str("}\n");
}

/// A string in the text form of protocol buffers.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            letter if letter.is_ascii_control() => quoted.push_str(&format!("\\{:03o}", u32::from(letter))),
            letter => quoted.push(letter),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Embedding =
        Embedding { name: "pca", values: &[1.0, 2.5, -3.0, 1e-30], columns: 2, labels: &[], sprite: None };

    #[test]
    fn files_are_those_that_the_projector_reads() {
        let folder = tempfile::tempdir().unwrap();
        let labels = ["a\tb".to_owned(), "ä".to_owned()];
        let sprite = Some(Sprite { png: b"PNG", single: [28, 14] });
        let labelled = Embedding { name: "the \"last\"\nlayer", labels: &labels, sprite, ..PLAIN };
        write(folder.path(), &[PLAIN, labelled]).unwrap();

        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(read("embedding-1/tensors.tsv"), "1.0\t2.5\n-3.0\t1e-30\n");
        assert!(!folder.path().join("embedding-1/metadata.tsv").exists());
        assert_eq!(read("embedding-2/metadata.tsv"), "a b\nä\n");
        assert_eq!(read("embedding-2/sprite.png"), "PNG");
        assert_eq!(
            read("projector_config.pbtxt"),
            r#"embeddings {
  tensor_name: "pca"
  tensor_path: "embedding-1/tensors.tsv"
  tensor_shape: 2
  tensor_shape: 2
}
embeddings {
  tensor_name: "the \"last\"\012layer"
  tensor_path: "embedding-2/tensors.tsv"
  tensor_shape: 2
  tensor_shape: 2
  metadata_path: "embedding-2/metadata.tsv"
  sprite { image_path: "embedding-2/sprite.png" single_image_dim: 28 single_image_dim: 14 }
}
"#
        );
    }

    #[test]
    fn what_the_projector_would_show_wrongly_is_refused_before_anything_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let (one, empty) = (["a".to_owned()], ["a".to_owned(), "\t".to_owned()]);
        for (embeddings, words) in [
            (vec![PLAIN, PLAIN], "`pca` has the name of another one"),
            (vec![Embedding { name: "", ..PLAIN }], "has an empty name"),
            (vec![Embedding { columns: 3, ..PLAIN }], "has 4 numbers for points of 3 dimensions"),
            (vec![Embedding { columns: 0, ..PLAIN }], "has 4 numbers for points of 0 dimensions"),
            (vec![Embedding { values: &[], ..PLAIN }], "has 0 numbers for points of 2 dimensions"),
            (
                vec![Embedding { values: &[0.0, 1.0, f32::NAN, 1.0], ..PLAIN }],
                "has a number that is not finite, in point 2",
            ),
            (vec![Embedding { labels: &one, ..PLAIN }], "has 1 labels for 2 points"),
            (vec![Embedding { labels: &empty, ..PLAIN }], "has an empty label, of point 2"),
        ] {
            let error = write(folder.path(), &embeddings).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }
}
