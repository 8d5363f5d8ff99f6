//! Whole commands on the cluster of [`testing`](super::testing).

use aiopslab_problems::environment::Verdict;

use serde_json::json;

use super::testing::{MemoryView, run, shop};

fn check(line: &str, text: &str, verdict: Verdict) {
    let outcome = run(&shop(), line);
    assert_eq!(
        (outcome.text().as_str(), outcome.verdict),
        (text, verdict),
        "{line}"
    );
}

#[test]
fn tables_are_of_the_moment() {
    check(
        "kubectl get pods -n shop",
        "NAME     READY   STATUS              RESTARTS        AGE\n\
         cart-1   1/1     Running             1 (5m30s ago)   60m\n\
         web-1    0/2     ContainerCreating   0               60s\n",
        Verdict::Answered,
    );
    check(
        "kubectl get po -A -o wide -l app=cart --no-headers",
        "shop   cart-1   1/1   Running   1 (5m30s ago)   60m   <none>\n",
        Verdict::Answered,
    );
    check(
        "kubectl get pod web-1 -nshop -L app --show-labels",
        "NAME    READY   STATUS              RESTARTS   AGE   APP   LABELS\n\
         web-1   0/2     ContainerCreating   0          60s   web   app=web\n",
        Verdict::Answered,
    );
    check(
        "kubectl get pods,events -n shop --field-selector metadata.name=cart-1.1",
        "LAST SEEN   TYPE      REASON    OBJECT       MESSAGE\n\
         90s         Warning   BackOff   pod/cart-1   Back-off restarting\n",
        Verdict::Answered,
    );
    check(
        "kubectl get ns/shop pod/cart-1 -n shop | tail -n +4",
        "NAME         READY   STATUS    RESTARTS        AGE\n\
         pod/cart-1   1/1     Running   1 (5m30s ago)   60m\n",
        Verdict::Answered,
    );
    check(
        "kubectl get all -n shop -o name --sort-by=.metadata.creationTimestamp",
        "pod/cart-1\npod/web-1\n",
        Verdict::Answered,
    );
}

#[test]
fn absent_and_unrecorded_are_told_apart() {
    check(
        "kubectl get pod nope -n shop",
        "Error from server (NotFound): pods \"nope\" not found\n",
        Verdict::Empty,
    );
    check(
        "kubectl get pod nope -n nowhere",
        "Error from server (NotFound): namespaces \"nowhere\" not found\n",
        Verdict::Empty,
    );
    check(
        "kubectl get svc -n shop",
        "No resources found in shop namespace.\n",
        Verdict::Empty,
    );
    let mut view = shop();
    view.uncovered = vec!["services".into()];
    let outcome = run(&view, "kubectl get svc x -n shop 2>/dev/null || echo none");
    assert_eq!(outcome.verdict, Verdict::NotCaptured);
    assert_eq!(
        outcome.text(),
        "notice: services \"x\" is not available in this recording\n"
    );
    check(
        "kubectl get --raw /api/v1/pods 2>/dev/null; echo after",
        "notice: the list of the cluster's APIs is not available in this recording\n",
        Verdict::NotCaptured,
    );
}

#[test]
fn logs_choose_the_instance() {
    check(
        "kubectl logs cart-1 -n shop --tail=1",
        "error b\n",
        Verdict::Answered,
    );
    check(
        "kubectl logs cart-1 -n shop --since=1m",
        "error b\n",
        Verdict::Answered,
    );
    check(
        "kubectl logs -p cart-1 -n shop",
        "dying\n",
        Verdict::Answered,
    );
    check(
        "kubectl logs -l app=cart -n shop --prefix --timestamps --tail 1",
        "[pod/cart-1/cart] 2026-01-01T11:59:59.500000000Z error b\n",
        Verdict::Answered,
    );
    check(
        "kubectl logs cart-1 -n shop | grep -c error",
        "2\n",
        Verdict::Answered,
    );
    check(
        "kubectl logs web-1 -n shop",
        "Defaulted container \"web\" out of: web, proxy\nError from server (BadRequest): \
         container \"web\" in pod \"web-1\" is waiting to start: ContainerCreating\n",
        Verdict::Answered,
    );
    let mut unstamped = shop();
    unstamped.unstamped = unstamped
        .instances
        .iter()
        .map(|one| one.instance_id)
        .collect();
    for flag in [
        "--timestamps",
        "--since=1m",
        "--since-time=2026-01-01T00:00:00Z",
    ] {
        let outcome = run(&unstamped, &format!("kubectl logs cart-1 -n shop {flag}"));
        assert_eq!(
            outcome.text(),
            "notice: when the lines of container cart of pod cart-1 were written is not available in \
             this recording\n",
            "{flag}"
        );
    }
    let text = run(&unstamped, "kubectl logs cart-1 -n shop --tail=1").text();
    assert_eq!(text, "error b\n");
    check(
        "kubectl logs nope -n shop",
        "error: error from server (NotFound): pods \"nope\" not found in namespace \"shop\"\n",
        Verdict::Empty,
    );
    assert_eq!(
        run(&shop(), "kubectl logs -f cart-1").verdict,
        Verdict::Denied
    );
}

#[test]
fn events_and_usage_are_listed() {
    check(
        "kubectl events -n shop --for pod/cart-1",
        "LAST SEEN             TYPE      REASON    OBJECT       MESSAGE\n\
         90s (x3 over 10m)   Warning   BackOff   Pod/cart-1   Back-off restarting\n"
            .replace("LAST SEEN             ", "LAST SEEN           ")
            .as_str(),
        Verdict::Answered,
    );
    check(
        "kubectl top pods -n shop",
        "NAME     CPU(cores)   MEMORY(bytes)   \ncart-1   13m          70Mi            \n",
        Verdict::Answered,
    );
    check(
        "kubectl top pods -n other",
        "No resources found in other namespace.\n",
        Verdict::Empty,
    );
    let text = run(&shop(), "kubectl describe pod cart-1 -n shop").text();
    assert!(
        text.starts_with("Name:         cart-1\nNamespace:    shop\n"),
        "{text}"
    );
    assert!(
        text.contains("    Last State:     Terminated\n      Reason:       Error\n"),
        "{text}"
    );
    assert!(
        text.ends_with(
            "Events:\n  Type     Reason   Age                From     Message\n  \
             ----     ------   ----               ----     -------\n  \
             Warning  BackOff  90s (x3 over 10m)  kubelet  Back-off restarting\n"
        ),
        "{text}"
    );
}

#[test]
fn writes_are_forbidden_and_typos_are_errors() {
    check(
        "kubectl -n shop scale deployment web --replicas=1",
        "Error from server (Forbidden): deployments.apps \"web\" is forbidden: this cluster is a \
         read-only replay of a recorded incident\n",
        Verdict::Denied,
    );
    check(
        "printf 'apiVersion: v1\\nkind: Pod\\nmetadata: {name: cart-1, namespace: shop}\\n---\\n\
         apiVersion: v1\\nkind: Pod\\nmetadata: {name: x}\\n' | kubectl apply -f -",
        "Error from server (Forbidden): error when patching \"STDIN\": pods \"cart-1\" is forbidden: \
         this cluster is a read-only replay of a recorded incident\n\
         Error from server (Forbidden): error when creating \"STDIN\": pods is forbidden: this cluster \
         is a read-only replay of a recorded incident\n",
        Verdict::Denied,
    );
    check(
        "echo '{\"apiVersion\": \"v1\", \"kind\": \"Nope\"}' | kubectl create -f -",
        "error: resource mapping not found for name: \"\" namespace: \"\" from \"STDIN\": no matches for \
         kind \"Nope\" in version \"v1\"\nensure CRDs are installed first\n",
        Verdict::Invalid,
    );
    check(
        "kubectl apply -f nope.yaml",
        "error: the path \"nope.yaml\" does not exist\n",
        Verdict::Invalid,
    );
    for line in [
        "kubectl delete pod cart-1 -n shop",
        "kubectl rollout restart deploy/web",
        "kubectl edit svc web",
        "kubectl rollout undo deploy/web",
    ] {
        assert_eq!(run(&shop(), line).verdict, Verdict::Denied, "{line}");
    }
    check(
        "kubectl gett pods",
        "error: unknown command \"gett\" for \"kubectl\"\n\nDid you mean this?\n\tset\n\tget\n",
        Verdict::Invalid,
    );
    for line in ["kubectl exec cart-1 -n shop -- ls", "curl x"] {
        assert_eq!(run(&shop(), line).verdict, Verdict::NotCaptured, "{line}");
    }
}

#[test]
fn parts_are_joined_as_a_shell_does() {
    check(
        "echo a && false || echo b; echo c",
        "a\nb\nc\n",
        Verdict::Answered,
    );
    check(
        "kubectl get pod x -n shop >/dev/null 2>&1 || echo gone",
        "gone\n",
        Verdict::Empty,
    );
    check(
        "echo a; echo b | python3 -c 1 2>/dev/null; echo c",
        "a\nnotice: python3: this command is not available in this recording\n",
        Verdict::NotCaptured,
    );
    check("cat /data/pods.txt | tail -1", "b\n", Verdict::Answered);
    assert_eq!(run(&shop(), &"a".repeat(20_000)).verdict, Verdict::Invalid);
}

/// Lines made of words that agents use and of what breaks parsers: an answer, never a panic.
#[test]
fn no_line_panics() {
    const WORDS: [&str; 56] = [
        "kubectl",
        "get",
        "describe",
        "logs",
        "top",
        "events",
        "pods",
        "po/cart-1",
        "cart-1",
        "-n",
        "shop",
        "-o",
        "yaml",
        "json",
        "wide",
        "-l",
        "app=cart",
        "a in (b",
        "--sort-by=.a[0].b",
        "-A",
        "|",
        "&&",
        "||",
        ";",
        "&",
        ">",
        "2>&1",
        "/dev/null",
        "grep",
        "-E",
        "[",
        "(a|b)*",
        "\\",
        "'",
        "\"",
        "`",
        "$(",
        ")",
        "{",
        "}",
        "head",
        "-n",
        "-1",
        "tail",
        "sort",
        "-k2,1",
        "-t",
        "é",
        "wc",
        "date",
        "+%",
        "--since=9h",
        "--tail",
        "\n",
        "#",
        "--",
    ];
    let view = shop();
    let mut seed = 7u64;
    let mut next = |bound: usize| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % bound
    };
    for _ in 0..1_500 {
        let words: Vec<&str> = (0..next(9) + 1).map(|_| WORDS[next(WORDS.len())]).collect();
        run(&view, &words.join(" "));
        run(&view, &format!("kubectl {}", words.join(" ")));
    }
}

#[test]
fn scaled_to_zero_has_no_log() {
    let mut view: MemoryView = shop();
    view.objects.push(super::testing::object(
        "apps",
        "deployments",
        "Deployment",
        "shop",
        "geo",
        json!({
            "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "geo"}}}
        }),
    ));
    let outcome = run(&view, "kubectl logs deploy/geo -n shop");
    assert_eq!(
        outcome.text(),
        "error: timed out waiting for the condition\n"
    );
    assert_eq!(outcome.verdict, Verdict::Empty);
}
