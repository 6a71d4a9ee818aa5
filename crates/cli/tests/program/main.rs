//! The program from outside: what a person types, reads and finds, and the exit code.

mod bad_data;
mod bad_store;
mod bad_study;
mod bundle;
mod common;
mod exchange;
mod extremes;
mod faults;
mod flips;
mod jobs;
mod killed_report;
mod locks;
mod look;
mod one_network;
mod output;
mod own;
mod paths;
mod signals;
mod slurm;
mod strange_places;
mod sweep;
mod terminal;
mod training;
mod usage;
