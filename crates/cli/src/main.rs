//! The program `inkling`: arguments, progress, exit codes. The only part that prints.

mod args;
mod bench;
mod bundle;
mod data;
mod evaluate;
mod export;
mod failure;
mod fault;
mod import;
mod init;
mod interrupt;
mod jobs;
mod look;
mod message;
mod model;
mod output;
mod own;
mod plot;
mod predict;
mod printable;
mod progress;
mod replace;
mod slurm;
mod so_far;
mod study;
mod train;
mod trained;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser};

use crate::args::{Cli, Command, ComputeArgs, DataCommand, StudyArgs};
use crate::failure::{Failure, USAGE, UsageError};

fn main() -> ExitCode {
    fault::watch();
    let ended = match parse() {
        Ok(cli) => fault::caught(|| run(cli)),
        // Help and the version are results; the rest is wrong usage.
        Err(error) if error.use_stderr() => {
            message::usage(&error);
            return USAGE.into();
        }
        Err(help) => {
            output::bytes(output::styled(&help.render()).as_bytes());
            Ok(())
        }
    };
    match ended.and_then(|()| output::finish()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { report, code, fault }) => {
            message::error(&*report);
            if let Some(fault) = fault {
                fault.tell();
            }
            code.into()
        }
    }
}

/// What was asked on the command line.
fn parse() -> Result<Cli, clap::Error> {
    let command = Cli::command().term_width(output::width());
    let mut matches = command.clone().try_get_matches()?;
    Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command.clone()))
}

fn run(cli: Cli) -> Result<(), Failure> {
    interrupt::listen(match &cli.command {
        None | Some(Command::Study(_) | Command::Run(_) | Command::Train(_) | Command::Look(_)) => true,
        Some(Command::Data(command)) => matches!(command, DataCommand::Fetch { .. }),
        _ => false,
    });
    check_environment()?;
    fault::provoke()?;
    match cli.command {
        None => study::study(&default_study()),
        Some(Command::Study(args)) => study::study(&args),
        Some(Command::Plan(args)) => jobs::plan(&args),
        Some(Command::Run(args)) => jobs::run(&args),
        Some(Command::Status(args)) => jobs::status(&args),
        Some(Command::Train(args)) => train::train(&args),
        Some(Command::Evaluate(args)) => evaluate::evaluate(&args),
        Some(Command::Predict(args)) => predict::predict(&args),
        Some(Command::Models { json }) => model::models(json),
        Some(Command::Report(args)) => study::report(&args),
        Some(Command::Bundle(args)) => bundle::bundle(&args),
        Some(Command::Export(args)) => export::export(&args),
        Some(Command::Import(args)) => import::import(&args),
        Some(Command::Look(command)) => look::look(&command),
        Some(Command::Model(args)) => model::model(&args),
        Some(Command::Data(command)) => data::run(&command),
        Some(Command::Bench(args)) => bench::bench(&args),
        Some(Command::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "inkling", &mut script);
            output::bytes(&script);
            Ok(())
        }
    }
}

/// What `inkling` alone does.
fn default_study() -> StudyArgs {
    match Cli::parse_from(["inkling", "study"]).command {
        Some(Command::Study(args)) => args,
        _ => unreachable!("the second word names the command"),
    }
}

/// Chooses the instructions that networks compute with, and makes the pool of threads that everything computes in.
fn start_computing(args: &ComputeArgs) -> Result<(), Failure> {
    if let Some(path) = args.cpu.map_or_else(cpu_of_environment, |path| Ok(Some(path)))? {
        path.set_default();
    }
    let threads = args.threads.map_or(0, std::num::NonZeroUsize::get);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    pool.map_err(|source| UsageError::Threads { source }.into())
}

/// The instructions that the environment asks for, if it asks for any.
fn cpu_of_environment() -> Result<Option<inkling_engine::Isa>, UsageError> {
    let asked = std::env::var_os("INKLING_CPU").filter(|asked| !asked.is_empty());
    let Some(asked) = asked.map(|asked| asked.to_string_lossy().into_owned()) else { return Ok(None) };
    let path = asked.parse().map_err(|problem| UsageError::CpuOfEnvironment { asked, problem })?;
    Ok(Some(path))
}

/// Refuses more threads than a machine can start, which the pool would take from the environment as it is.
fn check_environment() -> Result<(), Failure> {
    let most = args::most_threads();
    for variable in ["RAYON_NUM_THREADS", "RAYON_RS_NUM_CPUS"] {
        let asked = std::env::var(variable).ok().and_then(|asked| asked.parse().ok());
        if let Some(asked) = asked.filter(|&asked: &usize| asked > most) {
            return Err(UsageError::ThreadsOfEnvironment { variable, asked, most }.into());
        }
    }
    Ok(())
}
