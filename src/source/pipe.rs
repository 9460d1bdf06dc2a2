//! Standard input that can be left: a blocking read on a quiet pipe would otherwise hold the program until data comes.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};

/// Bytes of one read, and how many reads may wait to be taken.
const READ: usize = 256 << 10;
const WAITING: usize = 4;

/// A reader that ends when `stop` is set, also while its pipe is silent. The thread that reads stays blocked until the
/// pipe speaks or the program ends.
pub struct Pipe {
    reads: Receiver<io::Result<Vec<u8>>>,
    stop: Arc<AtomicBool>,
    held: Vec<u8>,
    taken: usize,
}

impl Pipe {
    /// Reads `inner` on a thread of its own.
    pub fn new(mut inner: impl Read + Send + 'static, stop: Arc<AtomicBool>) -> Self {
        let (sender, reads) = bounded(WAITING);
        std::thread::spawn(move || {
            loop {
                let mut bytes = vec![0; READ];
                let read = match inner.read(&mut bytes) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Ok(0) => break,
                    Ok(length) => {
                        bytes.truncate(length);
                        Ok(bytes)
                    }
                    Err(error) => Err(error),
                };
                let failed = read.is_err();
                if sender.send(read).is_err() || failed {
                    break;
                }
            }
        });
        Pipe { reads, stop, held: Vec::new(), taken: 0 }
    }
}

impl Read for Pipe {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.held.len() {
            match self.reads.recv_timeout(Duration::from_millis(50)) {
                Ok(read) => (self.held, self.taken) = (read?, 0),
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
                Err(RecvTimeoutError::Timeout) if self.stop.load(Ordering::Relaxed) => return Ok(0),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
        let left = self.held.get(self.taken..).unwrap_or_default();
        let length = left.len().min(into.len());
        if let (Some(target), Some(from)) = (into.get_mut(..length), left.get(..length)) {
            target.copy_from_slice(from);
        }
        self.taken += length;
        Ok(length)
    }
}
