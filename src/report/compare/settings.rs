//! Settings of the kubelets that differ between two sides, as far as the inputs show them.

use std::collections::BTreeSet;

use crate::table::SettingLine;

/// A setting that is not the same on both sides.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct SettingChange {
    /// Its name.
    pub name: &'static str,
    /// Its values before, and on how many nodes; empty if no input shows it.
    pub before: Vec<SettingLine>,
    /// The same after.
    pub after: Vec<SettingLine>,
}

/// The settings whose known values differ.
pub(super) fn changes(before: &[SettingLine], after: &[SettingLine]) -> Vec<SettingChange> {
    let names: BTreeSet<&'static str> = before.iter().chain(after).map(|line| line.name).collect();
    let of = |side: &[SettingLine], name: &str| -> Vec<SettingLine> {
        side.iter().filter(|line| line.name == name).cloned().collect()
    };
    let values = |side: &[SettingLine]| side.iter().map(|line| line.value.clone()).collect::<BTreeSet<_>>();
    let change = |name: &'static str| SettingChange { name, before: of(before, name), after: of(after, name) };
    names.into_iter().map(change).filter(|change| values(&change.before) != values(&change.after)).collect()
}
