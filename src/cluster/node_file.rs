//! A file that a kubelet serves below `/var/log`, of which parts are asked for by their place.

use std::io::{self, Read};

use super::MAX_ATTEMPTS;
use super::error::unexpected;
use crate::input::BytesAt;
use crate::web::{Client, HttpError, HttpErrorKind, HttpResponse};

/// See the module.
pub(super) struct NodeFile {
    client: Client,
    url: String,
    len: u64,
}

/// What the first question for a part of a file brings.
pub(super) enum Opened {
    /// Parts can be asked for. This is the first, which may be shorter than was wished.
    Parts(NodeFile, Vec<u8>),
    /// The server gives all that there is, whatever is asked for. This is the beginning, and the rest follows.
    Whole(Vec<u8>, HttpResponse),
}

impl NodeFile {
    /// Asks for so many bytes of the beginning.
    pub(super) fn open(client: &Client, url: String, first: usize) -> Result<Opened, HttpError> {
        let mut attempt = 0;
        loop {
            match Self::open_once(client, &url, first) {
                Err(error) if error.kind == HttpErrorKind::Truncated && attempt < MAX_ATTEMPTS => attempt += 1,
                opened => return opened,
            }
        }
    }

    fn open_once(client: &Client, url: &str, first: usize) -> Result<Opened, HttpError> {
        let mut response = client.open_range(url, &format!("bytes=0-{}", first.saturating_sub(1)))?;
        let part = response.content_range.as_deref().filter(|_| response.status == 206).map(part);
        let mut bytes = Vec::new();
        response.by_ref().take(first as u64).read_to_end(&mut bytes).map_err(super::error::of_read)?;
        match part {
            None => Ok(Opened::Whole(bytes, response)),
            Some(Some((0, len))) => {
                Ok(Opened::Parts(NodeFile { client: client.clone(), url: url.to_owned(), len }, bytes))
            }
            Some(_) => Err(unexpected(url, "the kubelet gave another part of the file than was asked for")),
        }
    }

    fn read_once(&self, offset: u64, into: &mut [u8]) -> Result<(), HttpError> {
        let last = offset.saturating_add(into.len() as u64).saturating_sub(1);
        let mut response = self.client.open_range(&self.url, &format!("bytes={offset}-{last}"))?;
        let begins = response.content_range.as_deref().and_then(part).map(|(begin, _)| begin);
        if response.status != 206 || begins != Some(offset) {
            return Err(unexpected(&self.url, "the kubelet gave another part of the file than was asked for"));
        }
        response.read_exact(into).map_err(super::error::of_read)
    }
}

impl BytesAt for NodeFile {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        let mut attempt = 0;
        loop {
            match self.read_once(offset, into) {
                Err(error) if error.kind == HttpErrorKind::Truncated && attempt < MAX_ATTEMPTS => attempt += 1,
                read => return read.map_err(io::Error::other),
            }
        }
    }

    fn size(&self) -> u64 {
        self.len
    }
}

/// Where a part begins and how long the whole is: of `bytes 0-99/1234`.
fn part(header: &str) -> Option<(u64, u64)> {
    let (range, len) = header.strip_prefix("bytes ")?.split_once('/')?;
    let (begin, _) = range.split_once('-')?;
    Some((begin.trim().parse().ok()?, len.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::part;

    #[test]
    fn a_part_says_where_it_begins() {
        assert_eq!(part("bytes 0-4095/339596"), Some((0, 339_596)));
        assert_eq!(part("bytes 65536-65540/65541"), Some((65_536, 65_541)));
        for wrong in
            ["", "bytes", "bytes */10", "bytes 0-1/*", "lines 0-1/2", "bytes -1/2", "bytes 99999999999999999999-1/2"]
        {
            assert_eq!(part(wrong), None, "{wrong}");
        }
    }
}
