//! Progress on standard error: a bar with rate and time left on a terminal, a plain line now and then elsewhere.

use std::fmt::Write;
use std::io::{IsTerminal, stderr};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use inkling_lab::{Event, Observer};

/// Time between two plain lines about one stage.
const QUIET: Duration = Duration::from_secs(5);

/// Shows a study's events, and passes on the wish to stop.
pub(crate) struct Progress<'a> {
    stop: &'a AtomicBool,
    terminal: bool,
    stage: Mutex<Option<Stage>>,
}

struct Stage {
    title: String,
    bar: ProgressBar,
    steps: usize,
    done: usize,
    skipped: usize,
    start: Instant,
    spoke: Instant,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(stop: &'a AtomicBool) -> Self {
        Progress { stop, terminal: stderr().is_terminal(), stage: Mutex::new(None) }
    }

    /// Ends the last stage's bar; where the stage is `whole`, a line says how long it took.
    pub(crate) fn close(&self, whole: bool) {
        if let Some(stage) = self.lock().take() {
            stage.close(whole);
        }
    }

    /// Says something between the bars.
    pub(crate) fn say(&self, text: &str) {
        match &*self.lock() {
            Some(stage) if self.terminal => stage.bar.suspend(|| eprintln!("{text}")),
            _ => eprintln!("{text}"),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Stage>> {
        self.stage.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn begin(&self, title: &str, steps: usize) {
        self.close(true);
        let bar = if self.terminal { ProgressBar::new(steps as u64) } else { ProgressBar::hidden() };
        let template = if steps > 1 {
            "{msg:22} {bar:30} {pos:>3}/{len}  {rate}, {eta} left"
        } else {
            "{msg:22} {spinner} {elapsed}"
        };
        let rate = |state: &ProgressState, text: &mut dyn Write| {
            // A bar that cannot be drawn is no reason to stop.
            let _ = write!(text, "{:.1}/s", state.per_sec());
        };
        let style = ProgressStyle::with_template(template).expect("the template is fixed");
        bar.set_style(style.with_key("rate", rate));
        bar.set_message(title.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        let now = Instant::now();
        let title = title.to_owned();
        *self.lock() = Some(Stage { title, bar, steps, done: 0, skipped: 0, start: now, spoke: now });
    }

    fn advance(&self, skipped: bool) {
        if let Some(stage) = &mut *self.lock() {
            stage.done += 1;
            stage.skipped += usize::from(skipped);
            stage.bar.inc(1);
            if !self.terminal && stage.spoke.elapsed() >= QUIET {
                stage.spoke = Instant::now();
                let left = stage.start.elapsed().mul_f64((stage.steps - stage.done.min(stage.steps)) as f64)
                    / stage.done as u32;
                let (title, done, steps) = (&stage.title, stage.done, stage.steps);
                eprintln!("{title}: {done} of {steps}, about {:.0} s left", left.as_secs_f64());
            }
        }
    }
}

impl Stage {
    fn close(self, whole: bool) {
        self.bar.finish_and_clear();
        let Stage { title, done, skipped, .. } = self;
        let seconds = self.start.elapsed().as_secs_f64();
        if !whole {
            return;
        }
        if done == skipped {
            eprintln!("{title}: finished before, not done again");
        } else if skipped > 0 {
            eprintln!("{title}: done in {seconds:.1} s ({skipped} finished before, not done again)");
        } else {
            eprintln!("{title}: done in {seconds:.1} s");
        }
    }
}

impl Observer for Progress<'_> {
    fn event(&self, event: Event) {
        match event {
            Event::Loaded { images, seconds } => {
                self.say(&format!("data: {images} images loaded and checked in {seconds:.1} s"));
            }
            Event::Stage { title, steps } => self.begin(title, steps),
            Event::Advanced | Event::Finished => self.advance(false),
            Event::Skipped => self.advance(true),
            Event::Damaged { title, problem } => {
                self.say(&format!("{title}: {problem}; it is done again"));
            }
        }
    }

    fn interrupted(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
