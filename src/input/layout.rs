//! Which folder stands for the node of a file. Files of one folder are of one node; a node's own folders, copied as they are or by a
//! collector, are several.
//!
//! To add a layout: a row in [`LAYOUTS`].

use std::path::{Component, Path, PathBuf};

/// Folders of one node, below the folder that stands for it; `*` is any one name. Where no line names a node, its logs in these folders
/// belong together. A folder that is not here stands for a node itself: `nodes/NAME` of must-gather, `NAME` of `kind export logs`.
const LAYOUTS: &[&[&str]] = &[
    // A node's own folders: sosreports, AKS' collector, copies.
    &["var", "log"],
    &["var", "log", "containers"],
    &["var", "log", "pods", "*", "*"],
    &["var", "log", "journal", "*"],
    &["run", "log", "journal", "*"],
    // k3s and RKE2 write the logs of their parts apart.
    &["var", "lib", "rancher", "*", "agent", "containerd"],
    &["var", "lib", "rancher", "*", "agent", "logs"],
    // What commands print in a sosreport, by its plugins.
    &["sos_commands", "*"],
    // Rancher's logs-collector.
    &["rke2", "agent-logs"],
];

/// The folder that stands for the node of what lies in `folder`.
#[must_use]
pub fn node_folder(folder: &Path) -> PathBuf {
    let parts: Vec<Component<'_>> = folder.components().collect();
    let above = LAYOUTS.iter().find_map(|layout| {
        let above = parts.len().checked_sub(layout.len())?;
        let fits = |(part, name): (&Component<'_>, &&str)| match part {
            Component::Normal(part) => *name == "*" || **part == **name,
            _ => false,
        };
        parts.iter().skip(above).zip(*layout).all(fits).then_some(above)
    });
    match above {
        Some(above) => parts.iter().take(above).collect(),
        None => folder.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_one_node_are_of_one_node() {
        for layout in LAYOUTS {
            for root in ["", "/", "/tmp/node-1", "logs/node-1", "../node-1"] {
                let folder = Path::new(root).join(layout.join("/").replace('*', "shop_web_1f"));
                assert_eq!(node_folder(&folder), Path::new(root), "{}", folder.display());
            }
        }
    }

    #[test]
    fn other_folders_stand_for_themselves() {
        for folder in ["", "logs", "nodes/node-1", "kind/node-1", "host_service_logs/masters", "/var/log/remote/node-1"]
        {
            assert_eq!(node_folder(Path::new(folder)), Path::new(folder));
        }
    }
}
