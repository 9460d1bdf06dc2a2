//! Metrics: scrapes beside logs, real servers, servers that fail.

mod captures;
mod failing;
mod nasty;
mod native;
mod page;
mod real;
mod saved_and_pasted;
mod victoria_metrics;
