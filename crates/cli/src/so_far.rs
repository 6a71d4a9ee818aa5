//! What a study has found so far: said as each task ends, and written as a report now and then.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use inkling_lab::{Event, Observer};
use inkling_report::{ReportError, Summary, write_so_far};
use inkling_schema::{Task, quoted_path};
use inkling_store::Store;

use crate::export::Live;
use crate::progress::Progress;

/// Work that a report is worth while for: writing one takes some seconds.
const WORK: Duration = Duration::from_secs(10);

/// Hears a study, shows its progress, and tells what is found.
pub(crate) struct SoFar<'a> {
    progress: &'a Progress<'a>,
    store: &'a Store,
    /// When the last report was written, or the work began.
    last: Mutex<Instant>,
    /// Where TensorBoard looks, if a person asked for it.
    live: Option<Live<'a>>,
}

impl<'a> SoFar<'a> {
    pub(crate) fn new(progress: &'a Progress, store: &'a Store, live: Option<Live<'a>>) -> Self {
        SoFar { progress, store, last: Mutex::new(Instant::now()), live }
    }

    /// Says what a task found, and writes the report where there was work since the last.
    fn tell(&self, task: Task) -> Result<(), ReportError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let reports = last.elapsed() >= WORK;
        let summary = if reports { write_so_far(self.store)? } else { Summary::read(self.store.reader())? };
        summary.in_words_of(task).iter().for_each(|line| self.progress.say(line));
        if reports {
            *last = Instant::now();
            let page = quoted_path(self.store.reader().path().join("report.html"));
            self.progress.say(&format!("{page} shows all results so far"));
        }
        Ok(())
    }
}

impl Observer for SoFar<'_> {
    fn event(&self, event: Event) {
        self.progress.event(event);
        if let Some(Err(error)) = self.live.as_ref().map(|live| live.hear(event)) {
            // The training itself is whole.
            self.progress
                .say(&format!("warning: nothing more is written for TensorBoard until the end: {error}"));
        }
        // After the last task the whole report follows at once.
        let Event::TaskEnded { task, more: true } = event else { return };
        if let Err(error) = self.tell(task) {
            // The report at the end meets the same fault, and is what the study's success depends on.
            self.progress.say(&format!("note: the results so far cannot be reported yet: {error}"));
        }
    }

    fn wants_weights(&self) -> bool {
        self.live.is_some()
    }

    fn interrupted(&self) -> bool {
        self.progress.interrupted()
    }
}
