//! The program `inkling`: arguments, progress, exit codes. The only part that prints.
#![allow(clippy::print_stderr)]

mod args;
mod bench;
mod bundle;
mod data;
mod failure;
mod interrupt;
mod look;
mod model;
mod output;
mod printable;
mod progress;
mod study;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::args::{Cli, Command, ComputeArgs, StudyArgs};
use crate::failure::{Failure, UsageError};

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{:?}", failure.report);
            ExitCode::from(failure.code)
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        None => study::study(&default_study()),
        Some(Command::Study(args)) => study::study(&args),
        Some(Command::Report(args)) => study::report(&args),
        Some(Command::Bundle(args)) => bundle::bundle(&args),
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
    if let Some(path) = args.cpu {
        path.force();
    }
    let threads = args.threads.map_or(0, std::num::NonZeroUsize::get);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    pool.map_err(|source| UsageError::Threads { source }.into())
}
