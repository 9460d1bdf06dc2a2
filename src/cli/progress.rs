//! The progress bar on stderr, for long input on a terminal: bytes, rate, time left.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::input::Source;
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};

/// A bar that follower how much of the sources has been read.
pub(super) struct Bar {
    done: Arc<AtomicBool>,
    follower: Option<JoinHandle<()>>,
}

impl Bar {
    /// A bar over these sources; none when stderr is no terminal. A short input never shows one.
    pub(super) fn new(sources: &[Source]) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let typed_by_hand = sources.iter().any(Source::is_stdin) && std::io::stdin().is_terminal();
        if !std::io::stderr().is_terminal() || typed_by_hand {
            return Bar { done, follower: None };
        }
        let (sources, until) = (sources.to_vec(), Arc::clone(&done));
        let follower = std::thread::spawn(move || follow(&sources, &until));
        Bar { done, follower: Some(follower) }
    }

    /// Takes the bar off the screen.
    pub(super) fn end(self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(follower) = self.follower {
            follower.thread().unpark();
            let _ = follower.join();
        }
    }
}

fn follow(sources: &[Source], done: &AtomicBool) {
    // What is read within half a second needs no bar.
    std::thread::park_timeout(Duration::from_millis(500));
    if done.load(Ordering::Relaxed) {
        return;
    }
    if sources.iter().any(|source| source.cluster().is_some()) {
        return follow_cluster(sources, done);
    }
    if sources.iter().any(|source| source.url().is_some()) {
        return follow_queries(sources, done);
    }
    let total: Option<u64> = sources.iter().map(|source| source.bytes).sum();
    let (bar, template) = match total {
        Some(total) => (ProgressBar::new(total), "{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta} left"),
        None => (ProgressBar::new_spinner(), "{spinner} {bytes} {bytes_per_sec}"),
    };
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    while !done.load(Ordering::Relaxed) {
        bar.set_position(sources.iter().map(Source::bytes_read).sum());
        std::thread::park_timeout(Duration::from_millis(100));
    }
    bar.finish_and_clear();
}

/// How many objects there are is not known before they are read.
fn follow_cluster(sources: &[Source], done: &AtomicBool) {
    let bar = ProgressBar::new_spinner();
    let style = ProgressStyle::with_template("{spinner} {msg}, {elapsed}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    while !done.load(Ordering::Relaxed) {
        bar.set_message(cluster_words(sources));
        bar.tick();
        std::thread::park_timeout(Duration::from_millis(100));
    }
    bar.finish_and_clear();
}

fn cluster_words(sources: &[Source]) -> String {
    let clusters = || sources.iter().filter(|source| source.cluster().is_some());
    let objects = HumanCount(clusters().map(Source::objects).sum());
    let mut words = format!("{objects} pods, events and nodes");
    let (answered, of) = clusters().map(Source::queries).fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
    if of > 0 {
        words += &format!(", {} of {} kubelets have answered", HumanCount(answered), HumanCount(of));
    }
    match clusters().map(Source::bytes_read).sum() {
        0 => words,
        bytes => words + &format!(", {} of their logs", HumanBytes(bytes)),
    }
}

fn follow_queries(sources: &[Source], done: &AtomicBool) {
    let bar = ProgressBar::new(1);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} queries, {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    while !done.load(Ordering::Relaxed) {
        let (asked, of) = sources.iter().map(Source::queries).fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
        bar.set_length(of.max(1));
        bar.set_position(asked);
        std::thread::park_timeout(Duration::from_millis(100));
    }
    bar.finish_and_clear();
}
