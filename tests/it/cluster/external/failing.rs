//! What never works.

use super::{Place, said, said_all};
use crate::cluster::api::{Recording, Reply};
use crate::support::lines;

#[test]
fn what_never_works_is_said_and_ends() {
    let (place, _) = Place::replaying();
    let fails = |words: &str, expected: &[&str]| {
        let output = place.run(words);
        assert_eq!(output.status.code(), Some(2), "{words}: {}", said_all(&output));
        let said = said_all(&output);
        for expected in expected {
            assert!(said.contains(expected), "{words}: {expected}: {said}");
        }
        assert!(!said.contains("localhost"), "the proxy's address says nothing: {said}");
    };
    fails("cluster:nobody", &["(401)", "kubectl get pods must work"]);
    fails("cluster:nope", &["no context \"nope\"", "get-contexts"]);
    fails("cluster -n ../nodes", &["no name of a namespace"]);
    fails("cluster:viewer --context admin", &["--context: the input names its context itself", "leave out --context"]);
    fails("kubelet.log --watch 1m", &["no input can be read"]);
    let mut without = place.command("cluster");
    let output = without.env("KUBECONFIG", place.folder.path().join("none")).output().expect("podlag runs");
    assert!(said(&output).contains("the kubeconfig names no cluster"), "{}", said(&output));
    let output = place.command("cluster").env("PATH", "/nowhere").output().expect("podlag runs");
    assert!(said(&output).contains("kubectl is not installed"), "{}", said(&output));
    let flag = place.run("- --watch 1m");
    assert!(said(&flag).contains("--watch is about a cluster"), "{}", said(&flag));
    // Answers that no API server gives.
    for (body, words) in [
        ("<html>log in</html>", "no JSON"),
        ("{}", "no list of Kubernetes objects"),
        ("{\"kind\":\"PodList\",\"items\":[", "ended before its time"),
    ] {
        let place = Place::new(move |_| Reply::new(200, body));
        let output = place.run("cluster --retries 0");
        assert!(said(&output).contains(words), "{words}: {}", said(&output));
    }
    let endless = r#"{"kind":"PodList","metadata":{"continue":"a"},"items":[]}"#;
    let place = Place::new(move |_| Reply::new(200, endless));
    let output = place.run("cluster");
    assert!(said(&output).contains("does not end"), "{}", said(&output));
    let gone = Place::new(|_| Reply::status(404, "NotFound", "nothing here"));
    std::fs::write(
        &gone.kubeconfig,
        std::fs::read_to_string(&gone.kubeconfig).unwrap().replace(&gone.api.port.to_string(), "1"),
    )
    .expect("a file");
    let output = gone.run("cluster --retries 0");
    assert!(said(&output).contains("the API server cannot be reached"), "{}", said(&output));
}

/// Who may list and not watch gets what the lists show.
#[test]
fn a_watch_that_is_refused_leaves_the_list() {
    let recording = Recording::load();
    let place = Place::new(move |request| match request.is_watch() {
        true => Reply::status(403, "Forbidden", "pods is forbidden: User \"a\" cannot watch resource \"pods\""),
        false => recording.answer(request),
    });
    let output = place.run("cluster -A --watch 1h --format ndjson");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    for words in
        ["pods in all namespaces are not watched to the end", "cannot watch", "\"watch\"] (examples/rbac.yaml)"]
    {
        assert!(said(&output).contains(words), "{words}: {}", said(&output));
    }
    assert!(lines(&output).len() > 140);
}

#[test]
fn where_there_are_no_pods_it_is_said() {
    let (place, _) = Place::replaying();
    for (words, expected) in [
        ("cluster -n nosuch", "there are no pods in namespace nosuch\n  help: read another namespace with -n, or all"),
        ("cluster -n nosuch -n none", "there are no pods in namespace nosuch, none\n"),
        ("cluster -A --node nosuch", "there are no pods on node nosuch"),
        ("cluster -A -l app=nosuch", "there are no pods with labels app=nosuch"),
    ] {
        let output = place.run(&format!("{words} --format ndjson"));
        assert_eq!(output.status.code(), Some(3), "{words}: {}", said_all(&output));
        assert!(said(&output).contains(expected), "{words}: {}", said(&output));
        let text = said_all(&place.run(words));
        assert!(!text.contains("the input is empty") && !text.contains("nothing of it"), "{text}");
    }
    let chain = said_all(&place.run("chain nosuch/nothing cluster"));
    assert!(
        chain.contains("there are no pods in namespace nosuch") && chain.contains("kubectl get pods -A"),
        "{chain}"
    );
}
