//! Writes the inputs that fuzzing begins with: `seeds FOLDER` fills `FOLDER/TARGET/` for every target, and `FOLDER/words.dict`.
//! They are cut from the samples and the grammars' examples: one line of each kind, not whole logs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "without seeds there is nothing to do")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// How many lines of one kind are kept of one sample.
const OF_A_KIND: usize = 2;
/// The longest seed, in bytes.
const LONGEST: usize = 3_000;

// Without podlag, whose counters only libFuzzer can take.
fn main() {
    let folder = PathBuf::from(std::env::args_os().nth(1).expect("a folder"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut seeds = Seeds { folder, written: BTreeSet::new() };
    let (examples, literals) = grammars(&root);
    let logs = logs(&root);
    seeds.lines(&examples, &logs);
    seeds.texts(&root);
    seeds.metrics(&root);
    seeds.words(&examples, &literals);
    println!("{} seeds", seeds.written.len());
}

struct Seeds {
    folder: PathBuf,
    written: BTreeSet<PathBuf>,
}

impl Seeds {
    /// One seed; behind `lead`, which sets how it is read.
    fn add(&mut self, target: &str, lead: &[u8], text: &[u8]) {
        let folder = self.folder.join(target);
        fs::create_dir_all(&folder).expect("the folder can be made");
        let number = self.written.iter().filter(|path| path.starts_with(&folder)).count();
        let path = folder.join(format!("{number:04}"));
        fs::write(&path, [lead, text].concat()).expect("the folder takes it");
        self.written.insert(path);
    }

    fn lines(&mut self, examples: &[String], logs: &[Vec<u8>]) {
        for line in examples {
            self.add("frame", b"\0", line.as_bytes());
            self.add("record", b"\0", line.as_bytes());
            self.add("anonymize", b"\0\x40", line.as_bytes());
            values(line).iter().for_each(|value| self.add("value", b"", value.as_bytes()));
        }
        // All messages of a grammar together are a startup of some kind.
        for some in examples.chunks(12) {
            self.add("startup", b"\x03", some.join("\n").as_bytes());
        }
        let mut whole: Vec<Vec<u8>> = Vec::new();
        for (number, text) in logs.iter().enumerate() {
            let few = few(text);
            if number % 4 == 0 {
                few.split(|byte| *byte == b'\n').for_each(|line| self.add("frame", b"\x01", line));
                self.add("record", b"\x02", &few);
            }
            self.add("startup", b"\x07", &few);
            for pod in pods(text) {
                self.add("startup", b"\x07", &pod);
                if whole.len() < 12 {
                    whole.push(pod);
                }
            }
        }
        for (number, text) in whole.iter().enumerate() {
            self.add("analysis", &[u8::try_from(number).expect("few")], text);
        }
        for pair in whole.chunks_exact(2).take(4) {
            self.add("analysis", b"\x09", &pair.join(&0x1e));
        }
    }

    /// Pods and events as kubectl writes them for people.
    fn texts(&mut self, root: &Path) {
        for file in ["described-pods", "tables-of-events"] {
            let text = fs::read(root.join("tests/fuzz/cases/analysis").join(file)).expect("a text");
            self.add("analysis", b"", &text);
        }
    }

    fn metrics(&mut self, root: &Path) {
        for case in ["metrics-quiet", "metrics-containers-throttled", "metrics-registry-slow"] {
            let mut pages = Vec::new();
            for entry in sorted(&root.join("tests/causes").join(case)) {
                let text = fs::read(&entry).expect("a page");
                let part = &text[..text.len().min(LONGEST)];
                self.add("exposition", b"\x40", part);
                pages.push(text);
            }
            pages.truncate(2);
            self.add("analysis", b"\x20", &pages.join(&0x1e));
        }
        for text in EXPOSITIONS {
            self.add("exposition", b"\x05", text.as_bytes());
        }
        JOURNALS.iter().for_each(|patches| self.add("journal", b"", patches));
        ARCHIVES.iter().for_each(|patches| self.add("archive", b"", patches));
        ANSWERS.iter().for_each(|text| self.add("answer", b"", text.as_bytes()));
        EXPRESSIONS.iter().for_each(|text| self.add("expression", b"", text.as_bytes()));
        SETTINGS.iter().for_each(|text| self.add("setting", b"", text.as_bytes()));
    }

    /// The dictionary: what the search looks for, and the keys of lines.
    fn words(&mut self, examples: &[String], literals: &[String]) {
        let mut words: BTreeSet<String> = literals.iter().cloned().collect();
        for line in examples {
            let keys = line.split(' ').filter_map(|word| word.split_once('='));
            words.extend(keys.map(|(key, _)| format!(" {key}=")).filter(|key| key.len() < 40));
        }
        words.extend(
            ["pod=\"shop/web-1\"", "\n", "\u{1e}", "serializeImagePulls", "\"metric\":", "_bucket{le=\"", "\\u00"]
                .map(str::to_owned),
        );
        let escaped = |byte: u8| match byte {
            b'"' | b'\\' => format!("\\{}", char::from(byte)),
            b' '..=b'~' => char::from(byte).to_string(),
            byte => format!("\\x{byte:02x}"),
        };
        let line = |word: &String| format!("\"{}\"\n", word.bytes().map(escaped).collect::<String>());
        let text: String = words.iter().map(line).collect();
        fs::write(self.folder.join("words.dict"), text).expect("the folder takes it");
    }
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

/// The lines that the grammars give as examples, and their literals.
fn grammars(root: &Path) -> (Vec<String>, Vec<String>) {
    let (mut lines, mut literals) = (Vec::new(), Vec::new());
    let text = |value: &toml::Value| value.as_str().expect("a text").to_owned();
    for path in sorted(&root.join("grammars")).iter().filter(|path| path.extension().is_some_and(|is| is == "toml")) {
        let file: toml::Table = fs::read_to_string(path).expect("a grammar").parse().expect("TOML");
        for message in file["message"].as_array().expect("messages") {
            let of = |key: &str| message.get(key).and_then(toml::Value::as_array).cloned().unwrap_or_default();
            lines.extend(of("example").iter().chain(&of("reject")).map(|example| text(&example["line"])));
            literals.push(text(&message["literal"]));
        }
    }
    assert!(lines.len() > 60, "the grammars have examples: {}", lines.len());
    (lines, literals)
}

/// The samples' logs.
fn logs(root: &Path) -> Vec<Vec<u8>> {
    let mut logs = Vec::new();
    for sample in sorted(&root.join("samples")).iter().map(|sample| sample.join("in")).filter(|folder| folder.is_dir())
    {
        for path in sorted(&sample) {
            let bytes = fs::read(&path).expect("a log");
            let packed = path.extension().is_some_and(|is| is == "zst");
            let text = if packed { zstd::decode_all(&bytes[..]).expect("it unpacks") } else { bytes };
            logs.push(text);
        }
    }
    assert!(logs.len() > 40, "the samples are there: {}", logs.len());
    logs
}

/// Some lines of each kind; the kind of a line is its first letters that are no digits.
fn few(text: &[u8]) -> Vec<u8> {
    let mut kinds: std::collections::BTreeMap<Vec<u8>, usize> = std::collections::BTreeMap::new();
    let mut out = Vec::new();
    for line in text.split(|byte| *byte == b'\n').filter(|line| line.len() < 1_500) {
        let kind: Vec<u8> = line.iter().filter(|byte| !byte.is_ascii_digit()).skip(20).take(40).copied().collect();
        let seen = kinds.entry(kind).or_default();
        *seen += 1;
        if *seen <= OF_A_KIND && out.len() + line.len() < LONGEST {
            out.extend_from_slice(line);
            out.push(b'\n');
        }
    }
    out
}

/// The lines that name a pod, for the first pods that have a record.
fn pods(text: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8_lossy(text);
    let records = text.lines().filter(|line| line.contains("Observed pod startup duration"));
    let names: Vec<&str> =
        records.filter_map(|line| line.split("pod=\"").nth(1)?.split('"').next()?.split('/').nth(1)).take(2).collect();
    let of = |name: &&str| {
        let lines: Vec<&str> = text.lines().filter(|line| line.contains(*name) && line.len() < 1_500).collect();
        let text = lines.join("\n");
        text.get(..text.floor_char_boundary(LONGEST)).unwrap_or_default().as_bytes().to_vec()
    };
    names.iter().map(of).collect()
}

/// What stands behind the keys of a line, and the line.
fn values(line: &str) -> Vec<String> {
    let (text, rest) = line.split_once("\" ").unwrap_or(("", line));
    let ends = rest.match_indices(" ").map(|(at, _)| at).chain([rest.len()]);
    // A value may hold blanks: it goes from its key to each blank behind it.
    let keyed = rest.find('=').map(|at| at + 1);
    let mut all: Vec<String> = keyed
        .map(|from| ends.filter_map(|to| Some(rest.get(from..to)?.to_owned())).take(4).collect())
        .unwrap_or_default();
    all.extend(rest.split(' ').filter_map(|word| Some(word.split_once('=')?.1.to_owned())));
    all.extend([text.to_owned(), rest.to_owned()]);
    all.retain(|value| !value.is_empty());
    all
}

const EXPOSITIONS: [&str; 4] = [
    "# HELP a_b c\n# TYPE a_b histogram\na_b_bucket{le=\"0.5\",c=\"d\\\"e\\\\f\\n\"} 1\na_b_bucket{le=\"+Inf\"} 2\na_b_sum 3.5\na_b_count 2\n",
    "a_b{c=\"d\"} 1 1795460904000\nx 2\n# EOF\na_b 1 # {trace=\"x\"} 0.5 1.5\n# EOF\n",
    "{\"a.b\",\"c d\"=\"e\"} NaN\n{\"a.b\"} +Inf\nx:y{z=\"1\",} -Inf 5\n",
    "\u{feff}# TYPE a counter\r\na_total 1e-3\r\nno sample\n\x1b[31mbad\na 12",
];

/// Patches: the layout, the length of a header, the field's hash, its list, a compressed field, a file that is cut.
const JOURNALS: [&[u8]; 7] =
    [b"", b"\x0c\x00\x04", b"\x58\x00\x08", b"\x40\x01\xff", b"\x60\x01\x01", b"\x31\x01\x04", b"\xc0"];

/// Of a tar archive: a name, a size, a kind, a cut one; of a ZIP archive: a size, a place, the length of the list, a cut one.
const ARCHIVES: [&[u8]; 9] = [
    b"\0",
    b"\x01",
    b"\0\x00\x00.",
    b"\0\x7c\x007",
    b"\0\x9c\x00L",
    b"\0\x80",
    b"\x01\x16\x00\xff",
    b"\x01\x50\x01\xff",
    b"\x01\xf0",
];

const ANSWERS: [&str; 5] = [
    r#"{"status":"success","warnings":["a store is gone"],"data":{"resultType":"matrix","result":[{"metric":{"node":"a"},"values":[[1.5,"2"],[2.5,"+Inf"]]}]}}"#,
    r#"{"status":"success","data":{"result":[{"metric":{},"histogram":[3,{"count":"4","sum":"12.5","buckets":[[0,"1","2","3"],[3,"-0.5","0.5","1"]]}]}]}}"#,
    r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":null,"value":[1,2.5]},{"histograms":[[1,{"count":1,"sum":"NaN","buckets":null}],[2,{"count":"3","sum":"4","buckets":[[1,"0","1","3"]]}]]}]}}"#,
    r#"{"status":"error","errorType":"timeout","error":"query timed out\u001b[31m"}"#,
    "<html>",
];

const EXPRESSIONS: [&str; 10] = [
    "p99.9(slo_s, namespace=shop*, node!=gpu-*) >= 1m30s",
    "sum(pulled_bytes, namespace=ml) > 20GiB",
    "count(cause=image-pull-queued, cold=true) > 10",
    "share(slo_s > 5s) > 1%",
    "share(state=failed, namespace=\"a b\") > 0.5 %",
    "p99(slo_s) > baseline + 10%",
    "p95(slo_s) > 1.5 * baseline - 2s",
    "max(restarts, created >= 2026-11-23T18:00:00Z) <= 3",
    "min(image_pull_s, slo_s=null) < 1h2m3.5s",
    "mean(restarts) < 2.5",
];

const SETTINGS: [&str; 14] = [
    "kind: KubeletConfiguration\nserializeImagePulls: false\nmaxParallelImagePulls: 3\nkubeAPIQPS: 50\nfeatureGates:\n  EventedPLEG: true\n  PLEGOnDemandRelist: false\n",
    r#"{"kubeletconfig":{"serializeImagePulls":true,"registryPullQPS":5,"memoryThrottlingFactor":0.9,"imageGCHighThresholdPercent":85}}"#,
    "data:\n  kubelet: |\n    kind: KubeletConfiguration\n    kubeAPIBurst: 100\n    featureGates: {MemoryQoS: true}\n",
    "kind: KubeletConfiguration\nserializeImagePulls: &a [*a]\n",
    "serializeImagePulls=false,maxParallelImagePulls=3",
    "prepull=team/app-20:v1, prepull=nginx",
    "kubeAPIQPS=50,registryPullQPS=0",
    "image-*",
    "2026-11-23T18:00:00Z",
    "2026-11-23",
    "2026-11-23 18:00",
    "18:00",
    "1h30m",
    "2026-10-25 02:30",
];
