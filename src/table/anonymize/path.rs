//! Paths and addresses → pseudonyms, part by part: files of one folder still lie in one folder.

use super::name::{is_id, is_uuid};
use super::words;
use super::{Anonymizer, Kind};

impl Anonymizer {
    /// A path, or the address of a server.
    pub(super) fn path(&self, path: &str) -> String {
        if path.contains("://") {
            return self.url(path);
        }
        let mut before = "";
        let mut parts = Vec::new();
        for part in path.split('/') {
            parts.push(self.part(part, before));
            before = part;
        }
        parts.join("/")
    }

    fn part(&self, part: &str, before: &str) -> String {
        // A volume's name follows its plugin.
        if before.starts_with("kubernetes.io~") {
            return self.name(Kind::Volume, part);
        }
        if words::is_plain_part(part) || self.is_mine(part) {
            return part.to_owned();
        }
        if is_uuid(part) || is_id(part) { self.uid(part) } else { self.plain("path-", part) }
    }

    /// An address; in that of the API server namespaces and names follow the words for them.
    pub(super) fn url(&self, url: &str) -> String {
        let Some((scheme, rest)) = url.split_once("://") else { return self.path(url) };
        let scheme = if scheme.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b':') {
            scheme.into()
        } else {
            self.plain("x-", scheme)
        };
        let (rest, query) = rest.split_once(['?', '#']).map_or((rest, None), |(rest, query)| (rest, Some(query)));
        let (host, path) = rest.split_once('/').map_or((rest, None), |(host, path)| (host, Some(path)));
        let mut text =
            format!("{scheme}://{}", if host.is_empty() { String::new() } else { self.host(host, Kind::Host) });
        let mut before = "";
        for part in path.into_iter().flat_map(|path| path.split('/')) {
            text.push('/');
            let shown = match before {
                "namespaces" => self.name(Kind::Namespace, part),
                "pods" => self.name(Kind::Pod, part),
                "nodes" => self.name(Kind::Node, part),
                _ if words::is_collection(before) && part != "default" => self.name(Kind::Other, part),
                _ if words::is_api_part(part) => part.to_owned(),
                _ => self.part(part, ""),
            };
            text.push_str(&shown);
            // What follows a name is no name's.
            before = if words::is_collection(before) { "" } else { part };
        }
        if let Some(query) = query {
            text.push('?');
            text.push_str(&if words::is_known(query) || words::is_identifier(query) {
                query.to_owned()
            } else {
                self.plain("x-", query)
            });
        }
        text
    }

    /// What is in a volume's unique name: plugin, driver and handle.
    pub(super) fn plugin(&self, plugin: &str) -> String {
        let (known, rest) = match plugin.match_indices('/').nth(1) {
            Some((at, _)) => plugin.split_at_checked(at).unwrap_or((plugin, "")),
            None => (plugin, ""),
        };
        if !words::is_plugin(known) {
            return self.name(Kind::Other, plugin);
        }
        let Some(rest) = rest.strip_prefix('/') else { return known.to_owned() };
        let shown = match (rest.split_once('^'), rest.split_at_checked(36)) {
            (Some((driver, handle)), _) => format!("{}^{}", self.driver(driver), self.name(Kind::Volume, handle)),
            (None, Some((uid, name))) if is_uuid(uid) && name.starts_with('-') => {
                format!("{}-{}", self.uid(uid), self.name(Kind::Volume, name.strip_prefix('-').unwrap_or(name)))
            }
            _ if known.ends_with("/csi") => self.driver(rest),
            _ => self.name(Kind::Volume, rest),
        };
        format!("{known}/{shown}")
    }

    fn driver(&self, driver: &str) -> String {
        if words::is_public_driver(driver) { driver.to_owned() } else { self.name(Kind::Other, driver) }
    }
}
