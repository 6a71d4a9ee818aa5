//! `inkling look`: into any trained network.

mod error;
mod heads;
mod subject;
mod tell;
mod wanted;

use inkling_lab::{Event, LabError, LookInputs, Observer};
use inkling_schema::RunSpec;
use inkling_schema::outcome::{ActivationsOutcome, DataSetFacts, DreamOutcome, FiltersOutcome, RunResult};
use inkling_store::{RunDir, Store};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::args::LookCommand;
use crate::failure::Failure;
use crate::interrupt::{self, STOP};
use crate::progress::Progress;
use crate::{message, output, replace, start_computing};
use subject::Subject;
pub(crate) use subject::find;
use wanted::Wanted;

/// The file that says which runs belong to a study.
const STUDY: &str = "study.json";

pub(crate) fn look(command: &LookCommand) -> Result<(), Failure> {
    let args = command.common();
    let animation = match command {
        LookCommand::Dream(args) => args.animation.as_ref(),
        _ => None,
    };
    if let Some(animation) = animation {
        replace::check(&animation.path, "an animation of this program", inkling_report::is_animation)?;
    }
    start_computing(&args.compute)?;
    let mut subject = Subject::read(args)?;
    if let Some(said) = &subject.network.diverged {
        message::warning(&format!("this is not a trained network: {said}"));
    }
    let progress = Progress::new(&STOP);
    let Wanted { run, set, user_images, head } = Wanted::new(command, &subject, &progress)?;
    let names: Vec<String> = subject.names(&head).into_iter().map(str::to_owned).collect();
    let inputs = LookInputs {
        network: &mut subject.network,
        judge: None,
        set: set.as_ref(),
        user_images: &user_images,
    };
    // Before there is a folder: what cannot be done leaves nothing behind.
    inkling_lab::check(&run.spec, &inputs)?;

    let store = Store::open(&args.out)?;
    progress.notes(&store);
    progress.event(Event::Stage { title: &run.title, steps: 1 });
    let looked = inkling_lab::look(&run, inputs, &store, &progress);
    progress.close(looked.is_ok());
    looked.map_err(failure)?;
    interrupt::check()?;

    let facts = subject.about().filter(|_| !names.is_empty());
    let facts = facts.map(|about| DataSetFacts { classes: names.clone(), ..about });
    let figures = inkling_report::look(&store, &run, facts.as_ref())?;
    let figures: Vec<String> = figures
        .iter()
        .map(|figure| format!("{}/figures/{}.svg", args.out.display(), figure.file()))
        .collect();
    if let Some(animation) = animation {
        let bytes = inkling_report::animate(store.reader(), &run.id, animation.format)?;
        inkling_store::atomic::write(&animation.path, &bytes)?;
    }

    let dir = store.run(run.id.as_ref());
    if args.json {
        let found = json!({
            "run": dir.path().display().to_string(),
            "head": head,
            "classes": names,
            "result": outcome::<Value>(&dir)?,
            "figures": figures,
            "animation": animation.map(|animation| animation.path.display().to_string()),
        });
        output::line(&serde_json::to_string_pretty(&found).expect("plain data"));
        return Ok(());
    }
    output::line(&format!("{}\n", subject.words));
    match &run.spec {
        RunSpec::Filters(_) => tell::filters(&outcome::<FiltersOutcome>(&dir)?.outcome),
        RunSpec::Activations(_) => {
            tell::activations(&outcome::<ActivationsOutcome>(&dir)?.outcome, &names);
        }
        RunSpec::Dream(run) => tell::dream(run, &outcome::<DreamOutcome>(&dir)?.outcome, &names),
        _ => unreachable!("a look"),
    }
    if subject.has_several_heads() && !matches!(run.spec, RunSpec::Filters(_)) {
        output::line(&format!("Predicted as: by the head `{head}`."));
    }
    output::line("");
    for figure in &figures {
        output::line(&format!("Figure: {figure}"));
    }
    if let Some(animation) = animation {
        output::line(&format!("Animation: {}", animation.path.display()));
    }
    output::line(&format!("Numbers: {}", dir.path().display()));
    Ok(())
}

/// The result of a run that was just done or found done.
fn outcome<O: DeserializeOwned>(dir: &RunDir) -> Result<RunResult<O>, Failure> {
    Ok(dir.finished()?.expect("the run is done"))
}

/// What goes wrong in a look that a person asked for on the command line.
pub(crate) fn failure(error: LabError) -> Failure {
    match error {
        LabError::Look(error) => error.into(),
        LabError::Interrupted => interrupt::interrupted().into(),
        other => other.into(),
    }
}
