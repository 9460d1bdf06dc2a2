//! An image credential provider took long before pulls.

use super::{Advice, Cause, Evidence};
use crate::model::phase::Phase;
use crate::model::time::Nanos;

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "credential-provider-slow",
    title: "An image credential provider took long before pulls.",
    advice: &[Advice::new(0, "the provider's cache duration in its answer (cacheDuration, cacheKeyType: Registry); its network path").side_effect("credentials live longer")],
    text: "\
What it means
The kubelet runs the credential provider's program before a pull whose registry it matches, unless its last answer is still cached.

How it is recognised
kubelet_credential_provider_plugin_duration: more than half a second for a start.

What to do
Let the provider answer with a longer cacheDuration for the registry; look at the metadata service it asks.

When it misleads
It lies in what metrics show as image wait: the seconds are the same ones.
",
    baseline: Nanos(0),
    threshold: Nanos(0),
    rationale: "half a second of a mean start, a tenth of the SLO, is worth a line",
    shown_by: &[Evidence::KubeletMetrics],
    phases: &[Phase::ImageWait],
    counts_as_loss: true,
    check: |_| None,
};
