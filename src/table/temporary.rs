//! Temporary files and folders, and what becomes of them when the process is ended in haste.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

/// Temporary files and folders: they remove themselves, but for a process that is ended in haste. Clones share the list.
#[derive(Clone, Debug, Default)]
pub struct CleanupList(Arc<Mutex<Vec<PathBuf>>>);

impl CleanupList {
    /// Notes a path.
    pub fn add(&self, path: &Path) {
        if let Ok(mut all) = self.0.lock() {
            all.push(path.into());
        }
    }

    /// Removes what is still there.
    pub fn remove(&self) {
        let all = self.0.lock().map(|mut all| std::mem::take(&mut *all)).unwrap_or_default();
        for path in all {
            let _ = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
        }
    }
}

/// A temporary folder that is its maker's alone, whatever the user's mask: what logs say is nobody else's.
pub(super) fn folder(prefix: &str, within: &Path) -> std::io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir_in(within)
}
