//! The tracker's memory has a bound: it follows a log without end, in which pods come, restart for ever and are never removed.

use std::io::Read;

use podlag::internals::input::{ChunkLimits, Chunks};
use podlag::internals::parse;
use podlag::internals::parse::calendar::{Clock, Hints};
use podlag::internals::parse::grammar::Grammars;
use podlag::internals::track::{self, Tracker};

/// A log that never ends: each pod is new, and so is every sandbox, container and uid.
#[derive(Default)]
struct Endless {
    pod: u64,
    text: Vec<u8>,
}

impl Endless {
    fn pod(&mut self) {
        self.pod += 1;
        let (pod, seconds) = (self.pod, self.pod / 100);
        let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        let head = format!("1123 {hour:02}:{minute:02}:{second:02}.{:06}    1", pod % 100 * 10_000);
        let uid = format!("{pod:08x}-1bad-4bad-8bad-0123456789ab");
        let mut line = |level: char, rest: String| self.text.extend(format!("{level}{head} {rest}\n").into_bytes());
        if pod == 1 {
            line('I', "kubelet.go:1] \"SyncLoop ADD\" source=\"api\" pods=[\"shop/loop\"]".into());
        }
        line('I', format!("kubelet.go:1] \"SyncLoop ADD\" source=\"api\" pods=[\"shop/web-{pod}\"]"));
        line('I', format!("a.go:1] \"SyncPod enter\" pod=\"shop/web-{pod}\" podUID=\"{uid}\""));
        for (name, id) in
            [(format!("web-{pod}"), uid.as_str()), ("loop".into(), "10000000-1bad-4bad-8bad-0123456789ab")]
        {
            line(
                'I',
                format!(
                    "kubelet.go:1] \"SyncLoop (PLEG): event for pod\" pod=\"shop/{name}\" event={{\"ID\":\"{id}\",\"Type\":\"ContainerStarted\",\"Data\":\"{pod:064x}\"}}"
                ),
            );
        }
        // A static pod whose manifest changes without end.
        line('I', format!("a.go:1] \"SyncPod enter\" pod=\"kube-system/etcd\" podUID=\"{pod:032x}\""));
        line('I', "request.go:1] \"Waited before sending request\" delay=\"1.1s\" reason=\"client-side throttling\" verb=\"GET\" URL=\"https://a/b\"".into());
        line('I', format!("flags.go:64] FLAG: --flag-{pod}=\"1\""));
        if pod.is_multiple_of(500) {
            line('I', "server.go:1] \"Kubelet version\" kubeletVersion=\"v1.36.3\"".into());
        }
        if pod.is_multiple_of(3) {
            line(
                'I',
                format!(
                    "t.go:1] \"Observed pod startup duration\" pod=\"shop/web-{pod}\" podStartSLOduration=2.5 podStartE2EDuration=\"2.5s\" podCreationTimestamp=\"2026-11-23 {hour:02}:{minute:02}:{second:02} +0000 UTC\" watchObservedRunningTime=\"2026-11-23 {hour:02}:{minute:02}:{second:02}.5 +0000 UTC m=+9.1\""
                ),
            );
        }
    }
}

impl Read for Endless {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        while self.text.len() < into.len().min(1 << 16) {
            self.pod();
        }
        let read = (self.text.as_slice()).read(into)?;
        self.text.drain(..read);
        Ok(read)
    }
}

mod slow {
    use super::*;

    #[test]
    fn a_log_without_end_takes_no_more_memory_with_time() {
        let grammars = Grammars::load(&[]).expect("the built-in grammars load");
        let limits = track::Limits { open: 300, remembered: 1000, ..track::Limits::default() };
        let (mut tracker, mut clock) =
            (Tracker::new(limits), Clock::new(Hints { year: Some(2026), ..Hints::default() }));
        let node = tracker.node("node-1", Some("node-1"));
        let chunks =
            Chunks::new(0, "endless", Endless::default(), ChunkLimits { chunk: 1 << 16, ..ChunkLimits::default() });
        let (mut held, mut startups, mut lines) = (Vec::new(), 0, 0);
        // 40,000 pods and more; what has a bound of 8,192 has reached it after a fifth of them.
        for chunk in chunks.take(700) {
            let chunk = chunk.expect("it never fails");
            let parsed = parse::chunk(&grammars, &chunk.text, chunk.end, chunk.source, 1 + lines);
            lines += parsed.lines;
            for record in parsed.records {
                clock.learn(&record);
                let time = clock.time(&record).expect("a dated line");
                tracker.push(record, time, node);
            }
            startups += tracker.take().len();
            held.push(tracker.held());
        }
        assert!(startups > 35_000, "{startups}");
        let (early, late) = held.split_at(held.len() / 3);
        let most = |held: &[usize]| held.iter().max().copied().unwrap_or_default();
        assert!(most(late) <= most(early) + most(early) / 50, "{} things, later {}", most(early), most(late));
        tracker.finish();
        let counts = &tracker.counts;
        assert!(counts.capped > 10_000, "{counts:?}");
    }
}
