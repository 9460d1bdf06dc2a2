//! How many startups the kubelet counted, and how long they took by its own histograms.

use super::families::name;
use super::histogram::{Bounds, Histogram};
use super::window::Window;

/// The tracker's difference between zero times saturates: this much is added to the value of a start whose pull never ended
/// for the tracker (kubernetes issues 114903 and 130432). As the record has it: -2^63 ns.
const OVERFLOW_S: f64 = 9_223_372_036.854_776;
/// The bound of the SLO, seconds.
pub(super) const SLO_S: f64 = 5.0;

/// The startups that metrics count.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StartupStats {
    /// How many the kubelet recorded.
    pub count: f64,
    /// Of these, how many it took for stateful; none where its SLI does not leave them out.
    pub stateful: Option<f64>,
    /// Pods that got a sandbox, recorded or not.
    pub sandboxed: Option<f64>,
    /// Mean seconds from creation to watched.
    pub mean_s: Option<f64>,
    /// Whether `mean_s` is the kubelet's own, not derived here.
    pub mean_is_exact: bool,
    /// The kubelet's SLI, overflowed values taken out of its sum.
    pub sli: Option<Histogram>,
    /// Created → watched.
    pub total: Option<Histogram>,
    /// Values of the SLI that are about -9.22e9 s, in its first bucket: their true value is unknown.
    pub overflowed: f64,
}

impl StartupStats {
    /// The startups of a window. None where it has neither family.
    #[must_use]
    pub fn from_window(window: &Window) -> Option<Self> {
        let sli = window.histogram(name::SLI, "");
        let total = window.histogram(name::TOTAL, "");
        if sli.is_none() && total.is_none() {
            return None;
        }
        let negative = sli.as_ref().map_or(0.0, |sli| -sli.sum.min(0.0));
        let overflowed = (negative / OVERFLOW_S).round();
        let sli = sli.map(|sli| {
            let sum = sli.sum + overflowed * OVERFLOW_S;
            sli.with_sum(sum)
        });
        let count = total.as_ref().map_or(0.0, |total| total.count).max(sli.as_ref().map_or(0.0, |sli| sli.count));
        let calls = window.sum(name::RUNTIME, "run_podsandbox").map(|(_, count)| count);
        let failed = window.counter(name::RUNTIME_ERRORS, "run_podsandbox").unwrap_or(0.0);
        let pulled = window.sum(name::RUNTIME, "pull_image").is_some_and(|(_, count)| count > 0.0);
        let (mean_s, mean_is_exact) = match (&total, &sli) {
            (Some(total), _) => (total.mean(), true),
            // In 1.26 a start with a pull overflows, and its repaired value is the total; without pulls the SLI is the total.
            (None, Some(sli)) => (sli.mean(), !pulled || overflowed > 0.0),
            (None, None) => (None, false),
        };
        Some(StartupStats {
            count,
            stateful: total.as_ref().zip(sli.as_ref()).map(|(total, sli)| (total.count - sli.count).max(0.0)),
            sandboxed: calls.map(|calls| (calls - failed).max(0.0)),
            mean_s,
            mean_is_exact,
            sli,
            total,
            overflowed,
        })
    }

    /// The pods that seconds of operations are shared by: those that got a sandbox, else those recorded.
    #[must_use]
    pub fn pods(&self) -> f64 {
        self.sandboxed.filter(|pods| *pods > 0.0).unwrap_or(self.count)
    }

    /// The share of starts whose SLI value is within the SLO: between these two, which are equal unless values overflowed.
    #[must_use]
    pub fn share_within_slo(&self) -> Option<(f64, f64)> {
        let sli = self.sli.as_ref()?;
        let (low, high) = sli.share_le(SLO_S)?;
        Some(((low - self.overflowed / sli.count).max(0.0), high))
    }

    /// The bounds of a quantile of the SLI. Overflowed values are counted in the first bucket and may be anything: the bounds
    /// hold wherever they belong, the point leaves them out.
    #[must_use]
    pub fn sli_quantile(&self, q: f64) -> Option<Bounds> {
        let sli = self.sli.as_ref()?;
        let plain = sli.quantile(q)?;
        if self.overflowed <= 0.0 {
            return Some(plain);
        }
        let highest = q * sli.count + self.overflowed;
        let high =
            if highest > sli.count { None } else { sli.quantile(highest / sli.count).and_then(|found| found.high) };
        let sound = (self.overflowed + q * (sli.count - self.overflowed)) / sli.count;
        let point = sli.quantile(sound).map_or(plain.point, |found| found.point);
        Some(Bounds { low: plain.low, high, point })
    }
}
