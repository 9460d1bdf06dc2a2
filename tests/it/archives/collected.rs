//! What collectors gather, made from samples: as a folder, as tar and ZIP archives, and those compressed.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::write::{DeflateEncoder, GzEncoder};
use rawzip::{CompressionMethod, ZipArchiveWriter};

use crate::support::{samples, unpacked};

/// Files and links by their paths, in the order in which they are archived.
#[derive(Default)]
pub struct Collected(pub Vec<(String, Content)>);

pub enum Content {
    File(Vec<u8>),
    Link(String),
}

/// The forms of archives, by their extensions.
pub const FORMS: [&str; 6] = ["tar", "tar.gz", "tar.xz", "tar.zst", "tar.bz2", "zip"];

impl Collected {
    pub fn file(mut self, path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.0.push((path.into(), Content::File(bytes.into())));
        self
    }

    pub fn link(mut self, path: &str, target: &str) -> Self {
        self.0.push((path.into(), Content::Link(target.into())));
        self
    }

    /// A sample's logs, under these paths.
    pub fn sample(self, sample: &str, kubelet: &str, containerd: &str) -> Self {
        let logs = samples().join(sample).join("in");
        self.file(kubelet, unpacked(&logs.join("kubelet.log.zst")))
            .file(containerd, unpacked(&logs.join("containerd.log.zst")))
    }

    /// The same without the lines that name the node.
    pub fn nameless(mut self) -> Self {
        for (_, content) in &mut self.0 {
            if let Content::File(bytes) = content {
                let lines = bytes.split_inclusive(|byte| *byte == b'\n');
                let names = |line: &[u8]| memchr::memmem::find(line, b"rig-node").is_some();
                *bytes = lines.filter(|line| !names(line)).flatten().copied().collect();
            }
        }
        self
    }

    pub fn unpack(&self, root: &Path) {
        for (path, content) in &self.0 {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            match content {
                Content::File(bytes) => fs::write(path, bytes).unwrap(),
                Content::Link(target) => std::os::unix::fs::symlink(target, path).unwrap(),
            }
        }
    }

    /// In one of the [`FORMS`].
    pub fn archive(&self, form: &str) -> Vec<u8> {
        match form {
            "zip" => self.zip(),
            _ => compress(form, &self.tar()),
        }
    }

    fn tar(&self) -> Vec<u8> {
        let mut tar = tar::Builder::new(Vec::new());
        for (path, content) in &self.0 {
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o644);
            match content {
                Content::File(bytes) => {
                    header.set_size(bytes.len() as u64);
                    tar.append_data(&mut header, path, bytes.as_slice()).unwrap();
                }
                Content::Link(target) => {
                    header.set_entry_type(tar::EntryType::Symlink);
                    header.set_size(0);
                    tar.append_link(&mut header, path, target).unwrap();
                }
            }
        }
        tar.into_inner().unwrap()
    }

    fn zip(&self) -> Vec<u8> {
        let mut zip = ZipArchiveWriter::new(Vec::new());
        for (number, (path, content)) in self.0.iter().enumerate() {
            let (bytes, mode) = match content {
                Content::File(bytes) => (bytes.as_slice(), 0o100_644),
                Content::Link(target) => (target.as_bytes(), 0o120_777),
            };
            // Every second one as it is, the others as `zip` does it.
            let method = if number % 2 == 0 { CompressionMethod::DEFLATE } else { CompressionMethod::STORE };
            let file = zip.new_file(path.as_str()).unix_permissions(mode).compression_method(method);
            let (mut entry, config) = file.start().unwrap();
            let descriptor = if number % 2 == 0 {
                let mut writer = config.wrap(DeflateEncoder::new(&mut entry, flate2::Compression::fast()));
                writer.write_all(bytes).unwrap();
                let (encoder, descriptor) = writer.finish().unwrap();
                encoder.finish().unwrap();
                descriptor
            } else {
                let mut writer = config.wrap(&mut entry);
                writer.write_all(bytes).unwrap();
                writer.finish().unwrap().1
            };
            entry.finish(descriptor).unwrap();
        }
        zip.finish().unwrap()
    }
}

/// Compressed by what an extension says.
pub fn compress(form: &str, bytes: &[u8]) -> Vec<u8> {
    match form.rsplit('.').next() {
        Some("gz") => {
            let mut gzip = GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(bytes).unwrap();
            gzip.finish().unwrap()
        }
        Some("xz") => {
            let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 0);
            xz.write_all(bytes).unwrap();
            xz.finish().unwrap()
        }
        Some("zst") => zstd::encode_all(bytes, 1).unwrap(),
        Some("bz2") => {
            let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
            bzip2.write_all(bytes).unwrap();
            bzip2.finish().unwrap()
        }
        _ => bytes.to_vec(),
    }
}

/// As `kind export logs` writes it.
pub fn kind() -> Collected {
    Collected::default()
        .file("kind-version.txt", "kind v0.31.0 go1.25.5 linux/amd64\n")
        .sample("s01-cached", "shop-control-plane/kubelet.log", "shop-control-plane/containerd.log")
        .file("shop-control-plane/empty.log", "")
        .sample("s07-pull-backoff", "shop-worker/kubelet.log", "shop-worker/containerd.log")
        .file("shop-worker/pods/shop_web-0_1f/web/0.log", "2026-11-23T19:04:09.1Z stdout F hello\n".repeat(9000))
        .file("shop-worker/.hidden", "I1123 19:04:09.880941 1 a.go:1] \"x\"\n")
}

/// As `oc adm must-gather` writes it: the kubelets' journals of a role in one file, each node's once more, and the API's objects.
pub fn must_gather() -> Collected {
    let journal = |sample: &str, host: &str| -> Vec<u8> {
        let log = crate::support::text(&samples().join(sample).join("in/kubelet.log.zst"));
        let line = |line: &str| {
            let (month, day) = (&line[1..3], &line[3..5]);
            assert_eq!((month, day), ("11", "23"), "{line}");
            format!("Nov 23 {} {host} kubenswrapper[77]: {line}\n", &line[6..21])
        };
        log.lines()
            .filter(|line| line.starts_with("I1123") || line.starts_with("E1123"))
            .map(line)
            .collect::<String>()
            .into()
    };
    let image = "quay-io-openshift-release-dev-ocp-v4-0-art-dev-sha256-1f0a";
    let at = |path: &str| format!("{image}/{path}");
    let (first, second) = (journal("s01-cached", "master-0"), journal("s05-init-sidecars", "master-1"));
    Collected::default()
        .file("event-filter.html", "<html><body>events</body></html>")
        .file(&at("version"), "openshift/must-gather\n4.20.0\n")
        .file(&at("host_service_logs/masters/kubelet_service.log"), [first, second].concat())
        .file(&at("nodes/worker-0/worker-0_logs_kubelet.gz"), compress("gz", &journal("s07-pull-backoff", "worker-0")))
        .file(&at("cluster-scoped-resources/core/nodes/worker-0.yaml"), "---\napiVersion: v1\nkind: Node\n")
        .file(&at("namespaces/all/core/events.json"), unpacked(&samples().join("s07-pull-backoff/events.json.zst")))
}

/// As `sos report` writes it: commands' output by plugins, files by their paths, links between them.
pub fn sosreport() -> Collected {
    let root = "sosreport-worker-0-2026-11-23-abcdefg";
    let at = |path: &str| format!("{root}/{path}");
    let journal = unpacked(&samples().join("s07-pull-backoff/journal/system.journal.zst"));
    Collected::default()
        .file(&at("version.txt"), "sosreport: 4.8.2\n")
        .file(&at("sos_commands/host/hostname"), "worker-0\n")
        .link(&at("hostname"), "sos_commands/host/hostname")
        .sample(
            "s05-init-sidecars",
            &at("sos_commands/kubernetes/journalctl_--no-pager_--unit_kubelet"),
            &at("sos_commands/containerd/journalctl_--no-pager_--unit_containerd"),
        )
        .file(&at("var/log/journal/1f0a/system.journal"), journal)
        .file(&at("sos_commands/boot/efi"), [&b"\x7fELF"[..], &[7; 40_000]].concat())
        .link(&at("journal"), "var/log/journal")
}
