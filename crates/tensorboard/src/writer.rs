//! The writer of an event file.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use prost::Message;

use crate::error::BoardError;
use crate::graph::{Node, graph_def};
use crate::histogram::buckets;
use crate::hparams::{Experiment, Status, Value, experiment};
use crate::messages::{
    Content, Event, PluginData, SessionLog, SessionStatus, Summary, SummaryMetadata, SummaryValue,
    TensorProto, What, hparams,
};
use crate::record;

/// The version of event files, since which a restart discards the steps that are done again.
const VERSION: &str = "brain.Event:2";

/// Writes the event file of one run.
///
/// Tags are names that TensorBoard groups by what stands before the first slash: `loss/training`. Of each tag it keeps a
/// sample of the steps: unless its `--samples_per_plugin` says otherwise, 1,000 scalars, 500 histograms and 10 images. Scalars
/// are kept in single precision.
pub struct EventWriter {
    path: PathBuf,
    file: BufWriter<File>,
    clock: Box<dyn Fn() -> Duration + Send>,
}

impl fmt::Debug for EventWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventWriter").field("path", &self.path).finish_non_exhaustive()
    }
}

impl EventWriter {
    /// Creates `events.out.tfevents.SECONDS.HOST` in the folder of a run, which is created where it is missing. `clock` gives
    /// the time since the beginning of 1970, in UTC.
    ///
    /// Earlier event files of the run are kept, and TensorBoard reads them first; but it discards what they say of `first_step`
    /// and of all later steps, as a run that was interrupted and continues does some of its steps again. 0 begins it anew.
    ///
    /// # Errors
    /// [`BoardError::Write`].
    pub fn create(
        dir: &Path,
        host: &str,
        first_step: u64,
        clock: impl Fn() -> Duration + Send + 'static,
    ) -> Result<EventWriter, BoardError> {
        fs::create_dir_all(dir).map_err(|source| BoardError::write(dir, source))?;
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        let host = host.replace(|letter| !is_plain(letter), "-");
        let name = format!("events.out.tfevents.{:010}.{host}", clock().as_secs());
        let (path, file) = create_new(dir, &name)?;
        let mut writer = EventWriter { path, file: BufWriter::new(file), clock: Box::new(clock) };
        writer.event(0, What::FileVersion(VERSION.into()))?;
        // In each file, as TensorBoard takes the first of a run for its start and discards nothing then.
        writer.event(first_step, What::SessionLog(SessionLog { status: SessionStatus::Start.into() }))?;
        writer.flush()?;
        Ok(writer)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A number at a step.
    ///
    /// # Errors
    /// [`BoardError::Write`], as of every event.
    pub fn scalar(&mut self, tag: &str, step: u64, value: f64) -> Result<(), BoardError> {
        // TensorBoard turns this old form into its new one when it reads it; programs that read event files without it know
        // the old form best.
        self.summary(tag, step, "scalars", Content::SimpleValue(value as f32))
    }

    /// How the finite ones among these values are distributed at a step.
    ///
    /// # Errors
    /// [`BoardError::Write`].
    pub fn histogram(&mut self, tag: &str, step: u64, values: &[f32]) -> Result<(), BoardError> {
        self.summary(tag, step, "histograms", Content::Tensor(TensorProto::doubles(&buckets(values))))
    }

    /// An image at a step, as the bytes of a PNG file, with its width and height.
    ///
    /// # Errors
    /// [`BoardError::Write`].
    pub fn image(
        &mut self,
        tag: &str,
        step: u64,
        png: &[u8],
        width: u32,
        height: u32,
    ) -> Result<(), BoardError> {
        let size = |length: u32| length.to_string().into_bytes();
        let strings = vec![size(width), size(height), png.to_vec()];
        self.summary(tag, step, "images", Content::Tensor(TensorProto::strings(strings)))
    }

    /// A text in Markdown at a step.
    ///
    /// # Errors
    /// [`BoardError::Write`].
    pub fn text(&mut self, tag: &str, step: u64, markdown: &str) -> Result<(), BoardError> {
        self.summary(tag, step, "text", Content::Tensor(TensorProto::strings(vec![markdown.into()])))
    }

    /// The run's graph, of which it has one.
    ///
    /// # Errors
    /// [`BoardError::Write`].
    pub fn graph(&mut self, nodes: &[Node]) -> Result<(), BoardError> {
        self.event(0, What::GraphDef(graph_def(nodes).encode_to_vec()))
    }

    /// What the sessions of an experiment differ in; in a run above those that are its sessions.
    ///
    /// # Errors
    /// [`BoardError::Write`].
    pub fn experiment(&mut self, of: &Experiment) -> Result<(), BoardError> {
        let data = hparams::Data::Experiment(experiment(of, self.seconds()));
        self.hparams("_hparams_/experiment", data)
    }

    /// This run is a session with these hyperparameters, and it begins. Sessions of one group are shown as one row.
    ///
    /// # Errors
    /// [`BoardError::Write`].
    pub fn session_start(&mut self, group: &str, values: &[(String, Value)]) -> Result<(), BoardError> {
        let data = hparams::Data::SessionStart(hparams::SessionStart {
            hparams: values.iter().cloned().map(|(name, value)| (name, value.into())).collect(),
            group_name: group.into(),
            start_time_secs: self.seconds(),
        });
        self.hparams("_hparams_/session_start_info", data)
    }

    /// The session ends.
    ///
    /// # Errors
    /// [`BoardError::Write`].
    pub fn session_end(&mut self, status: Status) -> Result<(), BoardError> {
        let status = hparams::SessionStatus::from(status).into();
        let data = hparams::Data::SessionEnd(hparams::SessionEnd { status, end_time_secs: self.seconds() });
        self.hparams("_hparams_/session_end_info", data)
    }

    /// Hands all events to the operating system, for TensorBoard to see.
    ///
    /// # Errors
    /// [`BoardError::Write`].
    pub fn flush(&mut self) -> Result<(), BoardError> {
        self.file.flush().map_err(|source| BoardError::write(&self.path, source))
    }

    /// Brings all events to the disk.
    ///
    /// # Errors
    /// [`BoardError::Write`].
    pub fn close(mut self) -> Result<(), BoardError> {
        self.flush()?;
        self.file.get_ref().sync_all().map_err(|source| BoardError::write(&self.path, source))
    }

    fn seconds(&self) -> f64 {
        (self.clock)().as_secs_f64()
    }

    fn hparams(&mut self, tag: &str, data: hparams::Data) -> Result<(), BoardError> {
        let content = hparams::PluginData { data: Some(data) }.encode_to_vec();
        let plugin = PluginData { plugin_name: "hparams".into(), content };
        self.value(tag, 0, plugin, Content::Tensor(TensorProto::empty()))
    }

    /// A value of a plugin that has nothing more to say of it.
    fn summary(&mut self, tag: &str, step: u64, plugin: &str, content: Content) -> Result<(), BoardError> {
        let plugin = PluginData { plugin_name: plugin.into(), content: Vec::new() };
        self.value(tag, step, plugin, content)
    }

    fn value(
        &mut self,
        tag: &str,
        step: u64,
        plugin: PluginData,
        content: Content,
    ) -> Result<(), BoardError> {
        let metadata = Some(SummaryMetadata { plugin_data: Some(plugin) });
        let value = SummaryValue { tag: tag.into(), metadata, content: Some(content) };
        self.event(step, What::Summary(Summary { value: vec![value] }))
    }

    fn event(&mut self, step: u64, what: What) -> Result<(), BoardError> {
        let step = i64::try_from(step).unwrap_or(i64::MAX);
        let event = Event { wall_time: self.seconds(), step, what: Some(what) };
        record::write(&mut self.file, &event.encode_to_vec())
            .map_err(|source| BoardError::write(&self.path, source))
    }
}

/// A new file of this name, with a number after it where a file has that name already.
fn create_new(dir: &Path, name: &str) -> Result<(PathBuf, File), BoardError> {
    let mut path = dir.join(name);
    let mut number = 0_u64;
    loop {
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            Err(source) => return Err(BoardError::write(&path, source)),
        }
        path = dir.join(format!("{name}.{number}"));
    }
}

#[cfg(test)]
mod tests;
