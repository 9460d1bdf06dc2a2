//! From what the user named to sources: files, folders, standard input. Opens no file, so it judges none by content; what archives
//! hold is listed when they are opened, see `archive`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use super::error::{SourceError, SourceErrorKind, display_name};
use super::signature::Unreadable;
use super::source::CLUSTER;
use super::{MAX_OPEN_FILES, Source};

/// Expands paths into sources, in the order given; `-` is standard input (`./-` is a file of that name), `http://…` and
/// `https://…` are URLs, `cluster` and `cluster:CONTEXT` clusters unless files of these names are there.
///
/// Folders are read to the bottom, their entries sorted by name (byte by byte, so alike on every machine), names that begin
/// with a dot left out, links followed but no folder entered twice. A file that comes up more than once, under whatever
/// path, is listed once, at its first place. Pipes and devices are listed when named, skipped when found.
///
/// What cannot be listed is returned with the sources, each with its reason: see [`SourceError`].
#[must_use]
pub fn list(inputs: &[PathBuf]) -> (Vec<Source>, Vec<SourceError>) {
    let mut listing = Listing::default();
    for input in inputs {
        if let Some(url) = input.to_str().filter(|text| text.starts_with("http://") || text.starts_with("https://")) {
            if !listing.sources.iter().any(|source| source.url() == Some(url)) {
                listing.sources.push(Source::from_url(url));
            }
            continue;
        }
        if input.as_os_str() == "-" {
            if !listing.sources.iter().any(Source::is_stdin) {
                listing.sources.push(Source::stdin());
            }
            continue;
        }
        if let Some(source) = cluster(input) {
            if !listing.sources.iter().any(|other| other.cluster().is_some() && other.cluster() == source.cluster()) {
                listing.sources.push(source);
            }
            continue;
        }
        match fs::metadata(input) {
            // `folder/` and `folder` name their files alike.
            Ok(about) if about.is_dir() => listing.folder(&input.components().collect::<PathBuf>()),
            Ok(about) => listing.file(input.clone(), &about, true),
            Err(error) => listing.errors.push(SourceError::from_io(&display_name(input), &error)),
        }
    }
    let reopen_each_read = listing.sources.len() > MAX_OPEN_FILES;
    listing.sources.iter_mut().for_each(|source| source.reopen_each_read = reopen_each_read);
    (listing.sources, listing.errors)
}

/// The cluster that an input means; none if it is a path, as one of that name that is there.
fn cluster(input: &Path) -> Option<Source> {
    let context = input.to_str()?.strip_prefix(CLUSTER)?;
    let context = match context.strip_prefix(':') {
        Some(context) => context,
        None if context.is_empty() => "",
        None => return None,
    };
    (!input.exists()).then(|| Source::from_cluster(Some(context).filter(|context| !context.is_empty())))
}

#[derive(Default)]
struct Listing {
    sources: Vec<Source>,
    errors: Vec<SourceError>,
    /// Real paths of the files listed, with their place in `sources`.
    files: BTreeMap<PathBuf, usize>,
    /// Real paths of the folders entered.
    folders: BTreeSet<PathBuf>,
}

impl Listing {
    fn folder(&mut self, root: &Path) {
        let mut waiting = vec![root.to_path_buf()];
        let mut met = 0_usize;
        let errors = self.errors.len();
        while let Some(path) = waiting.pop() {
            match fs::metadata(&path) {
                Ok(about) if about.is_dir() => match self.enter(&path) {
                    Ok(Some(entries)) => waiting.extend(entries.into_iter().rev()),
                    Ok(None) => met += 1,
                    Err(error) => self.errors.push(error),
                },
                Ok(about) if about.is_file() => {
                    met += 1;
                    self.file(path, &about, false);
                }
                Ok(_) => {
                    let message = format!("it is {}", Unreadable::Special.description());
                    self.errors.push(SourceError::new(
                        &display_name(&path),
                        SourceErrorKind::Skipped(Unreadable::Special),
                        message,
                    ));
                }
                Err(_) if path.is_symlink() => {
                    self.errors.push(SourceError::new(
                        &display_name(&path),
                        SourceErrorKind::NotFound,
                        "it is a broken symbolic link",
                    ));
                }
                Err(error) => self.errors.push(SourceError::from_io(&display_name(&path), &error)),
            }
        }
        if met == 0 && self.errors.len() == errors {
            let message = "the folder has no files to read";
            self.errors.push(SourceError::new(&display_name(root), SourceErrorKind::EmptyFolder, message));
        }
    }

    /// The entries of a folder in order; `None` if it was entered before.
    fn enter(&mut self, path: &Path) -> Result<Option<Vec<PathBuf>>, SourceError> {
        let source_error = |error: std::io::Error| SourceError::from_io(&display_name(path), &error);
        if !self.folders.insert(fs::canonicalize(path).map_err(source_error)?) {
            return Ok(None);
        }
        let mut entries = Vec::new();
        for entry in fs::read_dir(path).map_err(source_error)? {
            let entry = entry.map_err(source_error)?;
            if !entry.file_name().as_encoded_bytes().starts_with(b".") {
                entries.push(entry.path());
            }
        }
        entries.sort_unstable();
        Ok(Some(entries))
    }

    fn file(&mut self, path: PathBuf, about: &Metadata, explicit: bool) {
        if about.is_file()
            && let Ok(real) = fs::canonicalize(&path)
        {
            if let Some(source) = self.files.get(&real).and_then(|at| self.sources.get_mut(*at)) {
                source.explicit |= explicit;
                return;
            }
            self.files.insert(real, self.sources.len());
        }
        self.sources.push(Source { explicit, ..Source::file(path, about) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(root: &Path, sources: &[Source]) -> Vec<String> {
        let short = |source: &Source| source.path().unwrap().strip_prefix(root).unwrap().display().to_string();
        sources.iter().map(short).collect()
    }

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        root
    }

    #[test]
    fn a_folder_is_read_to_the_bottom_in_the_order_of_names() {
        let files = [
            "node-b/kubelet.log",
            "node-a/kubelet.log.1",
            "node-a/kubelet.log",
            "Z.log",
            "node-a.log",
            ".x/y",
            "node-a/.z",
        ];
        let root = tree(&files);
        let (sources, errors) = list(&[root.path().to_path_buf()]);
        assert_eq!(errors, []);
        let expected = ["Z.log", "node-a/kubelet.log", "node-a/kubelet.log.1", "node-a.log", "node-b/kubelet.log"];
        assert_eq!(names(root.path(), &sources), expected);
        assert_eq!(sources[1].folder.as_deref(), Some(root.path().join("node-a").as_path()));
        assert_eq!((sources[1].bytes, sources[1].explicit), (Some(18), false));
    }

    #[test]
    fn what_is_given_keeps_its_order_and_comes_once() {
        let root = tree(&["a", "b"]);
        let at = |name: &str| root.path().join(name);
        let (sources, errors) =
            list(&[at("b"), "-".into(), at("./b"), root.path().into(), at("a"), "-".into(), at("c")]);
        assert_eq!(
            sources.iter().map(|s| (s.path().is_none(), s.explicit)).collect::<Vec<_>>(),
            [(false, true), (true, true), (false, true)]
        );
        assert_eq!(sources[1].name, "stdin");
        assert_eq!(errors.iter().map(|e| e.kind).collect::<Vec<_>>(), [SourceErrorKind::NotFound]);
    }

    #[test]
    fn a_cluster_has_a_name_that_no_file_has() {
        let inputs = ["cluster", "cluster:", "cluster:arn:aws:eks:eu-west-1:1:cluster/a", "clusters", "cluster/a"];
        let (sources, errors) = list(&inputs.map(PathBuf::from));
        let contexts: Vec<_> = sources.iter().map(|source| source.cluster().unwrap()).collect();
        assert_eq!(contexts, [None, Some("arn:aws:eks:eu-west-1:1:cluster/a")]);
        assert_eq!(errors.len(), 2);
        let root = tree(&["cluster"]);
        let (sources, _) = list(&[root.path().join("cluster")]);
        assert!(sources[0].cluster().is_none());
    }

    #[test]
    fn an_empty_folder_is_an_error() {
        let root = tree(&[".hidden"]);
        let (sources, errors) = list(&[root.path().to_path_buf()]);
        assert!(sources.is_empty());
        assert_eq!(errors.iter().map(|e| e.kind).collect::<Vec<_>>(), [SourceErrorKind::EmptyFolder]);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_but_not_in_circles() {
        use std::os::unix::fs::symlink;
        let root = tree(&["pods/0.log"]);
        fs::create_dir(root.path().join("containers")).unwrap();
        symlink("../pods/0.log", root.path().join("containers/app.log")).unwrap();
        symlink("../pods/1.log", root.path().join("containers/gone.log")).unwrap();
        symlink("..", root.path().join("pods/up")).unwrap();
        let (sources, errors) = list(&[root.path().to_path_buf()]);
        assert_eq!(names(root.path(), &sources), ["containers/app.log"]);
        assert_eq!(errors.iter().map(|e| e.kind).collect::<Vec<_>>(), [SourceErrorKind::NotFound]);
    }
}
