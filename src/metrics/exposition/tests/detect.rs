use crate::metrics::exposition::is_exposition;

#[test]
fn pages() {
    for page in [
        "# HELP a_b Text\n",
        "# HELP a_b\n# TYPE a_b gauge\n",
        "\u{feff}\r\n\n  # TYPE up gauge\r\n",
        "#\tTYPE\tup\tgauge\n",
        "# HELP up Text.\nup 1\n",
        "# HELP up Text.\nup{a=\"b\"} 1\nup{a=\"c\"} 1\nup{a=\"d\"} 1\n",
        "# UNIT a_seconds seconds\n# TYPE a_seconds counter\n",
        "# TYPE \"my metric\" counter\n",
        "# HELP \"my metric\" Text.\n",
        "# EOF\n",
        "# EOF",
        "a_b 1\na_c 2\na:d 3\n",
        "a_b 1\n\na_c 2\na_d 3 1700000000000",
        "a{} 1\n{\"b.c\"} NaN\nd{e=\"f\"} 3 # {} 1\n",
        "a_b 1\n# TYPE a_b gauge\n",
    ] {
        assert!(is_exposition(page.as_bytes()), "{page:?}");
    }
}

#[test]
fn other_texts() {
    for text in [
        "",
        "\n\n\n",
        "I0101 12:00:00.000000    1234 kubelet.go:100] \"Started\" a_b=1\n# TYPE a_b gauge\n",
        "Jan 01 12:00:00 node kubelet[1234]: I0101 12:00:00.000000    1234 kubelet.go:100] Started\n",
        "time=\"2024-01-01T00:00:00Z\" level=info msg=\"# TYPE a_b gauge\"\n",
        "{\"ts\":1,\"msg\":\"x\"}\n{\"ts\":1,\"msg\":\"x\"}\n{\"ts\":1,\"msg\":\"x\"}\n",
        "# Title\n\n# TYPE a_b gauge\n",
        "# HELP wanted\n\nWe need help.\n",
        "# HELP me please\n",
        "# TYPE of thing\n",
        "# TYPE a_b thing\n",
        "# EOF is near\n",
        "a_b,c_d\n1,2\n3,4\n",
        "a_b: 1\nc_d: 2\ne_f: 3\n",
        "a_b = 1\nc_d = 2\ne_f = 3\n",
        "#!/bin/sh\n# TYPE a_b gauge\n",
        "# shellcheck disable=SC1\na_b 1\na_c 1\na_d 1\n",
        "-- Logs begin at Mon 2024-01-01 --\n",
        "a_b 1\na_c 2\n",
        "a_b 1\na_c 2\nd\na_e 3\n",
        "up 1\na_b 1\na_c 1\na_d 1\n",
        "one 1\ntwo 2\nthree 3\n",
        "a_b one\na_c two\na_d three\n",
    ] {
        assert!(!is_exposition(text.as_bytes()), "{text:?}");
    }
    assert!(!is_exposition(b"\xff\xfe# TYPE a_b gauge\n"));
}

#[test]
fn a_cut_anywhere_neither_fails_nor_turns_a_log_into_a_page() {
    let log = "é {\"a\":\"b\"} # TYPE a_b gauge\n# TYPE a_b gauge\n".as_bytes();
    assert!((0..log.len()).all(|end| !is_exposition(&log[..end])));
    let page = "# HELP a_b é\n# TYPE a_b gauge\na_b{c=\"é\"} 1\n".as_bytes();
    assert!((14..page.len()).all(|end| is_exposition(&page[..end])));
}
