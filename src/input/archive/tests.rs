//! What bounds an archive, and the names that tar keeps apart; whole archives are read in `tests/it/archives`.

use super::*;

/// A header of this kind, and content.
fn put(tar: &mut ::tar::Builder<Vec<u8>>, name: &str, kind: ::tar::EntryType, content: &[u8]) {
    let mut header = ::tar::Header::new_gnu();
    header.set_path(name).unwrap();
    header.set_entry_type(kind);
    header.set_size(content.len() as u64);
    header.set_cksum();
    tar.append(&header, content).unwrap();
}

/// Names and contents of the members of a tar archive within these limits, and what is said.
fn unpacked(tar: ::tar::Builder<Vec<u8>>, limits: (usize, u64)) -> (Vec<(String, Vec<u8>)>, Vec<String>) {
    let bytes = ArchiveBytes::Tar(Box::new(io::Cursor::new(tar.into_inner().unwrap())));
    let mut spool = Spool::new(&std::env::temp_dir()).unwrap();
    let Unpacked { members, errors, remarks } =
        unpack_within(&Source::from_path("logs/a.tar"), bytes, &mut spool, &Arc::default(), limits);
    let members = members.into_iter().map(|source| {
        let Origin::Member(member) = source.origin else { panic!("a member") };
        let mut content = Vec::new();
        member.reader().read_to_end(&mut content).unwrap();
        assert_eq!(source.bytes, Some(content.len() as u64));
        (source.name, content)
    });
    (members.collect(), errors.iter().map(ToString::to_string).chain(remarks).collect())
}

fn tar() -> ::tar::Builder<Vec<u8>> {
    ::tar::Builder::new(Vec::new())
}

const FILE: ::tar::EntryType = ::tar::EntryType::Regular;

#[test]
fn members_and_bytes_have_an_end() {
    let many = || {
        let mut tar = tar();
        (0..9).for_each(|number| put(&mut tar, &format!("{number}.log"), FILE, b"a line\n"));
        tar
    };
    let (members, said) = unpacked(many(), (4, 1 << 20));
    assert_eq!(members.len(), 4);
    assert_eq!(said.len(), 1);
    assert!(said[0].starts_with("logs/a.tar: the archive holds more than 4 files; the rest was not read."), "{said:?}");
    let (members, said) = unpacked(many(), (100, 2000));
    assert_eq!(members.len(), 2, "{said:?}");
    assert!(said.len() == 1 && said[0].contains("the archive holds more than"), "{said:?}");
    let mut large = tar();
    put(&mut large, "large.log", FILE, &b"a line\n".repeat(100_000));
    put(&mut large, "next.log", FILE, b"a line\n");
    let (members, said) = unpacked(large, (100, 500_000));
    assert!(members.len() == 1 && members[0].1.len() >= 400_000, "what was read of it is used");
    assert!(said.len() == 1 && said[0].contains("/large.log: the archive holds more than"), "{said:?}");
}

#[test]
fn texts_are_kept_whole_and_of_what_is_none_the_front() {
    let long: Vec<u8> = (0..60_000).flat_map(|number| format!("line {number}\n").into_bytes()).collect();
    let binary = [b"\x7fELF".as_slice(), &[1; 100_000]].concat();
    let mut tar = tar();
    put(&mut tar, "long.log", FILE, &long);
    put(&mut tar, "program", FILE, &binary);
    put(&mut tar, "short.log", FILE, b"a line\n");
    let (members, said) = unpacked(tar, (100, 1 << 30));
    assert_eq!(said, [""; 0]);
    let lengths: Vec<(&str, usize)> = members.iter().map(|(name, content)| (name.as_str(), content.len())).collect();
    let expected =
        [("logs/a.tar/long.log", long.len()), ("logs/a.tar/program", SNIFF_LEN), ("logs/a.tar/short.log", 7)];
    assert_eq!(lengths, expected);
    assert!(members[0].1 == long);
}

#[test]
fn long_names_are_read_and_endless_ones_are_not() {
    let folder = "a-folder-with-a-long-name/".repeat(20);
    let mut tar = tar();
    let mut header = ::tar::Header::new_gnu();
    header.set_size(4);
    // The builder writes such a name as GNU tar does.
    tar.append_data(&mut header, format!("{folder}gnu.log"), &b"gnu\n"[..]).unwrap();
    let pax = [("path", format!("{folder}pax.log").into_bytes()), ("size", b"4".to_vec())];
    tar.append_pax_extensions(pax.iter().map(|(key, value)| (*key, value.as_slice()))).unwrap();
    put(&mut tar, "cut", FILE, b"pax\n");
    put(&mut tar, "././@LongLink", ::tar::EntryType::GNULongName, &[b'x'; 100_000]);
    put(&mut tar, "endless", FILE, b"a line\n");
    put(&mut tar, "sparse", ::tar::EntryType::GNUSparse, b"a line\n");
    put(&mut tar, "last.log", FILE, b"last\n");
    let (members, said) = unpacked(tar, (100, 1 << 20));
    let expected = [("gnu.log", "gnu\n"), ("pax.log", "pax\n")];
    let expected = expected.map(|(name, content)| (format!("logs/a.tar/{folder}{name}"), content.as_bytes().to_vec()));
    assert_eq!(members[..2], expected);
    assert_eq!(members[2].0, "logs/a.tar/last.log");
    assert!(said[0].starts_with("logs/a.tar/endless: its name is too long."), "{said:?}");
    assert!(said[1].starts_with("logs/a.tar/sparse: it is stored as a sparse file"), "{said:?}");
    assert_eq!((members.len(), said.len()), (3, 2), "{said:?}");
}

#[test]
fn an_archive_is_a_folder_of_its_name() {
    let folder_of =
        |path: &str| folder(&Source { folder: Path::new(path).parent().map(PathBuf::from), ..Source::from_path(path) });
    for (path, expected) in [
        ("logs/kind.tar.gz", "logs/kind"),
        ("kind.tgz", "kind"),
        ("kind.zip", "kind"),
        ("kind.1", "kind.1"),
        ("node-1.tar", "node-1"),
    ] {
        assert_eq!(folder_of(path), Path::new(expected));
    }
    assert_eq!(folder(&Source::stdin()), Path::new(""));
}
