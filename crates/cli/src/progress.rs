//! Progress on standard error: a bar with rate and time left on a terminal, a plain line now and then elsewhere.

use std::fmt::Write;
use std::io::{IsTerminal, stderr};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use inkling_data::FetchEvent;
use inkling_lab::{Event, Observer};
use inkling_spec::Head;
use inkling_spec::found::{EpochOutcome, Evaluation, StepsLine};

/// Time between two plain lines about one stage.
const QUIET: Duration = Duration::from_secs(5);

/// Shows a study's events, and passes on the wish to stop.
pub(crate) struct Progress<'a> {
    stop: &'a AtomicBool,
    terminal: bool,
    stage: Mutex<Option<Stage>>,
    /// Networks whose loss stopped being finite, and where.
    diverged: Mutex<Vec<String>>,
}

struct Stage {
    title: String,
    bar: ProgressBar,
    steps: usize,
    done: usize,
    skipped: usize,
    /// Steps that earlier sittings did.
    before: usize,
    start: Instant,
    spoke: Instant,
    /// How a network does, after its last epoch.
    accuracy: Option<String>,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(stop: &'a AtomicBool) -> Self {
        Progress {
            stop,
            terminal: stderr().is_terminal(),
            stage: Mutex::new(None),
            diverged: Mutex::default(),
        }
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

    /// Says how fetching a data set goes.
    pub(crate) fn fetching(&self, event: &FetchEvent) {
        match event {
            FetchEvent::Started { url, resumed_at: 0, .. } => self.say(&format!("fetching {url}")),
            FetchEvent::Started { url, resumed_at, .. } => {
                self.say(&format!("fetching {url}, going on from byte {resumed_at}"));
            }
            FetchEvent::Failed { url, problem, retry_in } => {
                let next = match retry_in {
                    Some(wait) => format!("trying again in {:.1} s", wait.as_secs_f64()),
                    None => "trying the next mirror".to_owned(),
                };
                self.say(&format!("{url}: {problem}; {next}"));
            }
            FetchEvent::Received { .. } | FetchEvent::Finished { .. } => {}
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Stage>> {
        self.stage.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn begin(&self, title: &str, steps: usize) {
        self.close(true);
        let bar = if self.terminal { ProgressBar::new(steps as u64) } else { ProgressBar::hidden() };
        let template = if steps > 1 {
            "{msg:22} {bar:30} {pos:>3}/{len}  {rate}, {eta} left  {prefix}"
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
        *self.lock() = Some(Stage {
            title,
            bar,
            steps,
            done: 0,
            skipped: 0,
            before: 0,
            start: now,
            spoke: now,
            accuracy: None,
        });
    }

    /// A network's training goes on where an earlier sitting left it.
    fn resume(&self, steps: usize) {
        if let Some(stage) = &mut *self.lock() {
            (stage.done, stage.before) = (steps, steps);
            stage.bar.set_position(steps as u64);
            stage.bar.reset_eta();
        }
    }

    /// What the last steps of training made of their images; only a bar has room for it.
    fn steps(&self, line: &StepsLine) {
        if let Some(stage) = &*self.lock() {
            let accuracy = stage.accuracy.as_deref().unwrap_or("first epoch");
            stage.bar.set_prefix(format!("loss {:.4}, {accuracy}", line.loss));
        }
    }

    fn epoch(&self, epochs: usize, outcome: &EpochOutcome, heads: &[Head]) {
        if let Some(stage) = &mut *self.lock() {
            let accuracy = test_accuracy(outcome, heads);
            let (title, epoch) = (&stage.title, outcome.epoch);
            let text = format!("epoch {epoch} of {epochs}, {accuracy}");
            if !self.terminal && stage.spoke.elapsed() >= QUIET {
                stage.spoke = Instant::now();
                eprintln!("{title}: {text}");
            }
            stage.bar.set_prefix(text);
            stage.accuracy = Some(accuracy);
        }
    }

    /// Networks whose loss stopped being finite, and where.
    pub(crate) fn diverged(self) -> Vec<String> {
        self.diverged.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn advance(&self, skipped: bool) {
        if let Some(stage) = &mut *self.lock() {
            if stage.done == stage.steps {
                // The end of a run whose every step was counted.
                return;
            }
            stage.done += 1;
            stage.skipped += usize::from(skipped);
            stage.bar.inc(1);
            if !self.terminal && stage.spoke.elapsed() >= QUIET {
                stage.spoke = Instant::now();
                let each = stage.start.elapsed().as_secs_f64() / (stage.done - stage.before) as f64;
                let (title, done, steps) = (&stage.title, stage.done, stage.steps);
                eprintln!("{title}: {done} of {steps}, about {:.0} s left", each * (steps - done) as f64);
            }
        }
    }
}

/// The accuracy on the test images; with several heads each one's.
fn test_accuracy(outcome: &EpochOutcome, heads: &[Head]) -> String {
    let percent = |test: Evaluation| format!("{:.2} %", 100.0 * test.accuracy());
    if outcome.further.is_empty() {
        return format!("test accuracy {}", percent(outcome.test));
    }
    let tests = std::iter::once(outcome.test).chain(outcome.further.iter().map(|head| head.test));
    let each = heads.iter().zip(tests).map(|(head, test)| format!("{} {}", head.name, percent(test)));
    format!("test accuracy {}", each.collect::<Vec<_>>().join(", "))
}

impl Stage {
    fn close(self, whole: bool) {
        self.bar.finish_and_clear();
        let Stage { title, done, skipped, accuracy, .. } = self;
        let seconds = self.start.elapsed().as_secs_f64();
        let accuracy = accuracy.map(|accuracy| format!(", {accuracy}")).unwrap_or_default();
        if !whole {
            return;
        }
        if done == skipped {
            eprintln!("{title}: finished before, not done again");
        } else if skipped > 0 {
            eprintln!("{title}: done in {seconds:.1} s ({skipped} finished before, not done again)");
        } else {
            eprintln!("{title}: done in {seconds:.1} s{accuracy}");
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
            Event::Steps(line) => self.steps(line),
            Event::Epoch { epochs, outcome, heads } => self.epoch(epochs, outcome, heads),
            Event::Resumed { title, epochs, steps } => {
                self.resume(steps);
                self.say(&format!("{title}: going on after epoch {epochs}"));
            }
            Event::UnfitCheckpoint { title, problem } => self.say(&format!("{title}: {problem}")),
            Event::BegunAnew { title } => {
                self.say(&format!("{title}: no checkpoint to go on from is whole, so training begins anew"));
            }
            Event::Diverged { title, place, suspects } => {
                self.say(&format!("{title}: diverged {place}; the last finite numbers are kept"));
                let place = format!("{title} {place} (a smaller {suspects} may help)");
                let mut diverged = self.diverged.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                diverged.push(place);
            }
        }
    }

    fn interrupted(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use inkling_spec::found::HeadOutcome;

    use super::*;

    #[test]
    fn one_head_says_its_accuracy_and_several_say_whose_it_is() {
        let found = |correct| Evaluation { images: 10_000, correct, loss: 0.5 };
        let (train, validation) = (found(9000), None);
        let mut outcome =
            EpochOutcome { epoch: 1, step: 9, train, validation, test: found(8812), further: Vec::new() };
        let head = |name: &str| Head { name: name.into(), layers: Vec::new() };
        let heads = [head("item"), head("group")];
        assert_eq!(test_accuracy(&outcome, &heads[..1]), "test accuracy 88.12 %");
        outcome.further.push(HeadOutcome { train, validation, test: found(9100) });
        assert_eq!(test_accuracy(&outcome, &heads), "test accuracy item 88.12 %, group 91.00 %");
    }
}
