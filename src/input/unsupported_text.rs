//! Texts that podlag does not read, recognised by their first bytes: what each is, and what to give instead.

use memchr::memmem;

use super::journal::MAGIC;

/// A kind of text that podlag does not read.
#[derive(Debug)]
pub struct UnsupportedText {
    /// What it is, as it follows "it looks like".
    description: &'static str,
    /// What to give instead, as a sentence.
    help: &'static str,
    sniff: fn(&[u8]) -> bool,
}

const KUBELET_LOG: &str =
    "Give the kubelet's log of the node (journalctl -u kubelet), and the container runtime's if you can.";
const RAW_LINES: &str = "Export the log lines as plain text or as JSON, one per line.";

/// All of them; the first that fits counts.
const UNSUPPORTED_TEXTS: &[UnsupportedText] = &[
    UnsupportedText {
        description: "an image or a document",
        help: KUBELET_LOG,
        sniff: |head| [&b"\x89PNG"[..], b"\xff\xd8\xff", b"GIF8", b"%PDF"].iter().any(|mark| head.starts_with(mark)),
    },
    UnsupportedText {
        description: "a systemd journal without a line of a kubelet or a container runtime about a pod's start",
        help: "Give the node's system.journal, or its whole folder: /var/log/journal.",
        sniff: |head| head.starts_with(MAGIC),
    },
    UnsupportedText {
        description: "rows of VictoriaLogs without the line: it found no message in what was sent",
        help: "The line is in another field, mostly MESSAGE: ask for all fields, without `| fields`.",
        sniff: |head| has(head, "missing _msg field; see ") && !has(head, "MESSAGE"),
    },
    UnsupportedText { description: "binary data", help: KUBELET_LOG, sniff: is_binary },
    UnsupportedText {
        description: "the output of kubectl describe",
        help: "Of that, pods are read: kubectl describe pods.",
        sniff: |head| head.starts_with(b"Name:") && has(head, "\nNamespace:"),
    },
    UnsupportedText {
        description: "Kubernetes events",
        help: KUBELET_LOG,
        sniff: |head| {
            head.starts_with(b"LAST SEEN")
                || head.starts_with(b"NAMESPACE ") && has(head, "LAST SEEN")
                || has(head, "Type ") && has(head, "Reason ") && has(head, " From ") && has(head, "Message")
                || has(head, "involvedObject")
        },
    },
    UnsupportedText {
        description: "a part of API objects in YAML",
        help: "Give all that kubectl get -o yaml prints, from its first line on.",
        sniff: |head| has(head, "\napiVersion:") && has(head, "kind:"),
    },
    UnsupportedText {
        description: "a web page",
        help: "Save the log itself, not the page that shows it.",
        sniff: |head| {
            let text = head.trim_ascii_start().get(..16).unwrap_or_default().to_ascii_lowercase();
            text.starts_with(b"<!doctype html") || text.starts_with(b"<html")
        },
    },
    UnsupportedText {
        description: "the log of a control plane component",
        help: KUBELET_LOG,
        sniff: |head| {
            [
                "kube-scheduler",
                "kube-controller-manager",
                "kube-apiserver",
                "schedule_one.go",
                "leaderelection.go",
                "controllermanager.go",
            ]
            .iter()
            .any(|word| has(head, word))
                && !has(head, "kubelet.go")
        },
    },
    UnsupportedText {
        description: "a kubelet's startup record in a form that is not read",
        help: RAW_LINES,
        sniff: |head| has(head, "podStartSLOduration"),
    },
    UnsupportedText {
        description: "a kubelet's log without a line about a pod's start",
        help: "Give a longer part of it. At default verbosity a kubelet of 1.26 or later writes a line for each pod that runs.",
        sniff: |head| has(head, "kubelet.go:") || has(head, "kubelet["),
    },
    UnsupportedText {
        description: "JSON that is neither API objects, metrics nor log lines",
        help: "Give kubectl get pods,events -A -o json, or a log with one JSON object per line.",
        sniff: |head| {
            matches!(head.trim_ascii_start().first(), Some(b'{' | b'['))
                && !["_msg\"", "\"msg\"", "\"message\"", "\"log\"", "\"MESSAGE\""].iter().any(|key| has(head, key))
        },
    },
];

impl UnsupportedText {
    /// What to say of a source of which no line was used.
    #[must_use]
    pub fn remark(&self, source: &str) -> String {
        format!("{source}: no line used; it looks like {}. {}", self.description, self.help)
    }

    /// Whether it says no more than that it is JSON.
    #[must_use]
    pub fn is_vague(&self) -> bool {
        self.description.starts_with("JSON that is neither")
    }

    /// What a text is that begins with these bytes.
    #[must_use]
    pub fn detect(head: &[u8]) -> Option<&'static Self> {
        UNSUPPORTED_TEXTS.iter().find(|other| (other.sniff)(head))
    }
}

fn has(head: &[u8], word: &str) -> bool {
    memmem::find(head, word.as_bytes()).is_some()
}

/// More bytes than in any text are none of a text's.
fn is_binary(head: &[u8]) -> bool {
    // UTF-16 is text: it is decoded.
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return false;
    }
    let control = head.iter().filter(|byte| **byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r' | b'\x1b')).count();
    control * 20 > head.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_known_by_its_beginning() {
        for (head, description) in [
            (
                "Name:             web-0\nNamespace:        shop\nEvents:\n  Type  Reason  Age  From  Message",
                "the output of kubectl describe",
            ),
            ("Events:\n  Type    Reason     Age    From               Message\n", "Kubernetes events"),
            ("LAST SEEN   TYPE      REASON    OBJECT      MESSAGE\n", "Kubernetes events"),
            ("NAMESPACE   LAST SEEN   TYPE      REASON    OBJECT      MESSAGE\n", "Kubernetes events"),
            ("  name: web\napiVersion: v1\nkind: Pod\n", "a part of API objects in YAML"),
            ("<!DOCTYPE html><html>", "a web page"),
            (
                "{\"_time\":\"2026\",\"_msg\":\"missing _msg field; see https://docs\"}\n",
                "rows of VictoriaLogs without the line: it found no message in what was sent",
            ),
            (
                "I0911 19:22:47.709701 1 leaderelection.go:250] attempting to acquire leader lease kube-system/kube-scheduler",
                "the log of a control plane component",
            ),
            ("\u{0}\u{1}\u{2}\u{3}\u{4}abc", "binary data"),
            (
                "LPKSHHRH\u{0}\u{0}",
                "a systemd journal without a line of a kubelet or a container runtime about a pod's start",
            ),
            ("%PDF-1.7\n", "an image or a document"),
            ("[{\"cause\": \"none\"}]", "JSON that is neither API objects, metrics nor log lines"),
            (
                "I0911 19:22:47.709701 1 kubelet.go:250] \"Attempting to sync\"",
                "a kubelet's log without a line about a pod's start",
            ),
        ] {
            assert_eq!(
                UnsupportedText::detect(head.as_bytes()).map(|other| other.description),
                Some(description),
                "{head}"
            );
        }
        for head in ["", "\u{feff}", "some words, and more of them\n", "{\"level\":\"info\",\"message\":\"x\"}\n"] {
            assert!(UnsupportedText::detect(head.as_bytes()).is_none(), "{head}");
        }
        let utf_16: Vec<u8> = "\u{feff}some words\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(UnsupportedText::detect(&utf_16).is_none());
    }
}
