//! A text (a line of a log, an error, a remark) → the same with every name hidden.
//!
//! A text may hold names that no column has: another pod, a secret, a host. So it is not searched for names; it is taken
//! apart, what is known to be harmless is kept (numbers, times, words of `words`), and every other word becomes a pseudonym.
//! Where a name occurs (alone in quotes or braces, behind `=` or a key's `:`, beside `/`) known words are hidden too. The
//! key, or the word before, shows the kind, which only chooses the pseudonym's first letters.

use std::collections::HashMap;
use std::net::IpAddr;

use super::name::{is_id, is_uuid};
use super::words;
use super::{Anonymizer, Kind};

/// Names that are known, with their kinds.
pub(super) type Known<'a> = HashMap<&'a str, Kind>;

/// What is between words, but for `:`, `.`, `!` and `?`, which do so only at a word's ends.
fn separates(c: char) -> bool {
    c.is_whitespace() || c.is_control() || "\"'`()[]{}<>,;=&|\\…#*".contains(c)
}

/// What separates at the ends of words.
fn trims(c: char) -> bool {
    matches!(c, ':' | '.' | '!' | '?')
}

/// The kind of the names a key has for values.
fn of_key(key: &str, word: &str) -> Option<Kind> {
    Some(match key {
        "name" | "Name" if matches!(word, "container" | "ContainerMetadata") => Kind::Container,
        "pod" | "pods" | "name" | "Name" | "podName" | "object" => Kind::Pod,
        "namespace" | "Namespace" | "podNamespace" => Kind::Namespace,
        "node" | "nodeName" | "hostname" => Kind::Node,
        "volume" | "volumes" | "volumeName" => Kind::Volume,
        "container" | "containerName" => Kind::Container,
        "image" | "imageRef" => Kind::Image,
        "uid" | "Uid" | "UID" | "podUID" | "podID" | "ID" | "id" | "Data" | "containerID" | "sandboxID"
        | "podSandboxID" | "container_id" => Kind::Uid,
        _ => return None,
    })
}

/// The kind of what is in quotes behind a word.
fn of_word(word: &str) -> Option<Kind> {
    Some(match word {
        "pod" => Kind::Pod,
        "namespace" => Kind::Namespace,
        "node" => Kind::Node,
        "volume" => Kind::Volume,
        "container" | "for" => Kind::Container,
        "image" | "tag" | "PullImage" | "reference" => Kind::Image,
        "host" => Kind::Host,
        "sandbox" | "id" => Kind::Uid,
        "configmap" | "secret" => Kind::Object,
        _ => return None,
    })
}

/// Whether it is a number, a length of time, a size, a time or a date: digits, and few letters.
fn is_number(word: &str) -> bool {
    let body = word.trim_start_matches(['+', '-']);
    let versions = body.strip_prefix('v').unwrap_or(body);
    let unit = |text: &str| {
        matches!(
            text,
            "" | "s"
                | "ms"
                | "us"
                | "µs"
                | "ns"
                | "m"
                | "h"
                | "e"
                | "E"
                | "T"
                | "Z"
                | "B"
                | "k"
                | "K"
                | "M"
                | "G"
                | "Ki"
                | "Mi"
                | "Gi"
                | "KiB"
                | "MiB"
                | "GiB"
                | "kB"
                | "MB"
                | "GB"
        )
    };
    versions.starts_with(|c: char| c.is_ascii_digit())
        && versions.split(|c: char| c.is_ascii_digit() || ".:+-%".contains(c)).all(unit)
        && (versions.len() == body.len() || versions.contains('.'))
}

/// A word, where it is, and what is known of it.
#[derive(Clone, Copy)]
struct WordContext<'a> {
    /// A name is here.
    named: bool,
    /// Of this kind, by the key or the word before.
    kind: Option<Kind>,
    key: &'a str,
    /// The word before.
    before: &'a str,
}

impl Anonymizer {
    /// A text with every name in it hidden.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        self.text_with(text, &Known::new())
    }

    /// The same where some names are known.
    pub(super) fn text_with(&self, text: &str, known: &Known<'_>) -> String {
        // Names that are more than a word are looked for as they are, the longest first.
        let mut long: Vec<(&&str, &Kind)> =
            known.iter().filter(|(name, _)| name.contains(separates) && name.len() > 1).collect();
        long.sort_by_key(|(name, _)| (std::cmp::Reverse(name.len()), **name));
        let mut text = text.to_owned();
        for (name, kind) in long {
            if text.contains(*name) {
                text = text.replace(*name, &self.name(*kind, name));
            }
        }
        let (header, rest) = header(&text);
        let mut out = header.to_owned();
        Walk { names: self, known, text: rest, headed: !header.is_empty(), key: "", word: "" }.run(&mut out);
        out
    }
}

/// What klog writes before its message: it names a file of the kubelet's own source.
fn header(text: &str) -> (&str, &str) {
    let Some((head, _)) = text.split_once("] ") else { return ("", text) };
    let mut parts = head.split_whitespace();
    let (date, time, pid, file) = (parts.next(), parts.next(), parts.next(), parts.next());
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b':' || byte == b'.');
    let dated = date.is_some_and(|date| date.starts_with(['I', 'W', 'E', 'F']) && date.get(1..).is_some_and(digits));
    if dated
        && time.is_some_and(digits)
        && pid.is_some_and(digits)
        && file.is_some_and(is_source)
        && parts.next().is_none()
    {
        text.split_at_checked(head.len() + 1).unwrap_or(("", text))
    } else {
        ("", text)
    }
}

/// Whether it is a line of a Go source: `kubelet/kubelet.go:2724`.
fn is_source(file: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-./@".contains(&byte);
    let parts = file.rsplit_once(".go:");
    parts.is_some_and(|(file, line)| {
        file.split('/').count() <= 2 && file.bytes().all(plain) && line.bytes().all(|byte| byte.is_ascii_digit())
    })
}

struct Walk<'a> {
    names: &'a Anonymizer,
    known: &'a Known<'a>,
    text: &'a str,
    /// A klog header stood before: the first quotes hold its message.
    headed: bool,
    /// The last key.
    key: &'a str,
    /// The last word of running text.
    word: &'a str,
}

impl<'a> Walk<'a> {
    fn run(mut self, out: &mut String) {
        let mut gap = if self.headed { "=".to_owned() } else { String::new() };
        let mut rest = self.text;
        while let Some(c) = rest.chars().next() {
            if c == '\\' {
                // An escape, not a word's beginning.
                let end =
                    if rest.starts_with("\\n") || rest.starts_with("\\t") || rest.starts_with("\\r") { 2 } else { 1 };
                let (escape, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
                out.push_str(escape);
                gap.push_str(if end == 2 { " " } else { "" });
                rest = after;
                continue;
            }
            if separates(c)
                || trims(c) && !rest.starts_with("::") && !rest.starts_with("./") && !rest.starts_with("../")
            {
                out.push(c);
                gap.push(c);
                rest = rest.get(c.len_utf8()..).unwrap_or_default();
                continue;
            }
            let end = rest.find(separates).unwrap_or(rest.len());
            let (whole, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
            if after.trim_start_matches('\\').starts_with('…') {
                // Cut: half a name would be another one's pseudonym.
                rest = after;
                continue;
            }
            let word = whole.trim_end_matches(trims);
            let (word, after) = rest.split_at_checked(word.len().max(1)).unwrap_or((rest, ""));
            self.word(word, after, &gap, out);
            gap.clear();
            rest = after;
        }
    }

    fn word(&mut self, word: &'a str, after: &str, gap: &str, out: &mut String) {
        let mut behind = gap.chars().rev();
        let (last, before_last) = (behind.next(), behind.next());
        let mut ahead = after.chars().filter(|c| *c != '\\');
        let (next, second) = (ahead.next(), ahead.next());
        let is_quote = |c: Option<char>| matches!(c, Some('"' | '\'' | '`'));
        let quoted = is_quote(last) && next == last;
        // `key=`, `"key":` and `key:"`.
        let is_key = next == Some('=')
            || quoted && second == Some(':')
            || next == Some(':') && matches!(second, Some('"' | '{' | '['));
        if is_key && !word.contains(['/', ':']) {
            let shown = self.key(word);
            out.push_str(&shown);
            self.key = word;
            return;
        }
        let direct = quoted && matches!(before_last, Some('=' | ':'));
        let braced = matches!((last, next), (Some('{'), Some('}')) | (Some('['), Some(']')));
        let valued = matches!(last, Some('=' | ':'));
        let named = quoted && !(direct && words::is_told(self.key)) || braced || valued && !words::is_told(self.key);
        // Within a text the key before it says nothing.
        let kind = match quoted && !direct && words::is_told(self.key) {
            true => of_word(self.word),
            false => of_key(self.key, self.word).or(of_word(self.word).filter(|_| quoted && !direct)),
        };
        let place = WordContext { named, kind: kind.filter(|_| named), key: self.key, before: self.word };
        out.push_str(&self.shown(word, place));
        if !named {
            self.word = word;
        }
    }

    fn key(&self, key: &str) -> String {
        let flag = key
            .strip_prefix("--")
            .is_some_and(|flag| flag.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'));
        if flag || key.split('.').all(|part| words::is_known(part) || words::is_identifier(part)) {
            key.to_owned()
        } else {
            self.names.name(Kind::Other, key)
        }
    }

    /// A word as it may be shown.
    fn shown(&self, word: &str, place: WordContext<'_>) -> String {
        let names = self.names;
        if names.is_mine(word) || place.key == "caller" && is_source(word) {
            return word.to_owned();
        }
        // A ConfigMap may have the name of its workload.
        let is_object = place.kind == Some(Kind::Object);
        if let Some(kind) = self.known.get(word).filter(|_| !is_object)
            && (place.named || !words::is_known(word))
        {
            return names.name(*kind, word);
        }
        if word.contains("://") {
            return names.url(word);
        }
        if let Some(address) = self.address(word) {
            return address;
        }
        if is_uuid(word) || is_id(word) {
            return names.uid(word);
        }
        if word.contains('/') {
            return self.slashed(word, place);
        }
        // In an image's place a name may have a tag.
        if let (Some((left, right)), false) = (word.split_once(':'), place.kind == Some(Kind::Image) || is_number(word))
        {
            return self.pair(left, right, place);
        }
        match place.kind {
            Some(kind) => names.name(kind, word),
            None if is_number(word) => word.to_owned(),
            None if place.named && !words::is_value(place.key, word) && !words::is_constant(word) => {
                names.name(Kind::Other, word)
            }
            None if place.named || words::is_known(word) => word.to_owned(),
            None => self.odd(word, place),
        }
    }

    /// A word of running text that is none of the known ones.
    fn odd(&self, word: &str, place: WordContext<'_>) -> String {
        let names = self.names;
        let part = |part: &str| words::is_known(part) || words::is_identifier(part);
        if words::is_public_host(word)
            || words::is_identifier(word)
            || word.contains('.') && word.split('.').all(part)
            || !word.contains(char::is_alphanumeric)
        {
            return word.to_owned();
        }
        if let ("pod", Some((pod, namespace))) = (place.before, word.split_once('_')) {
            return format!("{}_{}", names.name(Kind::Pod, pod), names.name(Kind::Namespace, namespace));
        }
        let host = word.contains('.') && !word.contains('_') && word.split('.').all(|part| !part.is_empty());
        names.name(if host { Kind::Host } else { Kind::Other }, word)
    }

    /// What is around a colon: a key and its value, or a host and its port.
    fn pair(&self, left: &str, right: &str, place: WordContext<'_>) -> String {
        if let Some(port) = Some(right).filter(|port| port.parse::<u16>().is_ok() && !words::is_known(left)) {
            return format!("{}:{port}", self.names.host(left, Kind::Host));
        }
        let shown = if words::is_known(left) || words::is_identifier(left) {
            left.to_owned()
        } else {
            self.names.name(Kind::Other, left)
        };
        let inner = WordContext { named: true, kind: of_key(left, place.before), key: left, before: place.before };
        format!("{shown}:{}", self.shown(right, inner))
    }

    /// An IP address, with port or prefix length.
    fn address(&self, word: &str) -> Option<String> {
        let parsed = |text: &str| text.parse::<IpAddr>().ok().map(|address| self.names.address(address).to_string());
        if let Some(address) = parsed(word) {
            return Some(address);
        }
        let at = word.rfind([':', '/', '%'])?;
        let (address, rest) = word.split_at_checked(at)?;
        let number = rest.get(1..).is_some_and(|number| number.parse::<u16>().is_ok());
        parsed(address).map(|address| if number { format!("{address}{rest}") } else { address })
    }

    /// Namespace and name, an image, a plugin, a path.
    fn slashed(&self, word: &str, place: WordContext<'_>) -> String {
        let names = self.names;
        let (first, rest) = word.split_once('/').unwrap_or((word, ""));
        let tagged = word.contains('@') || rest.rsplit('/').next().is_some_and(|last| last.contains(':'));
        // A key may stand before it: volumeName:kubernetes.io/…
        if let Some((key, value)) =
            first.split_once(':').filter(|(key, _)| words::is_known(key) || words::is_identifier(key))
        {
            let value = format!("{value}/{rest}");
            let inner = WordContext { named: true, kind: of_key(key, place.before), key, before: place.before };
            return format!("{key}:{}", self.shown(&value, inner));
        }
        if first == "kubernetes.io" {
            return names.plugin(word);
        }
        if word.split('/').all(is_number) {
            return word.to_owned();
        }
        if first.is_empty() || first.starts_with(['.', '~']) {
            return names.path(word);
        }
        if place.kind == Some(Kind::Image) || tagged || first.contains('.') || first.starts_with("reg-") {
            return names.name(Kind::Image, word);
        }
        match (rest.contains('/'), place.kind) {
            (true, _) => names.path(word),
            (false, Some(kind @ (Kind::Pod | Kind::Volume))) => {
                format!("{}/{}", names.name(Kind::Namespace, first), names.name(kind, rest))
            }
            (false, _) => format!("{}/{}", names.name(Kind::Namespace, first), names.name(Kind::Other, rest)),
        }
    }
}
