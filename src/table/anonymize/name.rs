//! A name → its pseudonym. What a pseudonym says of its name is its kind and that it is the same name elsewhere; the
//! twelve characters after the kind are of the name alone, so that `x-…` in a text and `pod-…` in a column show as one.
//!
//! Nine of them (45 bits) distinguish names; the last three are made of these nine with the key. By them a pseudonym of the
//! same key is known and stays what it is, so that a report that was anonymised before can be read beside one that was not.

use std::hash::Hasher;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use siphasher::sip128::{Hasher128, SipHasher24};

use super::Anonymizer;
use super::words;
use crate::model::workload::node_pool;

/// What a name names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A namespace.
    Namespace,
    /// A pod.
    Pod,
    /// A node.
    Node,
    /// A workload.
    Workload,
    /// A container of a pod.
    Container,
    /// An image, as it is pulled.
    Image,
    /// A registry's host.
    Registry,
    /// A volume.
    Volume,
    /// A ConfigMap or a Secret.
    Object,
    /// A uid, or what a runtime gives sandboxes and containers: a UUID or a long hexadecimal number.
    Uid,
    /// Any other host.
    Host,
    /// A file, a folder or an address that was read.
    Path,
    /// Something else.
    Other,
}

/// The kinds whose pseudonyms are a word and twelve characters.
const PREFIXES: [&str; 13] =
    ["ns-", "pod-", "node-", "wl-", "ctr-", "image-", "tag-", "reg-", "vol-", "obj-", "host-", "path-", "x-"];
/// Digits without those that look alike.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// The last of the twelve is a letter: `node_pool` takes numbers off the end of a node's name.
const LETTERS: &[u8; 16] = b"abcdefghjkmnpqrs";
/// What Kubernetes makes random parts of: `node_pool` takes two of these off, and the pool's part is left.
const SAFE: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
/// How long the part after the kind is, and how much of it distinguishes names.
const LENGTH: usize = 12;
const UNIQUE_LEN: usize = 9;
/// The random parts of a node's pseudonym.
const PART: usize = 5;
/// How many characters of a hexadecimal pseudonym show that it is one.
const CHECK: usize = 8;

/// What a hash is for: the same text gives unrelated values.
#[derive(Clone, Copy)]
enum Use {
    Name,
    Check,
    Node,
    Hex,
    HexCheck,
    Address,
    Key,
}

fn digits(mut value: u128, alphabet: &[u8], count: usize) -> String {
    let base = alphabet.len() as u128;
    let mut text = String::with_capacity(count);
    for _ in 0..count {
        let digit = alphabet.get((value % base) as usize).copied().unwrap_or(b'0');
        text.push(char::from(digit));
        value /= base;
    }
    text
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Whether it is a UUID, in lower case.
pub(super) fn is_uuid(text: &str) -> bool {
    let dashes = [8, 13, 18, 23];
    let fits = |(at, byte): (usize, u8)| {
        if dashes.contains(&at) { byte == b'-' } else { byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte) }
    };
    text.len() == 36 && text.bytes().enumerate().all(fits)
}

/// Whether it is a hexadecimal number as long as ids are.
pub(super) fn is_id(text: &str) -> bool {
    text.len() >= 32 && is_hex(text)
}

impl Anonymizer {
    fn hash(&self, what: Use, text: &str) -> u128 {
        let mut hasher = SipHasher24::new_with_key(&self.key);
        hasher.write_u8(what as u8);
        hasher.write(text.as_bytes());
        hasher.finish128().as_u128()
    }

    /// Distinguishes keys without revealing the key.
    pub(super) fn key_id(&self) -> String {
        digits(self.hash(Use::Key, ""), DIGITS, 8)
    }

    fn check(&self, unique: &str) -> String {
        let check = self.hash(Use::Check, unique);
        digits(check, DIGITS, LENGTH - UNIQUE_LEN - 1) + &digits(check >> 64, LETTERS, 1)
    }

    /// The twelve characters of a name.
    fn token(&self, name: &str) -> String {
        let unique = digits(self.hash(Use::Name, name), DIGITS, UNIQUE_LEN);
        let check = self.check(&unique);
        unique + &check
    }

    fn is_token(&self, text: &str) -> bool {
        text.len() == LENGTH
            && text.split_at_checked(UNIQUE_LEN).is_some_and(|(unique, check)| self.check(unique) == check)
    }

    /// Whether this is a pseudonym made with this key.
    pub(super) fn is_mine(&self, text: &str) -> bool {
        if let Some(rest) = PREFIXES.iter().find_map(|prefix| text.strip_prefix(prefix)) {
            let mut parts = rest.split('-');
            return self.is_token(parts.next().unwrap_or_default())
                && (parts.clone().next().is_none() || text.starts_with("node-") && parts.count() == 2);
        }
        (is_id(text) || is_uuid(text)) && self.is_my_hex(&text.replace('-', ""))
    }

    fn is_my_hex(&self, text: &str) -> bool {
        let body = text.len().saturating_sub(CHECK);
        text.split_at_checked(body).is_some_and(|(body, check)| self.hex_check(body) == check)
    }

    fn hex_check(&self, body: &str) -> String {
        digits(self.hash(Use::HexCheck, body), b"0123456789abcdef", CHECK)
    }

    fn hex(&self, text: &str, length: usize) -> String {
        let mut body = String::new();
        while body.len() < length.saturating_sub(CHECK) {
            let block = self.hash(Use::Hex, &format!("{} {text}", body.len()));
            body.push_str(&digits(block, b"0123456789abcdef", 32));
        }
        body.truncate(length.saturating_sub(CHECK));
        let check = self.hex_check(&body);
        body + &check
    }

    /// A uid keeps its form, for a static pod's (a hash without dashes) means something else than a UUID.
    pub(super) fn uid(&self, text: &str) -> String {
        if self.is_mine(text) {
            return text.to_owned();
        }
        if is_id(text) {
            return self.hex(text, text.len());
        }
        let hex = self.hex(text, 32);
        if !text.contains('-') {
            return hex;
        }
        let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default();
        [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-")
    }

    /// A node is a member of its pool: `diff` groups by it.
    fn node(&self, node: &str) -> String {
        let pool = node_pool(node);
        let token = self.token(&pool);
        if pool == node {
            return format!("node-{token}");
        }
        let own = self.hash(Use::Node, node);
        format!("node-{token}-{}-{}", digits(own, SAFE, PART), digits(own >> 64, SAFE, PART))
    }

    /// Addresses that every machine has stay.
    pub(super) fn address(&self, address: IpAddr) -> IpAddr {
        let hash = self.hash(Use::Address, &address.to_string());
        let [a, b, c, d, e, f, ..] = hash.to_le_bytes();
        match address {
            same if same.is_loopback() || same.is_unspecified() => same,
            IpAddr::V4(_) => Ipv4Addr::new(10, a, b, c).into(),
            IpAddr::V6(_) => {
                let part = |high: u8, low: u8| u16::from_be_bytes([high, low]);
                Ipv6Addr::new(0xfd00, 0, 0, 0, 0, part(a, b), part(c, d), part(e, f)).into()
            }
        }
    }

    /// A host, with its port or without.
    pub(super) fn host(&self, text: &str, kind: Kind) -> String {
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') && port.parse::<u16>().is_ok() => (host, Some(port)),
            _ => (text, None),
        };
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let host = match bare.parse::<IpAddr>() {
            Ok(address) if bare == host => self.address(address).to_string(),
            Ok(address) => format!("[{}]", self.address(address)),
            Err(_) if words::is_public_host(host) || self.is_mine(host) => host.to_owned(),
            Err(_) => format!("{}{}", if kind == Kind::Registry { "reg-" } else { "host-" }, self.token(host)),
        };
        port.map_or(host.clone(), |port| format!("{host}:{port}"))
    }

    /// An image: its registry, its path, its tag and its digest, each by itself.
    fn image(&self, image: &str) -> String {
        let (name, digest) = image.split_once('@').map_or((image, None), |(name, digest)| (name, Some(digest)));
        let (registry, rest) = match name.split_once('/') {
            Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" || host.starts_with("reg-") => {
                (Some(host), rest)
            }
            _ => (None, name),
        };
        let (path, tag) = rest.rsplit_once(':').map_or((rest, None), |(path, tag)| (path, Some(tag)));
        if registry.is_none() && is_id(tag.unwrap_or_default()) {
            return self.digest(name);
        }
        let mut text = String::new();
        if let Some(registry) = registry {
            text.push_str(&self.host(registry, Kind::Registry));
            text.push('/');
        }
        text.push_str(&self.plain("image-", path));
        match tag {
            // What is there without a name identifies nothing.
            Some("latest") => text.push_str(":latest"),
            Some(tag) if self.is_mine(tag) => text.push_str(&format!(":{tag}")),
            // Of the image and the tag: tags alone could be guessed by how often they occur.
            Some(tag) => text.push_str(&format!(":tag-{}", self.token(&format!("{path}:{tag}")))),
            None => {}
        }
        if let Some(digest) = digest {
            text.push('@');
            text.push_str(&self.digest(digest));
        }
        text
    }

    fn digest(&self, digest: &str) -> String {
        match digest.split_once(':') {
            Some((algorithm @ ("sha256" | "sha512"), hex)) => format!("{algorithm}:{}", self.uid(hex)),
            _ => self.plain("x-", digest),
        }
    }

    /// A kind's word and the twelve characters.
    pub(super) fn plain(&self, prefix: &str, name: &str) -> String {
        if self.is_mine(name) { name.to_owned() } else { format!("{prefix}{}", self.token(name)) }
    }

    /// The pseudonym of a name. What every cluster has keeps its name.
    #[must_use]
    pub fn name(&self, kind: Kind, name: &str) -> String {
        if name.is_empty() || self.is_mine(name) {
            return name.to_owned();
        }
        match kind {
            Kind::Namespace if words::is_system_namespace(name) => name.to_owned(),
            Kind::Namespace => self.plain("ns-", name),
            Kind::Pod => self.plain("pod-", name),
            Kind::Node => self.node(name),
            Kind::Workload => self.plain("wl-", name),
            Kind::Container => self.plain("ctr-", name),
            Kind::Volume => self.plain("vol-", name),
            Kind::Object => self.plain("obj-", name),
            Kind::Image => self.image(name),
            Kind::Registry | Kind::Host => self.host(name, kind),
            Kind::Uid => self.uid(name),
            Kind::Path => self.path(name),
            Kind::Other => self.plain("x-", name),
        }
    }
}
