//! Progress on standard error: a bar with rate and time left on a terminal, a plain line now and then elsewhere.

use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use inkling_data::FetchEvent;
use inkling_lab::{Event, Observer};
use inkling_schema::Head;
use inkling_schema::format::{duration, percent};
use inkling_schema::outcome::{EpochOutcome, Evaluation, StepsLine, TrialEpoch};
use inkling_schema::printable;
use inkling_store::Store;

use crate::interrupt::{Finishing, finish_first};
use crate::message;

/// Time between two plain lines about one stage.
const QUIET: Duration = Duration::from_secs(5);

/// Shows a study's events, and passes on the wish to stop.
pub(crate) struct Progress<'a> {
    stop: &'a AtomicBool,
    terminal: bool,
    stage: Mutex<Option<Stage>>,
    /// From the first stage on, an end that is asked for waits for the step at hand.
    working: Mutex<Option<Finishing>>,
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
            terminal: message::can_redraw(),
            stage: Mutex::new(None),
            working: Mutex::new(None),
            diverged: Mutex::default(),
        }
    }

    /// Ends the work, and the last stage's bar; where the stage is `whole`, a line says how long it took. From now on
    /// nothing waits before an end that is asked for.
    pub(crate) fn close(&self, whole: bool) {
        self.end_stage(whole);
        self.working().take();
    }

    fn end_stage(&self, whole: bool) {
        if let Some(stage) = self.lock().take() {
            stage.close(whole);
        }
    }

    fn working(&self) -> MutexGuard<'_, Option<Finishing>> {
        self.working.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says something between the bars.
    pub(crate) fn say(&self, text: &str) {
        match &*self.lock() {
            Some(stage) if self.terminal => stage.bar.suspend(|| message::say(text)),
            _ => message::say(text),
        }
    }

    /// Says how fetching a data set goes.
    pub(crate) fn fetching(&self, event: &FetchEvent) {
        match event {
            FetchEvent::Started { url, resumed_at: 0, .. } => self.say(&format!("fetching {url}")),
            FetchEvent::Started { url, resumed_at, .. } => {
                self.say(&format!("fetching {url}, continuing from byte {resumed_at}"));
            }
            FetchEvent::Failed { url, problem, retry_in } => {
                let next = match retry_in {
                    Some(wait) => format!("trying again in {:.1} s", wait.as_secs_f64()),
                    None => "trying the next mirror".to_owned(),
                };
                self.say(&format!("{url}: {problem}; {next}"));
            }
            FetchEvent::Waiting { .. } | FetchEvent::NoLocks { .. } | FetchEvent::Replacing { .. } => {
                self.say(&of_the_cache(event));
            }
            FetchEvent::Received { .. } | FetchEvent::Finished { .. } => {}
        }
    }

    /// Says what a person should know about who else writes to a folder.
    pub(crate) fn notes(&self, store: &Store) {
        for note in store.notes() {
            self.say(&format!("note: {note}"));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Stage>> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, title: &str, steps: usize) {
        self.end_stage(true);
        self.working().get_or_insert_with(|| finish_first("the current step is finished first"));
        let bar = if self.terminal { ProgressBar::new(steps as u64) } else { ProgressBar::hidden() };
        let rate = |state: &ProgressState, text: &mut dyn Write| {
            // A bar that cannot be drawn is no reason to stop.
            let _ = write!(text, "{:.1}/s", state.per_sec());
        };
        let style = ProgressStyle::with_template(template(steps, message::width()))
            .expect("a test reads every template");
        bar.set_style(style.with_key("rate", rate));
        bar.set_prefix(printable(title).into_owned());
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
            stage.bar.set_message(format!("loss {}, {accuracy}", loss(line.loss)));
        }
    }

    fn epoch(&self, (epoch, epochs): (usize, usize), accuracy: String) {
        if let Some(stage) = &mut *self.lock() {
            let title = &stage.title;
            let text = format!("epoch {epoch} of {epochs}, {accuracy}");
            if !self.terminal && stage.spoke.elapsed() >= QUIET {
                stage.spoke = Instant::now();
                message::say(&format!("{title}: {text}"));
            }
            stage.bar.set_message(printable(&text).into_owned());
            stage.accuracy = Some(accuracy);
        }
    }

    /// Networks whose loss stopped being finite, and where.
    pub(crate) fn diverged(self) -> Vec<String> {
        self.diverged.into_inner().unwrap_or_else(PoisonError::into_inner)
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
                let left = left(each * (steps - done) as f64);
                message::say(&format!("{title}: {done} of {steps}, {left}"));
            }
        }
    }
}

/// How a stage of so many steps is drawn on a terminal of so many columns: what there is no room for is left out, and the
/// last field is cut off at the edge.
fn template(steps: usize, columns: Option<usize>) -> &'static str {
    match (steps, columns.unwrap_or(80)) {
        (0 | 1, 40..) => "{prefix:22} {spinner} {elapsed}",
        (0 | 1, _) => "{spinner} {wide_msg}{prefix:10!}",
        (_, 110..) => "{prefix:22!} {bar:30} {pos:>3}/{len}  {rate}, {eta} left  {wide_msg}",
        (_, 60..) => "{prefix:22!} {pos:>3}/{len}  {eta} left  {wide_msg}",
        (_, 30..) => "{prefix:12!} {pos}/{len} {wide_msg}",
        _ => "{pos}/{len} {wide_msg}",
    }
}

/// A loss with four digits that say something, however small or large it is.
fn loss(loss: f64) -> String {
    match loss.abs() {
        0.0 | 0.001..1e6 => format!("{loss:.4}"),
        size if size.is_finite() => format!("{loss:.3e}"),
        _ => "not finite".into(),
    }
}

/// How long it takes yet.
fn left(seconds: f64) -> String {
    if seconds < 1.0 {
        return "less than a second left".into();
    }
    match seconds.round() as u64 {
        whole @ 0..=99 => format!("about {whole} s left"),
        _ => format!("about {} left", duration(seconds)),
    }
}

/// What an event says about the cache: other programs that use it, and files in it; nothing where it is about something else.
pub(crate) fn of_the_cache(event: &FetchEvent) -> String {
    match event {
        FetchEvent::Waiting { lock, holder } => {
            let holder = holder.map_or_else(|| "another process".to_owned(), ToString::to_string);
            format!(
                "waiting for {holder}, which is fetching into the same folder (it holds `{}`)",
                lock.display()
            )
        }
        FetchEvent::NoLocks { folder } => format!(
            "note: the file system of `{}` has no locks, so another process may be fetching into it at the same time; \
             every file is checked all the same",
            folder.display()
        ),
        FetchEvent::Replacing { path, problem } => {
            format!("`{}` in the cache is fetched again: {problem}", path.display())
        }
        _ => String::new(),
    }
}

/// The accuracy on the test images; with several heads each one's.
fn test_accuracy(outcome: &EpochOutcome, heads: &[Head]) -> String {
    let further = outcome.further.iter().map(|head| head.test);
    accuracy("test", std::iter::once(outcome.test).chain(further), heads)
}

/// The same on the validation images, of a training that sees no others.
fn validation_accuracy(outcome: &TrialEpoch, heads: &[Head]) -> String {
    accuracy("validation", outcome.heads.iter().map(|head| head.validation), heads)
}

fn accuracy(images: &str, found: impl Iterator<Item = Evaluation>, heads: &[Head]) -> String {
    let each = heads.iter().zip(found).map(|(head, found)| {
        let name = if heads.len() > 1 { format!("{} ", head.name) } else { String::new() };
        format!("{name}{}", percent(found.accuracy(), 2))
    });
    format!("{images} accuracy {}", each.collect::<Vec<_>>().join(", "))
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
            message::say(&format!("{title}: finished earlier, not repeated"));
        } else if skipped > 0 {
            let spent = duration(seconds);
            message::say(&format!("{title}: done in {spent} ({skipped} finished earlier, not repeated)"));
        } else {
            message::say(&format!("{title}: done in {}{accuracy}", duration(seconds)));
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
            Event::Smaller { set, part, asked, there } => self.say(&format!(
                "note: {set} has {there} {part} images, fewer than the {asked} that the study asks for; all are used"
            )),
            Event::OwnData { set, note } => self.say(&format!("note: {set}: {note}")),
            Event::Unread { title, warning } => self.say(&format!("warning: {title}: {warning}")),
            Event::Advanced | Event::Finished => self.advance(false),
            Event::Skipped => self.advance(true),
            // Nothing that a terminal shows.
            Event::Weights { .. } => {}
            Event::Damaged { title, problem } => {
                self.say(&format!("{title}: {problem}; it is repeated"));
            }
            Event::Steps(line) => self.steps(line),
            Event::Epoch { epochs, outcome, heads } => {
                self.epoch((outcome.epoch, epochs), test_accuracy(outcome, heads));
            }
            Event::Trial { epochs, outcome, heads } => {
                self.epoch((outcome.epoch, epochs), validation_accuracy(outcome, heads));
            }
            Event::Keeps { tasks, preset } => {
                self.say(&format!("note: the report keeps {tasks} of the study {preset} in this folder"));
            }
            Event::Replaces { preset, runs } => {
                self.say(&if runs == 1 {
                    format!(
                        "note: this folder held the study {preset}; 1 of its runs does not belong to this study: it stays \
                         in the folder and leaves the report"
                    )
                } else {
                    format!(
                        "note: this folder held the study {preset}; {runs} of its runs do not belong to this study: they \
                         stay in the folder and leave the report"
                    )
                });
            }
            Event::Unlisted { runs } => {
                let runs = match runs {
                    1 => "a finished run in it does not belong".to_owned(),
                    _ => format!("{runs} finished runs in it do not belong"),
                };
                self.say(&format!(
                    "note: this folder’s study.json is damaged or missing, and {runs} to this study: the runs of another \
                     study stay in the folder and leave the report; the command of that study brings them back, without \
                     repeating them"
                ));
            }
            Event::Waits { title, problem } => self.say(&format!("{title}: waiting for another process: {problem}")),
            Event::Resumed { title, epochs, steps, within_an_epoch } => {
                self.resume(steps);
                self.say(&if within_an_epoch {
                    format!("{title}: continuing after step {steps}, in epoch {}", epochs + 1)
                } else {
                    format!("{title}: continuing after epoch {epochs}")
                });
            }
            Event::Continued { title, epochs, steps } => {
                self.resume(steps);
                let epochs = if epochs == 1 { "1 epoch".to_owned() } else { format!("{epochs} epochs") };
                self.say(&format!("{title}: continuing from the finished training of {epochs}"));
            }
            Event::NotContinued { title, epochs, reason } => {
                let epochs = if epochs == 1 { "1 epoch".to_owned() } else { format!("{epochs} epochs") };
                self.say(&format!(
                    "{title}: training starts again, as it cannot continue from the finished training of {epochs}: {reason}"
                ));
            }
            Event::UnfitCheckpoint { title, problem } => self.say(&format!("{title}: {problem}")),
            Event::BegunAnew { title } => {
                self.say(&format!("{title}: no checkpoint can be continued from, so training starts again"));
            }
            Event::TaskEnded { .. } => self.end_stage(true),
            Event::Diverged { title, place, kept, advice } => {
                self.say(&format!("{title}: diverged {place}; {kept}; {advice}"));
                let place = format!("{title} {place} ({advice})");
                let mut diverged = self.diverged.lock().unwrap_or_else(PoisonError::into_inner);
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
    use inkling_schema::outcome::HeadOutcome;

    use super::*;

    #[test]
    fn every_template_fits_its_terminal() {
        for columns in
            [None, Some(1), Some(20), Some(29), Some(30), Some(59), Some(60), Some(109), Some(110), Some(300)]
        {
            for steps in [0, 1, 2, 1_000_000] {
                let template = template(steps, columns);
                assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
            }
        }
        assert!(!template(9, Some(59)).contains("bar") && template(9, Some(20)) == "{pos}/{len} {wide_msg}");
    }

    #[test]
    fn losses_and_times_are_legible_whatever_their_size() {
        for (value, shown) in [
            (2.3126, "2.3126"),
            (0.0, "0.0000"),
            (0.00001234, "1.234e-5"),
            (-3.5e-9, "-3.500e-9"),
            (123456.0, "123456.0000"),
            (1.5e30, "1.500e30"),
            (f64::NAN, "not finite"),
            (f64::INFINITY, "not finite"),
        ] {
            assert_eq!(loss(value), shown);
        }
        assert_eq!(
            [0.04, 61.25, 100.0, 3599.6, 7260.0].map(duration),
            ["40 ms", "61.3 s", "1 min 40 s", "60 min 0 s", "2 h 1 min"]
        );
        let texts = [0.0, 0.9, 1.2, 59.0, 200.0].map(left);
        assert_eq!(
            texts,
            [
                "less than a second left",
                "less than a second left",
                "about 1 s left",
                "about 59 s left",
                "about 3 min 20 s left"
            ]
        );
    }

    #[test]
    fn one_head_says_its_accuracy_and_several_say_whose_it_is() {
        let found = |correct| Evaluation { images: 10_000, correct, loss: 0.5 };
        let (train, validation) = (found(9000), None);
        let mut outcome =
            EpochOutcome { epoch: 1, step: 9, train, validation, test: found(8812), further: Vec::new() };
        let head = |name: &str| Head::new(name, Vec::new());
        let heads = [head("item"), head("group")];
        assert_eq!(test_accuracy(&outcome, &heads[..1]), "test accuracy 88.12 %");
        outcome.further.push(HeadOutcome { train, validation, test: found(9100) });
        assert_eq!(test_accuracy(&outcome, &heads), "test accuracy item 88.12 %, group 91.00 %");
    }
}
