//! Standard input that can be left: a blocking read on a quiet pipe would otherwise hold the program until data comes.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::peek_reader::read_retrying;

/// Bytes of one read, and how many reads may wait to be taken. A pipe is asked to hold one read.
const READ_SIZE: usize = 256 << 10;
const MAX_QUEUED_READS: usize = 4;

/// A reader that ends when `stop` is set, also while its pipe is silent. The thread that reads stays blocked until the
/// pipe speaks or the program ends.
pub struct Pipe {
    reads: Receiver<io::Result<(Vec<u8>, usize)>>,
    /// Buffers that were taken go back to be filled again.
    spare: Sender<Vec<u8>>,
    stop: Arc<AtomicBool>,
    buffer: Vec<u8>,
    taken: usize,
    length: usize,
}

impl Pipe {
    /// Reads standard input.
    pub fn stdin(stop: Arc<AtomicBool>) -> Self {
        // Of 64 KiB, as it is by default, writer and reader wait for each other far more often. Where it cannot be had, or
        // standard input is no pipe, nothing is lost.
        #[cfg(target_os = "linux")]
        let _ = nix::fcntl::fcntl(io::stdin(), nix::fcntl::FcntlArg::F_SETPIPE_SZ(READ_SIZE as i32));
        Pipe::new(io::stdin(), stop)
    }

    /// Reads a named pipe or a device. It is opened on the thread too: a pipe without a writer lets whoever opens it wait.
    pub fn open(path: PathBuf, stop: Arc<AtomicBool>) -> Self {
        Pipe::new(LazyReader { path, file: None }, stop)
    }

    /// Reads `inner` on a thread of its own.
    pub fn new(mut inner: impl Read + Send + 'static, stop: Arc<AtomicBool>) -> Self {
        let (sender, reads) = bounded(MAX_QUEUED_READS);
        let (spare, spares) = bounded::<Vec<u8>>(MAX_QUEUED_READS);
        std::thread::spawn(move || {
            loop {
                let mut bytes = spares.try_recv().unwrap_or_else(|_| vec![0; READ_SIZE]);
                let read = match read_retrying(&mut inner, &mut bytes) {
                    Ok(0) => break,
                    read => read.map(|length| (bytes, length)),
                };
                let failed = read.is_err();
                if sender.send(read).is_err() || failed {
                    break;
                }
            }
        });
        Pipe { reads, spare, stop, buffer: Vec::new(), taken: 0, length: 0 }
    }
}

/// A file that is opened by the first read.
struct LazyReader {
    path: PathBuf,
    file: Option<File>,
}

impl Read for LazyReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match &mut self.file {
            Some(file) => file.read(into),
            none => none.insert(File::open(&self.path)?).read(into),
        }
    }
}

impl Read for Pipe {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.length {
            match self.reads.recv_timeout(Duration::from_millis(50)) {
                Ok(read) => {
                    let (bytes, length) = read?;
                    let done = std::mem::replace(&mut self.buffer, bytes);
                    (self.taken, self.length) = (0, length);
                    if !done.is_empty() {
                        // One that is not wanted is freed.
                        let _ = self.spare.try_send(done);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
                Err(RecvTimeoutError::Timeout) if self.stop.load(Ordering::Relaxed) => return Ok(0),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
        let left = self.buffer.get(self.taken..self.length).unwrap_or_default();
        let length = left.len().min(into.len());
        if let (Some(target), Some(from)) = (into.get_mut(..length), left.get(..length)) {
            target.copy_from_slice(from);
        }
        self.taken += length;
        Ok(length)
    }
}
