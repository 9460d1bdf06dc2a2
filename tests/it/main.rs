//! Every test that looks at podlag from outside, in one program, which is linked once.
//!
//! A test that takes more than two seconds or unpacks gigabytes stands in a module `slow`; one that starts another program (a browser,
//! Prometheus, VictoriaMetrics, DuckDB, Spark, ClickHouse, shells, `man`, journalctl) or mounts something in a module `external`. `./test quick` runs the others.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test fails by panicking, waits for what it provokes, and is told by the environment"
)]

mod anonymize;
mod any_order;
mod archives;
mod blame;
mod captures;
mod causes;
mod chain;
mod check;
mod cli;
mod cluster;
mod crio;
mod diff;
mod documents;
mod endless;
mod engines;
mod exports;
mod faults;
mod forms;
mod fuzz;
mod grammars;
mod itself;
mod journal;
mod library;
mod metrics;
mod object_text;
mod objects;
mod packaging;
mod page;
mod partial_runtime_log;
mod properties;
mod readiness;
mod recipes;
mod rooms;
mod schema;
mod stores;
mod summary;
mod support;
mod tables;
mod trace;
mod user_logs;
mod verbs;
mod web;
mod zones;
