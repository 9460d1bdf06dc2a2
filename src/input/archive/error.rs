//! What can be wrong with an archive or a member of it.

use std::fmt;

use crate::input::error::SourceErrorKind;

/// What of an archive could not be read; travels inside an `io::Error`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::input) enum ArchiveError {
    /// It ends within a member, or before its end is marked.
    Truncated,
    /// At this byte stands something else than a header.
    Damaged(u64),
    /// The list at its end cannot be read, with the reason.
    List(String),
    /// A member is damaged, with the reason.
    Member(String),
    /// A member needs a password.
    Encrypted,
    /// A member is compressed in a way that podlag does not read.
    UnknownMethod,
    /// A member is stored without its empty parts.
    Sparse,
    /// A member's name is too long.
    LongName,
    /// It holds more than this many bytes.
    TooLarge(u64),
    /// It holds more than this many members.
    TooMany(usize),
    /// A member cannot be written to the temporary folder, with the reason.
    NotKept(String),
    /// It holds no files, or none whose names do not begin with a dot.
    Empty,
    /// So many more errors were left out.
    More(u64),
}

impl fmt::Display for ArchiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the archive ends early"),
            Self::Damaged(at) => {
                write!(f, "the archive is damaged at byte {at}; what follows was searched for members")
            }
            Self::List(how) => write!(f, "the list at the archive's end cannot be read ({how})"),
            Self::Member(how) => write!(f, "it is damaged in the archive ({how})"),
            Self::Encrypted => f.write_str("it is encrypted"),
            Self::UnknownMethod => f.write_str("it is compressed in a way that podlag does not read"),
            Self::Sparse => f.write_str("it is stored as a sparse file, which podlag does not read"),
            Self::LongName => f.write_str("its name is too long"),
            Self::TooLarge(bytes) => {
                write!(f, "the archive holds more than {} GiB; the rest was not read", bytes >> 30)
            }
            Self::TooMany(members) => write!(f, "the archive holds more than {members} files; the rest was not read"),
            Self::NotKept(how) => write!(f, "it cannot be written to the temporary folder ({how})"),
            Self::Empty => f.write_str("the archive has no files to read"),
            Self::More(count) => write!(f, "{count} more members could not be read, or not to their ends"),
        }
    }
}

impl std::error::Error for ArchiveError {}

impl ArchiveError {
    pub(in crate::input) fn kind(&self) -> SourceErrorKind {
        match self {
            Self::Truncated | Self::Damaged(_) | Self::List(_) | Self::Member(_) => SourceErrorKind::DamagedArchive,
            Self::Empty => SourceErrorKind::EmptyFolder,
            _ => SourceErrorKind::UnreadArchive,
        }
    }
}
