//! The folders of an archive, as if it were unpacked: in which order members come, and where symbolic links lead. Nothing of it is
//! on a disk, so no name and no link leads out of it.

use std::collections::{BTreeMap, BTreeSet};

/// How many links may lead to links, as Linux has it.
const MAX_LINKS: usize = 40;
/// The longest path, in bytes, as Linux has it.
const MAX_PATH: usize = 4096;
/// How long paths may be on average, in bytes: all are held.
const MEAN_PATH: usize = 512;

/// A tree of names over `T`, which is what is known of a file.
pub(super) struct Tree<T> {
    /// The first is the root.
    nodes: Vec<Node<T>>,
    /// Bytes of all names.
    bytes: usize,
    limit: usize,
}

struct Node<T> {
    parent: usize,
    content: Content<T>,
}

enum Content<T> {
    Folder(BTreeMap<Box<[u8]>, usize>),
    File(T),
    Link(Box<[u8]>),
}

/// What came of adding a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Added {
    New,
    /// There was one of this name, which it replaces.
    Replaced,
    /// It leads out of the archive, or through what is no folder.
    Refused,
    /// There is no room for more.
    Full,
}

/// What may stand in a tree.
pub(super) enum Entry<T> {
    Folder,
    File(T),
    Link(Vec<u8>),
}

impl<T: Clone> Tree<T> {
    /// An empty one for `limit` members and folders.
    pub(super) fn new(limit: usize) -> Self {
        let root = Node { parent: 0, content: Content::Folder(BTreeMap::new()) };
        Tree { nodes: vec![root], bytes: 0, limit }
    }

    /// Adds a member by its path.
    pub(super) fn add(&mut self, path: &[u8], entry: Entry<T>) -> Added {
        let Some(parts) = parts(path) else { return Added::Refused };
        let Some((last, folders)) = parts.split_last() else { return Added::New };
        let mut at = 0;
        for name in folders {
            at = match self.child(at, name) {
                Some(child) => child,
                None => match self.insert(at, name, Content::Folder(BTreeMap::new())) {
                    Some(made) => made,
                    None => return Added::Full,
                },
            };
            if !matches!(self.nodes.get(at), Some(Node { content: Content::Folder(_), .. })) {
                return Added::Refused;
            }
        }
        let known = self.child(at, last);
        let is_folder =
            known.and_then(|known| self.nodes.get(known)).map(|node| matches!(node.content, Content::Folder(_)));
        let content = match entry {
            Entry::Folder if is_folder == Some(true) => return Added::New,
            _ if is_folder == Some(true) => return Added::Refused,
            Entry::Folder => Content::Folder(BTreeMap::new()),
            Entry::File(file) => Content::File(file),
            Entry::Link(target) => Content::Link(target.into()),
        };
        let Some(known) = known else {
            return if self.insert(at, last, content).is_some() { Added::New } else { Added::Full };
        };
        if let Some(node) = self.nodes.get_mut(known) {
            node.content = content;
        }
        Added::Replaced
    }

    /// The file of a path.
    pub(super) fn file(&self, path: &[u8]) -> Option<&T> {
        let at = parts(path)?.iter().try_fold(0, |at, name| self.child(at, name))?;
        if let Content::File(file) = &self.nodes.get(at)?.content { Some(file) } else { None }
    }

    /// Hands out each file once, in the order of names, as a folder's files are listed: what begins with a dot is left out, links
    /// are followed. How many links lead nowhere or out of the archive, and the first of them.
    pub(super) fn list(&self, mut found: impl FnMut(&[u8], &T)) -> (u64, Option<Vec<u8>>) {
        let mut waiting = vec![(Vec::new(), 0)];
        let mut met = BTreeSet::new();
        let (mut lost, mut first, mut bytes) = (0, None, 0_usize);
        while let Some((path, at)) = waiting.pop() {
            // Links into folders make paths longer than any that was added.
            let Some(real) = self.resolve(at).filter(|_| path.len() <= MAX_PATH) else {
                lost += 1;
                first.get_or_insert(path);
                continue;
            };
            if !met.insert(real) {
                continue;
            }
            match self.nodes.get(real).map(|node| &node.content) {
                Some(Content::Folder(children)) => {
                    for (name, child) in children.iter().rev().filter(|(name, _)| !name.starts_with(b".")) {
                        let separator: &[u8] = if path.is_empty() { b"" } else { b"/" };
                        bytes += path.len() + name.len();
                        if bytes > self.limit.saturating_mul(MEAN_PATH) {
                            lost += 1;
                            continue;
                        }
                        waiting.push(([&path, separator, name].concat(), *child));
                    }
                }
                Some(Content::File(file)) => found(&path, file),
                _ => {}
            }
        }
        (lost, first)
    }

    /// Where a node leads, links followed.
    fn resolve(&self, at: usize) -> Option<usize> {
        let (mut at, mut links) = (at, 0);
        // What is left to walk, the next part last.
        let mut rest: Vec<&[u8]> = Vec::new();
        loop {
            let node = self.nodes.get(at)?;
            if let Content::Link(target) = &node.content {
                links += 1;
                // An absolute one leads out of any folder that the archive may be unpacked into.
                if links > MAX_LINKS || target.is_empty() || target.starts_with(b"/") {
                    return None;
                }
                rest.extend(target.split(|byte| *byte == b'/').rev());
                at = node.parent;
                continue;
            }
            match rest.pop() {
                None => return Some(at),
                Some(b"" | b".") => {}
                Some(b"..") if at == 0 => return None,
                Some(b"..") => at = node.parent,
                Some(name) => at = self.child(at, name)?,
            }
        }
    }

    fn child(&self, at: usize, name: &[u8]) -> Option<usize> {
        match &self.nodes.get(at)?.content {
            Content::Folder(children) => children.get(name).copied(),
            _ => None,
        }
    }

    fn insert(&mut self, parent: usize, name: &[u8], content: Content<T>) -> Option<usize> {
        let number = self.nodes.len();
        if number > self.limit || self.bytes.saturating_add(name.len()) > self.limit.saturating_mul(MEAN_PATH) {
            return None;
        }
        if let Some(Node { content: Content::Folder(children), .. }) = self.nodes.get_mut(parent) {
            children.insert(name.into(), number);
        }
        self.bytes += name.len();
        self.nodes.push(Node { parent, content });
        Some(number)
    }
}

/// The names of a path; none if one leads up. An absolute path begins at the archive's root.
fn parts(path: &[u8]) -> Option<Vec<&[u8]>> {
    let parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').filter(|part| !matches!(*part, b"" | b".")).collect();
    (!parts.contains(&&b".."[..])).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(tree: &Tree<u32>) -> (Vec<(String, u32)>, u64) {
        let mut files = Vec::new();
        let (lost, _) = tree.list(|path, file| files.push((String::from_utf8_lossy(path).into_owned(), *file)));
        (files, lost)
    }

    fn tree(entries: &[(&str, Entry<u32>)]) -> Tree<u32> {
        let mut tree = Tree::new(100);
        for (path, entry) in entries {
            let entry = match entry {
                Entry::Folder => Entry::Folder,
                Entry::File(file) => Entry::File(*file),
                Entry::Link(target) => Entry::Link(target.clone()),
            };
            tree.add(path.as_bytes(), entry);
        }
        tree
    }

    fn link(target: &str) -> Entry<u32> {
        Entry::Link(target.as_bytes().to_vec())
    }

    #[test]
    fn files_come_in_the_order_of_a_folders() {
        let tree = tree(&[
            ("./node-b/kubelet.log", Entry::File(1)),
            ("node-a/kubelet.log.1", Entry::File(2)),
            ("node-a/kubelet.log", Entry::File(3)),
            ("/Z.log", Entry::File(4)),
            ("node-a.log", Entry::File(5)),
            (".x/y", Entry::File(6)),
            ("node-a/.z", Entry::File(7)),
        ]);
        let names: Vec<String> = listed(&tree).0.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["Z.log", "node-a/kubelet.log", "node-a/kubelet.log.1", "node-a.log", "node-b/kubelet.log"]);
    }

    #[test]
    fn links_are_followed_but_not_in_circles_and_not_outside() {
        let tree = tree(&[
            ("pods/0.log", Entry::File(1)),
            ("containers/app.log", link("../pods/0.log")),
            ("containers/gone.log", link("../pods/1.log")),
            ("containers/host", link("/etc/passwd")),
            ("containers/above", link("../../secret")),
            ("containers/self", link("self")),
            ("pods/up", link("..")),
            ("hidden", link(".data/x")),
            (".data/x", Entry::File(2)),
        ]);
        assert_eq!(listed(&tree), (vec![("containers/app.log".into(), 1), ("hidden".into(), 2)], 4));
    }

    #[test]
    fn names_lead_nowhere_else_and_the_last_of_a_name_counts() {
        let mut tree = tree(&[("a", Entry::File(1)), ("d/x", Entry::File(2)), ("l", link("d"))]);
        assert_eq!(tree.add(b"../b", Entry::File(3)), Added::Refused);
        assert_eq!(tree.add(b"d/../../b", Entry::File(3)), Added::Refused);
        assert_eq!(tree.add(b"l/x", Entry::File(3)), Added::Refused, "a link is not written through");
        assert_eq!(tree.add(b"a/x", Entry::File(3)), Added::Refused);
        assert_eq!(tree.add(b"d", Entry::File(3)), Added::Refused);
        assert_eq!(tree.add(b"a", Entry::File(4)), Added::Replaced);
        assert_eq!((tree.file(b"/a"), tree.file(b"./d/x"), tree.file(b"d")), (Some(&4), Some(&2), None));
        assert_eq!(listed(&tree), (vec![("a".into(), 4), ("d/x".into(), 2)], 0));
    }

    #[test]
    fn there_is_an_end_of_room() {
        let mut tree = Tree::new(2);
        assert_eq!(tree.add(b"a/b", Entry::File(1)), Added::New);
        assert_eq!(tree.add(b"c", Entry::File(2)), Added::Full);
        assert_eq!(tree.add(b"a/b", Entry::File(3)), Added::Replaced);
    }
}
