//! Names of files as short as they can be told apart.

/// The end of a path that no other of the inputs has: `kubelet.log` where there is one, `node-1/kubelet.log` where there are more.
pub(super) fn unique<'a>(path: &'a str, inputs: &[String]) -> &'a str {
    let ends = |input: &str, end: &str| {
        input.strip_suffix(end).is_some_and(|before| before.is_empty() || before.ends_with(['/', '!']))
    };
    let mut at = path.len();
    while let Some(slash) = path.get(..at).and_then(|before| before.rfind('/')) {
        let end = path.get(slash + 1..).unwrap_or(path);
        if !end.is_empty() && !inputs.iter().any(|input| input != path && ends(input, end)) {
            return end;
        }
        at = slash;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_as_long_as_it_must_be() {
        let all =
            ["logs/a/kubelet.log", "logs/b/kubelet.log", "old/b/kubelet.log", "logs/containerd.log", "my-kubelet.log"];
        let inputs = all.map(str::to_owned);
        let short = all.map(|path| unique(path, &inputs));
        assert_eq!(
            short,
            ["a/kubelet.log", "logs/b/kubelet.log", "old/b/kubelet.log", "containerd.log", "my-kubelet.log"]
        );
        assert_eq!(unique("elsewhere/kubelet.log", &inputs), "elsewhere/kubelet.log");
        assert_eq!(
            unique("logs/a/kubelet.log", &[]),
            "kubelet.log",
            "a table may name inputs that its report does not"
        );
        assert_eq!(["", "/", "a/"].map(|path| unique(path, &inputs)), ["", "/", "a/"]);
    }
}
