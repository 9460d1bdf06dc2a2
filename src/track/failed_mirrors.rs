//! Which pull a line about a registry host is about. containerd asks the hosts of a registry in turn, its mirrors first, and
//! writes a line for each that does not serve the image (`core/remotes/docker/resolver.go`): with the address where the request
//! failed, with the host alone where the answer was an error.

/// An image as it is asked for: its registry, its path there, and its tag or digest.
struct Reference<'a> {
    registry: &'a str,
    path: &'a str,
    version: &'a str,
}

impl<'a> Reference<'a> {
    fn of(image: &'a str) -> Self {
        let is_host = |first: &&str| first.contains(['.', ':']) || *first == "localhost";
        let registry = image.split_once('/').map(|(first, _)| first).filter(is_host);
        let rest = registry.and_then(|host| image.get(host.len() + 1..)).unwrap_or(image);
        let (tagged, digest) = rest.split_once('@').map_or((rest, None), |(tagged, digest)| (tagged, Some(digest)));
        let (path, tag) = tagged.rsplit_once(':').unwrap_or((tagged, "latest"));
        Reference { registry: registry.unwrap_or("docker.io"), path, version: digest.unwrap_or(tag) }
    }
}

/// Whether a host is a mirror of an image's registry, and not the registry.
pub(super) fn is_mirror(host: &str, image: &str) -> bool {
    let registry = Reference::of(image).registry;
    host != registry && !(registry == "docker.io" && host == "registry-1.docker.io")
}

/// The address of the request in an error of containerd: `failed to do request: Head "https://…": …`.
pub(super) fn address(error: &str) -> Option<&str> {
    let from = error.find("\"http")? + 1;
    error.get(from..)?.split('"').next()
}

/// Whether a request is for this image. A mirror may have a path of its own before the image's.
pub(super) fn asks_for(address: &str, image: &str) -> bool {
    let Reference { registry, path, version } = Reference::of(image);
    let address = address.split('?').next().unwrap_or(address);
    let asked = address
        .strip_suffix(version)
        .and_then(|rest| rest.strip_suffix("/manifests/").or_else(|| rest.strip_suffix("/blobs/")));
    // Docker Hub's own images are in `library`.
    let folder = if registry == "docker.io" && !path.contains('/') { "/library/" } else { "/" };
    asked.and_then(|asked| asked.strip_suffix(path)).is_some_and(|before| before.ends_with(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_for_the_image_that_its_address_names() {
        let dead = r#"failed to do request: Head "https://mirror.test:81/v2/library/app/manifests/v1?ns=docker.io": dial tcp 192.0.2.1:81: i/o timeout"#;
        let asked = address(dead).expect("an address");
        for image in ["app:v1", "docker.io/app:v1", "docker.io/library/app:v1"] {
            assert!(asks_for(asked, image), "{image}");
        }
        for image in ["app:v2", "app", "other:v1", "team/app:v1", "reg.test/my-app:v1", "my-app:v1"] {
            assert!(!asks_for(asked, image), "{image}");
        }
        let cache = "https://harbor.test/v2/hub-cache/team/app/manifests/sha256:0123";
        assert!(asks_for(cache, "reg.test:5000/team/app:v1@sha256:0123"));
        assert!(asks_for("https://m.test/v2/team/app/manifests/latest", "team/app"));
        assert_eq!(address("pull access denied"), None);
        assert_eq!(address("\"http"), Some("http"));
    }

    #[test]
    fn a_registry_is_no_mirror_of_itself() {
        assert!(is_mirror("mirror.test", "app:v1"));
        assert!(!is_mirror("registry-1.docker.io", "app:v1"));
        assert!(!is_mirror("reg.test:5000", "reg.test:5000/team/app:v1"));
        assert!(is_mirror("registry-1.docker.io", "reg.test/app"));
        assert!(is_mirror("127.0.0.1:5001", "localhost/app"));
    }
}
