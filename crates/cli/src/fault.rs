//! Faults of the program itself: what the person is told, and a file to send that holds nothing of theirs.

mod private;

use std::any::Any;
use std::backtrace::Backtrace;
use std::ffi::OsString;
use std::fmt::Display;
use std::fs::File;
use std::io::Write;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::exit;
use std::sync::Mutex;
use std::thread::{self, ThreadId};

use clap::CommandFactory;
use inkling_store::clock;
use miette::Diagnostic;
use thiserror::Error;

use crate::args::Cli;
use crate::failure::{FAULT, Failure};
use crate::message;

/// A fault of the program, as the file says it.
#[derive(Debug)]
pub(crate) struct Fault {
    message: String,
    /// Where in the program, where that is known.
    place: String,
    backtrace: String,
}

#[derive(Debug, Error, Diagnostic)]
#[error("internal error of Inkling: {message}")]
#[diagnostic(help("this is not your mistake, and finished work is kept"))]
struct Panicked {
    message: String,
}

/// The last panic of the main thread, until it is told.
static LAST: Mutex<Option<Fault>> = Mutex::new(None);

impl Fault {
    /// The fault that an error tells of.
    pub(crate) fn of_error(error: &dyn Display) -> Self {
        let message = private::without_values(&error.to_string());
        Fault { message, place: "an error that should not occur".into(), backtrace: "none".into() }
    }

    fn of_panic(info: &PanicHookInfo) -> Self {
        let place = info.location().map(|at| format!("{}:{}", private::source(at.file()), at.line()));
        Fault {
            message: private::without_values(text(info.payload())),
            place: place.unwrap_or_default(),
            backtrace: private::backtrace(&Backtrace::force_capture().to_string()),
        }
    }

    /// Writes the file to send, into the current folder or else into the one for temporary files, and says where it is.
    pub(crate) fn tell(&self) {
        let folders = [PathBuf::from("."), std::env::temp_dir()];
        match folders.iter().find_map(|folder| self.write(folder).ok()) {
            Some(path) => message::note(&format!(
                "please send the file `{}` to the people who maintain Inkling. It says what went wrong and where, and \
                 contains neither your data nor any of your names",
                path.display()
            )),
            None => message::note(&format!(
                "please send this to the people who maintain Inkling; it contains neither your data nor any of your \
                 names:\n\n{}",
                self.report()
            )),
        }
    }

    fn write(&self, folder: &Path) -> std::io::Result<PathBuf> {
        let time = clock::now().replace(':', "");
        // Two programs may fail in one folder in the same second.
        for name in
            [format!("inkling-fault-{time}.txt"), format!("inkling-fault-{time}-{}.txt", std::process::id())]
        {
            let path = if folder == Path::new(".") { PathBuf::from(name) } else { folder.join(name) };
            match File::create_new(&path) {
                Ok(mut file) => return file.write_all(self.report().as_bytes()).map(|()| path),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(std::io::ErrorKind::AlreadyExists.into())
    }

    fn report(&self) -> String {
        let Fault { message, place, backtrace } = self;
        let (version, os, processor) =
            (env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH);
        let threads = thread::available_parallelism().map_or(0, Into::into);
        let words: Vec<OsString> = std::env::args_os().skip(1).collect();
        let command = private::shape(&words, &Cli::command());
        format!(
            "An internal error of Inkling. Texts in quotes, file names and the values of options were left out; please read it before you \
             send it.\n\n\
             version: {version}\n\
             system: {os} on {processor}, {threads} threads\n\
             command: {command}\n\
             message: {message}\n\
             place: {place}\n\
             backtrace:\n{backtrace}\n"
        )
    }
}

/// From now on a panic is told as a fault of the program. One of a thread that computes ends the program, since others may
/// wait for that thread for ever; one of the main thread reaches [`caught`].
pub(crate) fn watch() {
    let main = thread::current().id();
    std::panic::set_hook(Box::new(move |info| panicked(info, main)));
}

fn panicked(info: &PanicHookInfo, main: ThreadId) {
    let fault = Fault::of_panic(info);
    let mut last = last();
    // A second panic comes up while the first one is cleaned up after: nothing better follows.
    if thread::current().id() == main && last.is_none() {
        *last = Some(fault);
        return;
    }
    drop(last);
    message::error(&Panicked { message: text(info.payload()).to_owned() });
    fault.tell();
    exit(FAULT.into());
}

/// Does some work, and makes a panic of it a failure.
pub(crate) fn caught(work: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| {
        let message = text(&*payload).to_owned();
        let fault = last().take();
        Err(Failure { fault, ..Failure::new(Panicked { message }, FAULT) })
    })
}

fn last() -> std::sync::MutexGuard<'static, Option<Fault>> {
    LAST.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// What a panic says.
fn text(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic without a text")
}

/// Fails where a test asks for it; a program that is built to be used does not listen.
pub(crate) fn provoke() -> Result<(), Failure> {
    if cfg!(debug_assertions) {
        let wanted = std::env::var("INKLING_TEST_FAULT").unwrap_or_default();
        match wanted.as_str() {
            "panic" => panic!("no set is called \"my secret\" in /home/me/secret.txt"),
            "thread" => {
                use rayon::prelude::*;
                [1, 2, 3].par_iter().for_each(|number| assert!(*number < 3, "a thread that computes"));
            }
            "error" => {
                let problem = "unknown variable `my secret`".into();
                return Err(inkling_report::ReportError::Typeset(problem).into());
            }
            _ => {}
        }
    }
    Ok(())
}
