use super::age::Age;
use super::clock::Now;
use super::columns::{Columns, Head};
use super::*;

#[test]
fn ages_are_as_coarse_as_kubectl_writes_them() {
    for (text, seconds, grain) in [
        ("0s", 0, 1),
        ("119s", 119, 1),
        ("2m", 120, 1),
        ("9m59s", 599, 1),
        ("10m", 600, 60),
        ("179m", 10_740, 60),
        ("3h", 10_800, 60),
        ("7h59m", 28_740, 60),
        ("8h", 28_800, 3600),
        ("2d", 172_800, 3600),
        ("7d23h", 687_600, 3600),
        ("8d", 691_200, 86_400),
        ("2y30d", 65_664_000, 86_400),
        ("8y", 252_288_000, 31_536_000),
    ] {
        assert_eq!(Age::of(text), Some(Age { seconds, grain }), "{text}");
    }
    for text in
        ["", "<unknown>", "<invalid>", "5", "s", "5s3m", "5m5m", "-5s", "5 s", "99999999999999999999s", "9999999y"]
    {
        assert_eq!(Age::of(text), None, "{text}");
    }
}

#[test]
fn most_agree_on_the_second_of_the_text() {
    let of = |low, high| Now { low, high };
    assert_eq!(Now::shared(&[]), None);
    assert_eq!(Now::shared(&[of(10, 11), of(11, 12), of(11, 11), of(900, 901)]), Some(of(11, 11)));
    assert_eq!(Now::shared(&[of(1, 5)]), Some(of(1, 5)));
}

#[test]
fn descriptions_after_one_another_bound_each_other() {
    let now = |low, high| Some(Now { low, high });
    let own = [(Some(10), Some(11)), (None, None), (Some(11), Some(12)), (None, None), (Some(5), Some(6))];
    let mut since = None;
    let nows = clock::in_order(&own, &mut since);
    assert_eq!(nows, [now(10, 11), now(10, 12), now(11, 12), now(11, 13), now(5, 6)]);
    assert_eq!(clock::in_order(&[(None, None)], &mut None), [None]);
}

#[test]
fn cells_are_found_under_their_heads_and_where_a_long_table_is_padded_anew() {
    let head = "LAST SEEN   TYPE     REASON    OBJECT      SUBOBJECT              SOURCE         MESSAGE   FIRST SEEN   COUNT   NAME";
    let columns = Columns::of_head(head).expect("columns");
    let row = "3m          Normal   Started   pod/web-0                          kubelet, n1    Done  it  3m           1       web-0.1";
    let wider = "3m          Normal   Started   pod/a-longer-name   spec.containers{app}   kubelet, n1   Done  it   3m   1   web-0.1";
    for (row, path) in [(row, ""), (wider, "spec.containers{app}")] {
        let cells = columns.cells(row);
        let of = |wanted| cells.iter().find(|(head, _)| *head == wanted).map_or("", |(_, cell)| *cell);
        let found = [Head::Last, Head::Path, Head::Source, Head::Message, Head::Count, Head::Name].map(of);
        assert_eq!(found, ["3m", path, "kubelet, n1", "Done  it", "1", "web-0.1"]);
    }
}

#[test]
fn each_form_is_known_by_its_beginning() {
    for head in [
        "Name:         web-0\nNamespace:    shop\nPriority:     0\nNode:         n1/10.0.0.1\n",
        "$ kubectl describe pod web-0\nName:   web-0\nNamespace:   shop\nNode:   n1/10.0.0.1\n",
        "Events:\n  Type    Reason     Age    From               Message\n",
        "LAST SEEN   TYPE      REASON    OBJECT      MESSAGE\n",
        "NAMESPACE   LAST SEEN   TYPE      REASON    OBJECT      MESSAGE\n",
        "TIME   REASON   POD   MESSAGE\n",
    ] {
        assert!(is_text(head.as_bytes()), "{head}");
    }
    for head in [
        "",
        "Name:         web\nNamespace:    shop\nSelector:     app=web\nReplicas:     1 desired\n",
        "Name:         node-a\nRoles:        <none>\n",
        "I1123 18:59:27.586186 77 kubelet.go:2421] \"SyncLoop ADD\" Reason Message\n",
        "NAME   READY   STATUS    RESTARTS   AGE\n",
    ] {
        assert!(!is_text(head.as_bytes()), "{head}");
    }
}
