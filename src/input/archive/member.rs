//! What an archive says of a member.

use std::time::SystemTime;

/// A member, before its content.
pub(super) struct MemberHeader {
    /// Its path, as it stands in the archive.
    pub(super) name: Vec<u8>,
    pub(super) kind: Kind,
    /// When it was changed last.
    pub(super) modified: Option<SystemTime>,
}

/// What a member is.
pub(super) enum Kind {
    File,
    Folder,
    /// A symbolic link, and where it leads.
    Link(Vec<u8>),
    /// A second name of the member of this path.
    HardLink(Vec<u8>),
    /// A pipe, a device, a label.
    Special,
    /// A file without its empty parts.
    Sparse,
    /// Its name is too long to be one.
    LongName,
    /// Its content needs a password.
    Encrypted,
    /// Its content is compressed in a way that podlag does not read.
    UnknownMethod,
}
