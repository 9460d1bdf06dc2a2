//! Each form becomes records, however its bytes arrive; damage is counted, and what is no form passes.

use std::io::Read;

use proptest::prelude::*;

use super::super::open::tests::Steps;
use super::*;

/// What is read of a text, and what is said at its end.
fn read(text: &str, step: usize) -> (String, Option<String>) {
    let reader = PeekReader::new(Box::new(Steps(text.as_bytes().to_vec(), step)));
    let mut found = Vec::new();
    let error = lines(reader).read_to_end(&mut found).err().map(|error| error.to_string());
    (String::from_utf8_lossy(&found).into_owned(), error)
}

#[track_caller]
fn gives(text: &str, records: &[&str]) {
    for step in [1, 7, 100_000] {
        let (found, error) = read(text, step);
        assert_eq!((found.lines().collect::<Vec<_>>(), error), (records.to_vec(), None), "{text} by {step}");
    }
}

#[test]
fn documents_of_every_store_become_records() {
    gives("[{\"a\":1,\n \"b\": {\"c\" : \"x y\"}},\n{\"a\":2}]\n", &["{\"a\":1,\"b\":{\"c\":\"x y\"}}", "{\"a\":2}"]);
    gives("{\"a\":1}{\"a\":\"}{\"}{\"a\":3}", &["{\"a\":1}", "{\"a\":\"}{\"}", "{\"a\":3}"]);
    gives("{\n  \"a\" : 1\n}\n{\n  \"a\" : 2\n}\n", &["{\"a\":1}", "{\"a\":2}"]);
    gives(
        r#"{"status":"success","data":{"resultType":"streams","result":[{"stream":{"node":"n1"},"values":[["17","x"],["18","y",{"pid":"7"}]]}],"stats":{}}}"#,
        &[
            r#"{"labels":{"status":"success","resultType":"streams","stream":{"node":"n1"}},"line":"x","timestamp":"17"}"#,
            r#"{"labels":{"status":"success","resultType":"streams","stream":{"node":"n1"}},"line":"y","metadata":{"pid":"7"},"timestamp":"18"}"#,
        ],
    );
    gives(
        r#"{"took":3,"hits":{"total":1,"hits":[{"_source":{"message":"x"}}]}}{"took":3,"hits":{"hits":[{"_source":{"message":"y"}}]}}"#,
        &[r#"{"_source":{"message":"x"}}"#, r#"{"_source":{"message":"y"}}"#],
    );
    gives(
        r#"{"results":[[{"field":"@timestamp","value":"1"},{"field":"@message","value":"x"}]],"status":"Complete"}"#,
        &[r#"{"@message":"x","@timestamp":"1"}"#],
    );
    gives(
        r#"{"tables":[{"name":"P","columns":[{"name":"Computer","type":"string"},{"name":"SyslogMessage"}],"rows":[["n1","x"]]}]}"#,
        &[r#"{"labels":{"name":"P"},"Computer":"n1","SyslogMessage":"x"}"#],
    );
    gives(
        r#"{"resourceLogs":[{"resource":{"attributes":[{"key":"host.name","value":{"stringValue":"n1"}}]},"scopeLogs":[{"logRecords":[{"timeUnixNano":"17","body":{"kvlistValue":{"values":[{"key":"MESSAGE","value":{"stringValue":"x"}}]}}}]}]}]}"#,
        &[r#"{"body":{"MESSAGE":"x"},"labels":{"resource":{"attributes":{"host.name":"n1"}}},"timeUnixNano":"17"}"#],
    );
    gives(r#"{"logs":["x","y"]}"#, &[r#"{"line":"x"}"#, r#"{"line":"y"}"#]);
    gives(
        r#"{"message":"k.go:1] x","data":{"z":1}}"#,
        &[r#"{"labels":{"message":"k.go:1] x"},"z":1}"#, r#"{"message":"k.go:1] x"}"#],
    );
}

#[test]
fn every_container_is_opened() {
    for (name, object) in records::CONTAINERS {
        gives(&format!("{{\"{name}\":[{{\"line\":\"x\"}}]}}\n"), &["{\"line\":\"x\"}"]);
        if *object {
            gives(&format!("{{\"{name}\":{{\"line\":\"x\"}}}}\n"), &["{\"line\":\"x\"}"]);
        }
    }
}

#[test]
fn tables_yaml_and_escaped_text_become_records() {
    gives(
        "@timestamp;host;message\n1;n1;\"a \"\"b\"\"\nc\"\n@timestamp;host;message\n2;n2;d\n",
        &[
            r#"{"@timestamp":"1","host":"n1","message":"a \"b\"\nc"}"#,
            r#"{"@timestamp":"2","host":"n2","message":"d"}"#,
        ],
    );
    gives("Time\tLine\n1\tx \"y\"\n", &[r#"{"Line":"x \"y\"","Time":"1"}"#]);
    gives(
        "TimeGenerated [UTC],SyslogMessage,labels\n1,x,\"{\"\"a\"\":1}\"\n",
        &[r#"{"SyslogMessage":"x","TimeGenerated":"1","labels":{"a":1}}"#],
    );
    gives(
        "a: 1\njsonPayload:\n  MESSAGE: 'x\n    y'\n---\ntextPayload: z\n",
        &[r#"{"a":1,"jsonPayload":{"MESSAGE":"x y"}}"#, r#"{"textPayload":"z"}"#],
    );
    gives("- message: x\n  host: n1\n- message: z\n", &[r#"{"host":"n1","message":"x"}"#, r#"{"message":"z"}"#]);
    gives("I1123 k.go:1] &quot;a &amp;&amp; b&quot; &lt;", &["I1123 k.go:1] \"a && b\" <"]);
    gives("I1123 k\\_a.go:1\\] \"a\\_b\" \\\"", &["I1123 k_a.go:1] \"a_b\" \\\""]);
    gives("I1123\u{a0}k.go:1]\u{a0}\u{201c}a\u{201d}", &["I1123 k.go:1] \"a\""]);
}

#[test]
fn entries_of_the_journal_become_records() {
    let front = "__CURSOR=s=1;i=2\n__REALTIME_TIMESTAMP=17\n_HOSTNAME=";
    gives(
        &format!(
            "{front}n1\nMESSAGE=x=y\n\n{front}n2\nCOREDUMP\n\u{4}\0\0\0\0\0\0\0a\n\nb\nMESSAGE\n\u{3}\0\0\0\0\0\0\0x\ny\n\n\n-- cursor: s=1\n"
        ),
        &[
            r#"{"MESSAGE":"x=y","_HOSTNAME":"n1","__REALTIME_TIMESTAMP":"17"}"#,
            r#"{"MESSAGE":"x\ny","_HOSTNAME":"n2","__REALTIME_TIMESTAMP":"17"}"#,
        ],
    );
    // From the middle of an entry on, of one without a message, and one with two; the last is cut off.
    gives(
        "_PID=7\nMESSAGE=x\n\n__REALTIME_TIMESTAMP=1\n_PID=8\n\n_PID=9\nMESSAGE=y\nMESSAGE=z\nMESS",
        &[r#"{"MESSAGE":"x","_PID":"7"}"#, r#"{"MESSAGE":"y","_PID":"9"}"#, r#"{"MESSAGE":"z","_PID":"9"}"#],
    );
    for damage in ["MESSAGE\n\u{1}\0\0\0\0\0\0\u{1}x\n", "MESSAGE\n\u{1}\0\0\0\0\0\0\0xyz\n", "no field\n"] {
        let (found, error) = read(&format!("{front}n1\n{damage}_PID=1\n\n{front}n2\nMESSAGE=z\n"), 3);
        assert!(
            found.ends_with("{\"MESSAGE\":\"z\",\"_HOSTNAME\":\"n2\",\"__REALTIME_TIMESTAMP\":\"17\"}\n"),
            "{found}"
        );
        assert!(error.is_some_and(|error| error.contains("the Journal Export Format, it is damaged in 1 place")));
    }
    let long = "x".repeat(2 * MAX_VALUE);
    let (found, error) = read(&format!("{front}n1\nMESSAGE={long}\n\n{front}n2\nMESSAGE=z\n"), 1 << 16);
    assert!(found.len() < MAX_VALUE + 200 && found.contains("\"z\""));
    assert!(error.is_some_and(|error| error.contains("too long")));
}

#[test]
fn other_text_passes_unchanged() {
    for text in [
        "I1123 19:00:00.000001 1 k.go:1] \"x\" err=\"\u{201c}y\u{201d} &amp; \\_z\"\n",
        "{\"ts\":1,\"msg\":\"x\",\"values\":[1]}\n",
        "{\"MESSAGE\":\"x\",\"_PID\":\"1\"}\n{\"MESSAGE\":\"y\"}\n",
        "{unit=\"kubelet.service\"} x\n",
        "[  90.1] n1 kubelet[1]: x\n",
        "[pod/a/b] x\n",
        "a message: with, commas\nand more\n",
        "As you see, it is the log\nI1123 k.go:1] a, b\n",
        "time,log\nI1123 k.go:1] a\n",
        "MESSAGE=x\nMESSAGE=y\n",
        "I1123 k.go:1] \"x\" err=\"<a href=&quot;y&quot;>\"\n",
        "",
        "\n",
    ] {
        assert_eq!(read(text, 3), (text.to_owned(), None));
    }
}

#[test]
fn damage_is_counted_and_costs_what_is_damaged() {
    let (found, error) = read("[{\"a\":1},{\"a\" 2},\n{\"a\":3}]\nplain\n{\"a\":4}\n", 5);
    assert!(found.starts_with("{\"a\":1}\n") && found.ends_with("plain\n{\"a\":4}\n"), "{found}");
    assert!(found.contains("{\"a\":3}"), "{found}");
    assert!(error.is_some_and(|error| error.contains("read as JSON documents, it is damaged in 1 place")));
    let (found, error) = read("[{\"a\":1},{\"a\":\"x y", 5);
    assert_eq!(found, "{\"a\":1}\n{\"a\":\"x y}\n");
    assert!(error.is_some_and(|error| error.contains("ends early")));
    let long = format!("[{{\"a\":\"{}\"}},{{\"a\":2}}]", "x".repeat(2 * MAX_VALUE));
    let (found, error) = read(&long, 1 << 16);
    assert_eq!(found, "{\"a\":2}\n");
    assert!(error.is_some_and(|error| error.contains("too long")));
    let open = format!("host,message\nn1,\"{}", "x".repeat(3 * MAX_VALUE));
    assert!(read(&open, 1 << 16).1.is_some_and(|error| error.contains("no end")));
    assert!(read(&"{\"data\":".repeat(100_000), 1 << 16).0.len() < 2 * MAX_VALUE);
}

proptest! {
    #[test]
    fn any_text_is_read(
        parts in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "[", "]", ",", ":", "\"", "\"a\"", "\"values\":", "\"data\":", "\"rows\":", "\"columns\":", "\"resourceLogs\":",
            "1", "null", "__REALTIME_TIMESTAMP=1\n", "MESSAGE=x\n", "MESSAGE\n", "\u{2}\0\0\0\0\0\0\0", "_HOSTNAME=n\n", "\n\n", "\\", "\n", " ", "host,message\n", "message: x\n", "- ", "---\n", "&quot;", "k.go:", "I1123\u{a0}", "\u{1e}", "é",
        ]), 0..40),
        step in 1_usize..9,
    ) {
        let text = parts.concat();
        let (found, _) = read(&text, step);
        prop_assert_eq!(&found, &read(&text, 100_000).0, "how it arrives does not show");
        prop_assert!(found.len() <= 200 * (text.len() + 1) * (text.len() + 1));
    }
}
