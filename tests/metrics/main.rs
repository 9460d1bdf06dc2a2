//! Metrics: scrapes beside logs, a real Prometheus server, servers that fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod captures;
mod failing;
mod nasty;
mod native;
mod page;
mod real;
#[path = "../web/server.rs"]
#[allow(dead_code, reason = "the client's own tests use all of it")]
mod server;
#[path = "../support/mod.rs"]
mod support;
