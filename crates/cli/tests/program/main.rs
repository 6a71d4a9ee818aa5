//! The program from outside: what a person types, reads and finds, and the exit code.

mod bad_data;
mod bad_store;
mod bad_study;
mod bundle;
mod common;
mod extremes;
mod look;
mod training;
mod usage;
