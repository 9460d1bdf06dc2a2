//! The program as a process: what it was given, what it said, how much memory it took, signals.

use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{podlag, samples, text};

/// How a run ended, and what it said.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    pub out: String,
    pub err: String,
    /// The most memory it held, in MiB, as far as it was seen.
    pub peak: u64,
}

impl Ended {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A log of 20 startups.
pub fn log() -> String {
    text(&samples().join("s01-cached/in/kubelet.log.zst"))
}

/// Three logs one after another: enough for startups to settle while more comes.
pub fn logs() -> String {
    ["s01-cached", "s02-pull-serial", "s12-burst"]
        .map(|name| text(&samples().join(name).join("in/kubelet.log.zst")))
        .concat()
}

/// The log as a file in a new folder.
pub fn logged() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kubelet.log");
    std::fs::write(&path, log()).unwrap();
    (folder, path)
}

/// Runs it to its end.
pub fn run<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Ended {
    Running::of(podlag().args(arguments).stdin(Stdio::null())).end()
}

/// Runs a script in which `$PODLAG` is the program, in this folder, with a small file system of its own mounted at `tiny`.
/// What it prints comes back. Nothing of the mount is seen outside or stays.
pub fn on_a_tiny_disk(folder: &Path, options: &str, script: &str) -> Ended {
    std::fs::create_dir_all(folder.join("tiny")).unwrap();
    let root = Command::new("id").arg("-u").output().expect("id").stdout == b"0\n";
    let script = format!("set -u; mount -t tmpfs -o {options} tiny tiny || exit 99; {script}");
    let mut command = Command::new("unshare");
    command.args(if root { &["-m"][..] } else { &["-rm"] }).args(["sh", "-c", &script]);
    let ended = Running::of(command.current_dir(folder).env("PODLAG", env!("CARGO_BIN_EXE_podlag"))).end();
    assert!(
        ended.code != Some(99) && !ended.err.contains("unshare"),
        "a small disk is needed, and cannot be mounted: run the tests as root, or where `unshare -rm` may mount a tmpfs \
         (kernel.unprivileged_userns_clone): {ended:?}"
    );
    ended
}

/// A run under way.
pub struct Running {
    child: Child,
    said: [Option<JoinHandle<Vec<u8>>>; 2],
    peak: u64,
}

impl Running {
    pub fn of(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} cannot be started (unshare is in util-linux): {error}"));
        let out = child.stdout.take().map(all);
        let err = child.stderr.take().map(all);
        Running { child, said: [out, err], peak: 0 }
    }

    /// With what it reads coming from a thread that writes until the pipe breaks.
    pub fn fed(
        command: &mut Command,
        mut feed: impl FnMut(&mut dyn Write) -> std::io::Result<()> + Send + 'static,
    ) -> Self {
        let mut running = Running::of(command.stdin(Stdio::piped()));
        let mut pipe = running.child.stdin.take().unwrap();
        std::thread::spawn(move || feed(&mut pipe));
        running
    }

    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status().unwrap();
        assert!(sent.success());
    }

    /// Waits until the process has this much of its own processor time behind it, in hundredths of a second: then it has read.
    pub fn worked(&mut self, ticks: u64) {
        self.until("it works", |running| {
            let stat = running.proc("stat");
            let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
            let ticks_at = |at: usize| fields.get(at).and_then(|ticks| ticks.parse::<u64>().ok()).unwrap_or(0);
            ticks_at(11) + ticks_at(12) >= ticks
        });
    }

    /// Waits until something holds.
    pub fn until(&mut self, what: &str, mut holds: impl FnMut(&mut Self) -> bool) {
        let begun = Instant::now();
        while !holds(self) {
            assert!(self.child.try_wait().unwrap().is_none(), "it ended before {what}: {:?}", self.said());
            assert!(begun.elapsed() < Duration::from_secs(120), "never: {what}");
            self.look();
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Whether all its threads wait for something.
    pub fn waits(&self) -> bool {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id()));
        let states = tasks.into_iter().flatten().filter_map(|task| {
            let stat = std::fs::read_to_string(task.ok()?.path().join("stat")).ok()?;
            stat.rsplit(')').next()?.split_whitespace().next().map(str::to_owned)
        });
        let states: Vec<String> = states.collect();
        states.len() > 1 && states.iter().all(|state| state == "S")
    }

    /// How far it has read a file that it holds open; none while it does not.
    pub fn position(&self, path: &Path) -> Option<u64> {
        let descriptors = std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).ok()?;
        let open = descriptors
            .filter_map(|entry| Some(entry.ok()?.path()))
            .find(|entry| std::fs::read_link(entry).is_ok_and(|file| file == path))?;
        let about = self.proc(&format!("fdinfo/{}", open.file_name()?.to_string_lossy()));
        about.lines().find_map(|line| line.strip_prefix("pos:")?.trim().parse().ok())
    }

    fn proc(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).unwrap_or_default()
    }

    fn look(&mut self) {
        let status = self.proc("status");
        let kib = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB"));
        self.peak = self.peak.max(kib.and_then(|kib| kib.trim().parse().ok()).unwrap_or(0));
    }

    fn said(&mut self) -> [String; 2] {
        [0, 1].map(|at| {
            let bytes = self.said[at].take().map(|said| said.join().unwrap()).unwrap_or_default();
            String::from_utf8(bytes).expect("what it says is UTF-8")
        })
    }

    /// Waits for its end; far too long a wait ends it and fails.
    pub fn end(mut self) -> Ended {
        let begun = Instant::now();
        let status = loop {
            self.look();
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if begun.elapsed() > Duration::from_secs(300) {
                let _ = self.child.kill();
                panic!("it does not end");
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let [out, err] = self.said();
        Ended { code: status.code(), signal: status.signal(), out, err, peak: self.peak / 1024 }
    }
}

fn all(mut from: impl std::io::Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        bytes
    })
}
