//! Programs of others read the tables that podlag writes, with their default settings, and count and sum the same.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{lines, python};
use crate::tables::{everything, run};

/// Runs a Python script that uses a package.
fn script(package: &str, script: &str, arguments: &[&str]) -> String {
    let python = python();
    let output = Command::new(&python).arg("-c").arg(script).args(arguments).output();
    let output =
        output.unwrap_or_else(|error| panic!("{python} is needed: {error}; ./test installs what the tests need"));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        !told.contains(&format!("No module named '{package}'")),
        "{package} is needed: pip install {package}, or run ./test, which installs it"
    );
    assert!(
        !told.contains("JAVA_HOME is not set") && !told.contains("JAVA_GATEWAY_EXITED"),
        "Java is needed: apt-get install default-jre-headless, or run ./test, which installs it: {told}"
    );
    assert!(output.status.success(), "{package}: {told}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The columns that are summed.
const SUMS: [&str; 5] = ["total_s", "image_wait_s", "image_pull_s", "sandbox_s", "watch_s"];

/// What each engine is asked: by node, how many rows there are, their sums, and the first creation and the length of all spans
/// in microseconds; of the other tables, how many rows there are.
const QUESTIONS: [(&str, &str); 3] = [
    (
        "duckdb",
        r#"
import duckdb, json, sys
folder, sums = sys.argv[1], sys.argv[2].split(',')
source = lambda table: f"read_parquet('{folder}/{table}/**/*.parquet')"
rows = lambda query: duckdb.sql(query).fetchall()
spans = 'sum(list_sum([epoch_us(s."to") - epoch_us(s."from") for s in spans]))::bigint'
columns = ', '.join(f'sum({name})' for name in sums)
nodes = rows(f"select node, count(*), min(epoch_us(created)), {spans}, {columns} from {source('startups')} group by node")
count = lambda table: rows(f"select count(*) from {source(table)}")[0][0]
"#,
    ),
    (
        "pyspark",
        r#"
import json, sys
from pyspark.sql import SparkSession
folder, sums = sys.argv[1], sys.argv[2].split(',')
# One thread, nothing on the network.
spark = (SparkSession.builder.master('local[1]').config('spark.ui.enabled', 'false')
  .config('spark.driver.host', '127.0.0.1').config('spark.driver.bindAddress', '127.0.0.1').getOrCreate())
for table in ['startups', 'pulls', 'volumes', 'findings']:
    spark.read.parquet(f'{folder}/{table}').createOrReplaceTempView(table)
rows = lambda query: [tuple(row) for row in spark.sql(query).collect()]
spans = 'sum(aggregate(spans, 0L, (sum, s) -> sum + unix_micros(s.to) - unix_micros(s.from)))'
columns = ', '.join(f'sum({name})' for name in sums)
nodes = rows(f"select node, count(*), min(unix_micros(created)), {spans}, {columns} from startups group by node")
count = lambda table: rows(f"select count(*) from {table}")[0][0]
"#,
    ),
    (
        "chdb",
        r#"
import chdb, json, sys
folder, sums = sys.argv[1], sys.argv[2].split(',')
source = lambda table: f"file('{folder}/{table}/**/*.parquet')"
rows = lambda query: [json.loads(line) for line in str(chdb.query(query, 'JSONCompactEachRow')).splitlines()]
spans = 'sum(arraySum(s -> toUnixTimestamp64Micro(assumeNotNull(s.to)) - toUnixTimestamp64Micro(assumeNotNull(s.from)), spans))'
columns = ', '.join(f'sum({name})' for name in sums)
nodes = rows(f"select node, count(*), min(toUnixTimestamp64Micro(created)), {spans}, {columns} from {source('startups')} group by node")
nodes = [[node, int(count), int(first), int(spans), *sums] for node, count, first, spans, *sums in nodes]
count = lambda table: int(rows(f"select count(*) from {source(table)}")[0][0])
"#,
    ),
];

/// The end of each script.
const ANSWER: &str = r"
counts = {table: count(table) for table in ['pulls', 'volumes', 'findings']}
print(json.dumps({'nodes': {node: values for node, *values in nodes}, 'counts': counts}))
";

/// The instant of a row's column in microseconds.
fn micros(time: &Value) -> i64 {
    chrono::DateTime::parse_from_rfc3339(time.as_str().expect("an instant")).expect("RFC 3339").timestamp_micros()
}

mod external {
    use super::*;

    #[test]
    fn engines_read_the_folder_with_default_settings_and_sum_the_same() {
        let folder = tempfile::tempdir().expect("a folder");
        let tables = folder.path().join("lake/");
        let captures = everything();
        let (some, others) = captures.split_at(captures.len() / 2);
        let mut rows = Vec::new();
        for (node, inputs) in [("ip-10-0-1-2.ec2.internal", some), ("worker-2", others)] {
            run(&["--node-name", node, "-o", &tables.to_string_lossy()], inputs);
            rows.extend(lines(&run(&["--node-name", node, "--format", "ndjson"], inputs)));
        }
        let mut nodes: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        rows.iter().for_each(|row| nodes.entry(row["node"].as_str().expect("a node")).or_default().push(row));
        assert!(nodes.len() == 2 && rows.len() > 500, "{} rows of {} nodes", rows.len(), nodes.len());
        let length = |list: &str| rows.iter().map(|row| row[list].as_array().expect("a list").len()).sum::<usize>();
        let counts =
            json!({"pulls": length("image_pulls"), "volumes": length("volume_mounts"), "findings": length("findings")});
        let sums = SUMS.join(",");
        for (package, question) in QUESTIONS {
            let answer = script(package, &format!("{question}{ANSWER}"), &[&tables.to_string_lossy(), &sums]);
            let answer: Value = serde_json::from_str(&answer).expect("JSON");
            assert_eq!(answer["counts"], counts, "{package}");
            let found = answer["nodes"].as_object().expect("nodes");
            assert_eq!(found.len(), nodes.len(), "{package}");
            for (node, rows) in &nodes {
                let values = found[*node].as_array().expect("values");
                let created = rows.iter().filter(|row| !row["created"].is_null()).map(|row| micros(&row["created"]));
                let spans = rows.iter().flat_map(|row| row["spans"].as_array().expect("spans"));
                let spans: i64 = spans.map(|span| micros(&span["to"]) - micros(&span["from"])).sum();
                assert_eq!(values[..3], [json!(rows.len()), json!(created.min()), json!(spans)], "{package}: {node}");
                for (name, value) in SUMS.iter().zip(&values[3..]) {
                    let expected: f64 = rows.iter().filter_map(|row| row[*name].as_f64()).sum();
                    let found = value.as_f64().unwrap_or(0.0);
                    assert!((found - expected).abs() < 1e-6, "{package}: {name} of {node} is {found}, not {expected}");
                }
            }
        }
    }

    #[test]
    fn duckdb_reads_the_tables_and_counts_the_same() {
        let folder = tempfile::tempdir().expect("a folder");
        let (tables, file) = (folder.path().join("tables/"), folder.path().join("startups.parquet"));
        run(&["-o", &tables.to_string_lossy(), "-o", &file.to_string_lossy()], &everything());
        let blame: Value = serde_json::from_slice(
            &run(&["blame", "--by", "namespace", "--format", "json"], std::slice::from_ref(&file)).stdout,
        )
        .expect("groups");
        let groups = blame["groups"].as_array().expect("groups");
        let expected: BTreeMap<&str, (Value, Value)> = groups
            .iter()
            .map(|group| {
                (group["namespace"].as_str().expect("a name"), (group["p99_s"].clone(), group["max_s"].clone()))
            })
            .collect();
        assert!(expected.len() >= 3, "{expected:?}");
        let query = "
import duckdb, json, sys
source = sys.argv[1]
rows = duckdb.sql(f'''select namespace, quantile_disc(running_s, 0.99), max(running_s)
  from read_parquet('{source}', hive_partitioning = true) group by namespace''').fetchall()
print(json.dumps({name: [p99, largest] for name, p99, largest in rows}))
";
        for source in [format!("{}startups/**/*.parquet", tables.display()), file.display().to_string()] {
            let found: Value = serde_json::from_str(&script("duckdb", query, &[&source])).expect("JSON");
            for (name, (p99, max)) in &expected {
                assert_eq!((&found[name][0], &found[name][1]), (p99, max), "{name} of {source}");
            }
        }
        let tables_query = "
import duckdb, json, sys
one = lambda text: duckdb.sql(text).fetchall()
at = sys.argv[1]
count = lambda name: one(f\"select count(*) from read_parquet('{at}{name}/**/*.parquet', hive_partitioning = true)\")[0][0]
meta = {k.decode(): v.decode() for k, v in one(f\"select key, value from parquet_kv_metadata('{sys.argv[2]}')\")}
dates = [str(d) for d, in one(f\"select distinct date from read_parquet('{at}startups/**/*.parquet', hive_partitioning = true) order by 1\")]
print(json.dumps({'counts': {n: count(n) for n in ['startups', 'pulls', 'volumes', 'findings']}, 'meta': meta, 'dates': dates,
  'lost': one(f\"select sum(lost_s) from read_parquet('{at}findings/**/*.parquet')\")[0][0]}))
";
        let found = script("duckdb", tables_query, &[&tables.display().to_string(), &file.display().to_string()]);
        let found: Value = serde_json::from_str(&found).expect("JSON");
        let rows = lines(&run(&["--format", "ndjson"], &[file]));
        let count = |list: &str| rows.iter().map(|row| row[list].as_array().expect("a list").len()).sum::<usize>();
        assert_eq!(found["counts"]["startups"], rows.len());
        for (table, list) in [("pulls", "image_pulls"), ("volumes", "volume_mounts"), ("findings", "findings")] {
            assert_eq!(found["counts"][table], count(list), "{table}");
            assert!(count(list) > 100, "{table}: {}", count(list));
        }
        let lost: f64 = rows
            .iter()
            .flat_map(|row| row["findings"].as_array().expect("findings"))
            .map(|finding| finding["lost_s"].as_f64().expect("seconds"))
            .sum();
        assert!((found["lost"].as_f64().expect("seconds") - lost).abs() < 1e-6);
        assert_eq!(found["meta"]["podlag.schema"], "1");
        let about: Value =
            serde_json::from_str(found["meta"]["podlag.columns"].as_str().expect("columns")).expect("JSON");
        assert!(about["slo_s"].as_str().is_some_and(|words| words.contains("seconds")), "{about}");
        assert_eq!(found["dates"], serde_json::json!(["2026-11-23"]));
    }
}
