//! What can go wrong between a set's name and its samples, and what a person can do about it.

use std::fmt::{Display, Write};
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use miette::Diagnostic;
use thiserror::Error;

use crate::idx::IdxError;
use crate::looked::Looked;
use crate::picture_error::PictureError;

/// Why a set could not be found, fetched or read, or a picture not read.
#[derive(Debug, Error, Diagnostic)]
pub enum DataError {
    /// No set of the catalogue has this name.
    #[error("there is no data set '{name}'; the sets are: {known}")]
    #[diagnostic(help("{}", match .nearest {
        Some(nearest) => format!("did you mean '{nearest}'?"),
        None => "choose one of them".to_owned(),
    }))]
    UnknownSet {
        /// The name as it was given.
        name: String,
        /// The names that exist, separated by commas.
        known: String,
        /// The one it is most likely a misspelling of.
        nearest: Option<&'static str>,
    },

    /// Some of a set's files are not where they were looked for.
    #[error("cannot find {}'s {}; looked, with and without '.gz', in{}", .title, .files.join(", "), lines(.looked))]
    #[diagnostic(help(
        "point --data at the folder that holds the set's four IDX files; without --data, the set is taken from the usual \
         places, and fetched if it is complete in none of them"
    ))]
    Missing {
        /// The set's title.
        title: &'static str,
        /// The names of the files that are missing.
        files: Vec<&'static str>,
        /// The folders that were searched.
        looked: Vec<Looked>,
    },

    /// A folder that was named cannot be searched.
    #[error("cannot look for data sets in `{}`", .folder.display())]
    #[diagnostic(help(
        "point --data at a folder that holds a data set, or leave it out to look in the usual places"
    ))]
    NoFolder {
        /// What was named.
        folder: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },

    /// A folder that was named holds none of the sets.
    #[error("none of the data sets is in `{}`: there is no {known}{}", .folder.display(), lines(.looked))]
    #[diagnostic(help(
        "a set is four IDX files in a folder of its name, such as `mnist`, or in the folder that --data names"
    ))]
    NoSet {
        /// What was named.
        folder: PathBuf,
        /// The names of the sets, as a list.
        known: String,
        /// What lies there instead.
        looked: Vec<Looked>,
    },

    /// Sets that should be on this disk and are not.
    #[error("{names} is not on this disk")]
    #[diagnostic(help("`inkling data fetch {name}` gets it; or point --data at a folder that holds it"))]
    NotOnDisk {
        /// Their names, as a list.
        names: String,
        /// The name of one.
        name: &'static str,
    },

    /// The operating system could not read a file.
    #[error("cannot read {}", .path.display())]
    #[diagnostic(help("check that the file is there and that you may read it"))]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },

    /// The operating system could not write a file or folder of the cache.
    #[error("cannot write {}", .path.display())]
    #[diagnostic(help(
        "check permissions and free space, or set INKLING_CACHE to a folder that can be written"
    ))]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },

    /// The cache lacks files of a set, and it may not be written to.
    #[error("the cache `{}` has no correct copy of {title}'s {}, and it cannot be written to", .folder.display(), .files.join(", "))]
    #[diagnostic(help(
        "set INKLING_CACHE to a folder of your own, into which the set is fetched; or point --data at a folder that holds \
         {title}"
    ))]
    CacheNotWritable {
        /// The set's title.
        title: &'static str,
        /// The names of the files that are missing or damaged.
        files: Vec<&'static str>,
        /// The set's folder in the cache.
        folder: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },

    /// Another program fetches into the same folder, and took too long.
    #[error("waited {} s for {}, which holds `{}`", .waited.as_secs(), .holder.as_deref().unwrap_or("another process"), .lock.display())]
    #[diagnostic(help(
        "it fetches the same data set: wait until it has ended, or stop it, and give the same command again; or set \
         INKLING_CACHE to another folder"
    ))]
    Busy {
        /// The lock file.
        lock: PathBuf,
        /// The program, where its name can be read.
        holder: Option<String>,
        /// How long it was waited for.
        waited: Duration,
    },

    /// What has the name of the cache's lock file is somebody else's.
    #[error("`{}` is not this program’s lock file: {what}", .lock.display())]
    #[diagnostic(help("it is left alone: move it away, or set INKLING_CACHE to another folder"))]
    ForeignLock {
        /// The lock file's place.
        lock: PathBuf,
        /// What is there, in words.
        what: &'static str,
    },

    /// Somebody asked for the end while a set was fetched. What has come so far is kept.
    #[error("interrupted")]
    #[diagnostic(help("what has been fetched so far is kept: the same command continues from there"))]
    Interrupted,

    /// A file is not a whole, sound IDX file.
    #[error("{} is not a valid IDX file: {problem}", .path.display())]
    #[diagnostic(help(
        "your file is left unchanged. `inkling data fetch {name}` gets the published files and says where they are; \
         point --data at that folder"
    ))]
    Idx {
        /// The file.
        path: PathBuf,
        /// The name of the set that was asked for.
        name: &'static str,
        /// What is wrong with it.
        problem: IdxError,
    },

    /// A file that should be a picture is none.
    #[error("{} cannot be read as a picture: {problem}", .path.display())]
    #[diagnostic(help("save the picture as PNG, with the size of the network's images"))]
    Picture {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: PictureError,
    },

    /// An IDX file holds an array, but not the kind that a set's images or labels are.
    #[error("{} holds {found}; {expected} are expected", .path.display())]
    #[diagnostic(help("check that no file has the name of another"))]
    Array {
        /// The file.
        path: PathBuf,
        /// The kind of array that is needed.
        expected: String,
        /// The kind of array that is there.
        found: String,
    },

    /// There is not one label for each image.
    #[error("{} holds {images} images and {} holds {labels} labels", .images_path.display(), .labels_path.display())]
    #[diagnostic(help("both files must come from the same set and the same part of it"))]
    Counts {
        /// The file of the images.
        images_path: PathBuf,
        /// How many it holds.
        images: usize,
        /// The file of the labels.
        labels_path: PathBuf,
        /// How many it holds.
        labels: usize,
    },

    /// A label is not the index of a class.
    #[error("label {index} of {} is {label}; the {classes} classes are numbered from 0 to {}", .path.display(), .classes - 1)]
    #[diagnostic(help("the file is damaged or belongs to a set with more classes"))]
    Label {
        /// The file of the labels.
        path: PathBuf,
        /// Which label, counted from 0.
        index: usize,
        /// Its value.
        label: u8,
        /// How many classes the set has.
        classes: usize,
    },

    /// A file is good, but a different one was asked for. MNIST and Fashion-MNIST share file names and sizes.
    #[error("{}: {}", .path.display(), wrong_set(found_title, found_file, title, file))]
    #[diagnostic(help("{}", match found_title == title {
        true => format!(
            "files of the set were exchanged, or one was overwritten with another: point --data at a folder that holds {title} as \
             published"
        ),
        false => format!("ask for the set that the folder holds, or point --data at a folder that holds {title}"),
    }))]
    WrongSet {
        /// The file.
        path: PathBuf,
        /// The set that was asked for.
        title: &'static str,
        /// The file of it that was to be here.
        file: &'static str,
        /// The set whose file it really is.
        found_title: &'static str,
        /// The name that the file has there.
        found_file: &'static str,
    },

    /// A sound file holds more or fewer images or labels than the set's does.
    #[error("{} holds {found}, and {title}'s {file} holds {expected}", .path.display())]
    #[diagnostic(help(
        "the file is valid, but it belongs to another set or is a part of this one. Inkling reads the files of {title} as \
         they were published: `inkling data fetch {name}` gets them and says where they are; point --data at that folder. \
         To use fewer images, set `data.train_images` and `data.test_images` in the study"
    ))]
    OtherSet {
        /// The file.
        path: PathBuf,
        /// The set that was asked for.
        title: &'static str,
        /// Its name.
        name: &'static str,
        /// The file of it that was to be here.
        file: &'static str,
        /// What that file holds, in words.
        expected: String,
        /// What this one holds.
        found: String,
    },

    /// A file that ought to be one of a set's is not, byte for byte.
    #[error("{} is not {title}'s {file}: the SHA-256 of its uncompressed bytes is\n  {found}, expected was\n  {expected}", .path.display())]
    #[diagnostic(help(
        "the file has the format of {title}'s, but other contents: it was changed, or belongs to another set of the same \
         format, such as KMNIST. It is left unchanged. `inkling data fetch {name}` gets the published files and says \
         where they are; point --data at that folder"
    ))]
    WrongBytes {
        /// The file.
        path: PathBuf,
        /// The set that was asked for.
        title: &'static str,
        /// Its name.
        name: &'static str,
        /// The file of it that was to be here.
        file: &'static str,
        /// The checksum in the catalogue.
        expected: &'static str,
        /// The checksum of what is there.
        found: String,
    },

    /// No mirror gave a good copy of a file.
    #[error("could not fetch {title}'s {file} into {}:{}", .folder.display(), lines(.failures))]
    #[diagnostic(help(
        "check the network and the proxy settings (HTTPS_PROXY, NO_PROXY) and try again: what has been \
         fetched so far is kept. Or put the set's four files into a folder and name it with --data"
    ))]
    Fetch {
        /// The set's title.
        title: &'static str,
        /// The file's name.
        file: &'static str,
        /// The folder that was to receive it.
        folder: PathBuf,
        /// What went wrong at each mirror, in the order in which they were tried.
        failures: Vec<MirrorFailure>,
    },

    /// There is no folder to keep fetched sets in.
    #[error("{title} is not on this disk, and there is no home folder to fetch it into")]
    #[diagnostic(help(
        "set INKLING_CACHE to a folder for fetched sets, or point --data at a folder that holds {title}"
    ))]
    NoCache {
        /// The set's title.
        title: &'static str,
    },
}

/// What went wrong at one mirror.
#[derive(Debug)]
pub struct MirrorFailure {
    /// The address that was asked for.
    pub url: String,
    /// Why its answer could not be used.
    pub problem: String,
}

impl Display for MirrorFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.url, self.problem)
    }
}

impl DataError {
    /// Whether the fault lies with a disk, a network or a missing file, not with what the bytes say.
    pub fn is_io(&self) -> bool {
        matches!(
            self,
            Self::Missing { .. }
                | Self::Read { .. }
                | Self::Write { .. }
                | Self::CacheNotWritable { .. }
                | Self::Busy { .. }
                | Self::ForeignLock { .. }
                | Self::Interrupted
                | Self::Fetch { .. }
                | Self::NoCache { .. }
                | Self::NoFolder { .. }
                | Self::NoSet { .. }
                | Self::NotOnDisk { .. }
        )
    }
}

/// Each item on an indented line of its own.
fn lines(items: impl IntoIterator<Item: Display>) -> String {
    items.into_iter().fold(String::new(), |mut text, item| {
        write!(text, "\n  {item}").expect("a string takes every write");
        text
    })
}

/// What a file is that was taken for another.
fn wrong_set(found_title: &str, found_file: &str, title: &str, file: &str) -> String {
    if found_title == title {
        return format!("this is {title}'s {found_file}, under the name of its {file}");
    }
    format!(
        "this is {found_title}, not {title}; its bytes are those of {found_title}'s {found_file}, expected were those of \
         {title}'s {file}"
    )
}
