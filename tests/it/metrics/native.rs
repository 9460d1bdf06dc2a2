//! Native histograms: a real Prometheus server scrapes one in its protobuf form, and podlag reads it back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;

use super::real::Prometheus;
use crate::support::podlag;
use crate::web::server::{Server, answer};

/// The protobuf wire format, as much of it as a page needs (prometheus/client_model, metrics.proto).
fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn whole(field: u64, number: u64) -> Vec<u8> {
    let mut out = Vec::new();
    varint(field << 3, &mut out);
    varint(number, &mut out);
    out
}

fn double(field: u64, number: f64) -> Vec<u8> {
    let mut out = Vec::new();
    varint(field << 3 | 1, &mut out);
    out.extend(number.to_le_bytes());
    out
}

fn message(field: u64, inner: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    varint(field << 3 | 2, &mut out);
    varint(inner.len() as u64, &mut out);
    out.extend(inner);
    out
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

const GAUGE: u64 = 1;
const HISTOGRAM: u64 = 4;

fn family(name: &str, kind: u64, metric: &[u8]) -> Vec<u8> {
    let inner = [message(1, name.as_bytes()), whole(3, kind), message(4, metric)].concat();
    let mut out = Vec::new();
    varint(inner.len() as u64, &mut out);
    out.extend(inner);
    out
}

/// A native histogram of schema 0 (each bucket's bound is twice the one before): so many values up to 1, 2, 4, 8 and so on.
fn histogram(buckets: &[i64], sum: f64) -> Vec<u8> {
    let count: i64 = buckets.iter().sum();
    let mut deltas = Vec::new();
    buckets.iter().fold(0, |before, bucket| {
        varint(zigzag(bucket - before), &mut deltas);
        *bucket
    });
    let span = [whole(1, zigzag(0)), whole(2, buckets.len() as u64)].concat();
    let inner = [
        whole(1, count as u64),
        double(2, sum),
        whole(5, zigzag(0)),
        double(6, 1e-6),
        whole(7, 0),
        message(12, &span),
        message(13, &deltas),
    ];
    message(7, &inner.concat())
}

fn page(buckets: &[i64], sum: f64) -> Vec<u8> {
    let start = message(2, &double(1, 1_795_460_453.0));
    [
        family("kubelet_pod_start_sli_duration_seconds", HISTOGRAM, &histogram(buckets, sum)),
        family("kubelet_pod_start_total_duration_seconds", HISTOGRAM, &histogram(buckets, sum)),
        family("process_start_time_seconds", GAUGE, &start),
    ]
    .concat()
}

mod external {
    use super::*;

    #[test]
    fn native_histograms_are_read() {
        let later = Arc::new(AtomicBool::new(false));
        let target = {
            let later = Arc::clone(&later);
            Server::plain(move |_, _| {
                let head = "Content-Type: application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited\r\n";
                // 6 within 4 s, 3 more within 8 s, 1 within 16 s; 4 of the first were there before.
                let page =
                    if later.load(Ordering::Relaxed) { page(&[1, 2, 7, 3, 1], 40.0) } else { page(&[1, 1, 2], 10.0) };
                answer("200 OK", head, page)
            })
        };
        let config = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs:\n- job_name: kubelet\n  static_configs:\n  - targets: ['{}']\n    labels: {{node: native}}\n",
            target.at
        );
        let server = Prometheus::start(tempfile::tempdir().unwrap(), &config, &["--enable-feature=native-histograms"]);
        let scraped = |times: usize| {
            (0..300).any(|_| {
                std::thread::sleep(Duration::from_millis(100));
                target.seen().len() >= times
            })
        };
        assert!(scraped(3));
        later.store(true, Ordering::Relaxed);
        let now = target.seen().len();
        assert!(scraped(now + 3));
        let output = podlag().arg(&server.url).args(["--window", "30s", "--format", "json"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let node = &report["metrics"]["nodes"][0];
        assert_eq!((node["startups"].as_f64(), node["slo_s"]["mean_s"].as_f64()), (Some(10.0), Some(3.0)), "{node:#}");
        assert_eq!((&node["slo_s"]["p50_s"]["low"], &node["slo_s"]["p50_s"]["high"]), (&2.0.into(), &4.0.into()));
        let within: Vec<f64> =
            node["slo_s"]["within_5s"].as_array().unwrap().iter().map(|share| share.as_f64().unwrap()).collect();
        assert_eq!(
            within,
            [0.6, 0.9],
            "5 s is no bound of a native histogram: the share lies between those at 4 and 8 s"
        );
    }
}
