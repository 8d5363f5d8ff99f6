//! `helper.sh` run here: with a clock of the test's own, and stubs of what acts on a node.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::Instant;

use camino::{Utf8Path, Utf8PathBuf};

use super::*;

/// What the script finds before the machine's own commands.
const STUBS: [(&str, &str); 6] = [
    ("pgrep", "echo 1"),
    (
        "nsenter",
        r#"while [ "$1" != -- ]; do shift; done; shift; exec "$@""#,
    ),
    // Whether the kernel has what a discipline needs is tried by tc, in a network of its own.
    (
        "unshare",
        r#"case $2 in tc) shift; exec "$@" ;; *) cat >/dev/null ;; esac"#,
    ),
    (
        "tc",
        r#"echo "$@" >>"$ROOT/fault"; echo 'Error: Specified qdisc kind is unknown.' >&2; exit 2"#,
    ),
    (
        "nft",
        r#"case $1 in --file) cat >>"$ROOT/fault" ;; delete) rm "$ROOT/fault" ;; list) [ -e "$ROOT/fault" ] ;; esac"#,
    ),
    // Shorter than it is asked for, and counted.
    ("sleep", r#"echo >>"$ROOT/rounds"; exec /bin/sleep 0.02"#),
];
/// What of the machine the script names, and what stands for it.
const PLACES: [(&str, &str); 3] = [
    ("STATE=/run/upkeep", r#"STATE="$ROOT/state""#),
    ("CGROUPS=/host/cgroup", r#"CGROUPS="$ROOT/cgroup""#),
    ("/proc/uptime", r#""$ROOT/uptime""#),
];
/// How long anything here may take.
const LIMIT: Duration = Duration::from_secs(20);

/// A node with one helper: a folder.
struct Node {
    _folder: tempfile::TempDir,
    root: Utf8PathBuf,
    helper: Helper,
    serving: Option<Child>,
}

impl Node {
    fn with(plan: NativePlan) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap().to_owned();
        let stubs = root.join("stubs");
        fs::create_dir_all(&stubs).unwrap();
        for (name, body) in STUBS {
            fs::write(stubs.join(name), format!("#!/bin/sh\n{body}\n")).unwrap();
            let permissions = fs::Permissions::from_mode(0o755);
            fs::set_permissions(stubs.join(name), permissions).unwrap();
        }
        let mut script = SCRIPT.to_owned();
        for (of_machine, of_test) in PLACES {
            assert!(script.contains(of_machine), "{of_machine}");
            script = script.replace(of_machine, of_test);
        }
        fs::write(root.join("helper.sh"), script).unwrap();
        let group = root.join("cgroup/pod-a");
        fs::create_dir_all(&group).unwrap();
        fs::write(group.join("cgroup.procs"), "1\n").unwrap();
        let node = Self {
            _folder: folder,
            root,
            helper: plan.helpers.into_iter().next().unwrap(),
            serving: None,
        };
        node.set_clock(1000);
        node
    }

    /// Seconds since the node started. Never half written: the helper looks at any moment.
    fn set_clock(&self, seconds: u64) {
        let new = self.root.join("uptime.new");
        fs::write(&new, format!("{seconds}.50 1.00\n")).unwrap();
        fs::rename(new, self.root.join("uptime")).unwrap();
    }

    fn script(&self, what: &str) -> Command {
        let path = std::env::var("PATH").unwrap();
        let mut command = Command::new("sh");
        command
            .arg(self.root.join("helper.sh"))
            .arg(what)
            .envs(&self.helper.environment)
            .env("PATH", format!("{}/stubs:{path}", self.root))
            .env("ROOT", &self.root)
            .stdin(Stdio::null());
        command
    }

    fn serve(&mut self) {
        let serving = self.root.join("state/serving");
        fs::remove_file(&serving).ok();
        self.serving = Some(self.script("serve").spawn().unwrap());
        self.wait_until("it serves", || serving.exists());
    }

    fn tell(&self, what: &str) {
        let Output { status, stderr, .. } = self.script(what).output().unwrap();
        let said = String::from_utf8_lossy(&stderr);
        assert!(status.success(), "{what}: {said}");
    }

    fn begin(&self) {
        self.tell("check");
        self.tell("begin");
    }

    /// What the experiment did; none: nothing that is still there.
    fn fault(&self) -> Option<String> {
        fs::read_to_string(self.root.join("fault")).ok()
    }

    fn wait_until(&self, what: &str, is_so: impl Fn() -> bool) {
        let until = Instant::now() + LIMIT;
        while !is_so() {
            assert!(Instant::now() < until, "not within {LIMIT:?}: {what}");
            sleep(Duration::from_millis(5));
        }
    }

    /// Waits until the helper has looked at its lease again.
    fn pass_a_round(&self) {
        let rounds = || fs::read(self.root.join("rounds")).map_or(0, |lines| lines.len());
        let now = rounds();
        self.wait_until("rounds of the helper", || rounds() > now + 2);
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(serving) = &mut self.serving {
            serving.kill().ok();
            serving.wait().ok();
        }
    }
}

/// One experiment of each way to act: a command, and something in the pod's network.
fn plans() -> [NativePlan; 2] {
    let step = json!({"node": "user", "command": ["sh", "-c", "echo 'it is' >>$ROOT/fault"],
        "recover": ["sh", "-c", "rm -f $ROOT/fault"]});
    let step: NodeCommand = serde_json::from_value(step).unwrap();
    let command = plan_node("shop", &step, &["n1".to_owned()].into());
    let loss = json!({"chaos": "network-loss", "service": "user", "loss_percent": 50});
    [command, experiment(loss)]
}

/// An experiment on the pod of the node.
fn experiment(step: Value) -> NativePlan {
    let step: Chaos = serde_json::from_value(step).unwrap();
    let target = Target {
        uid: "pod-a".to_owned(),
        node: "n1".to_owned(),
    };
    plan("shop", &step, &Labels::new(), &[target], &[])
}

#[test]
fn a_kernel_without_netem_is_told_before_anything_is_disturbed() {
    let delay = json!({"chaos": "network-delay", "service": "user", "latency_ms": 100});
    let loss = json!({"chaos": "network-loss", "service": "user", "loss_percent": 50,
        "correlation_percent": 25});
    for (step, tried) in [
        (delay, "netem delay 100ms 0ms"),
        (loss, "netem loss 50% 25%"),
    ] {
        let node = Node::with(experiment(step));
        let Output { status, stderr, .. } = node.script("check").output().unwrap();
        let said = String::from_utf8_lossy(&stderr);
        assert_eq!(
            said.trim(),
            "this node's kernel lacks tc netem: Error: Specified qdisc kind is unknown."
        );
        assert!(!status.success());
        // In a network of its own only.
        let all = format!("qdisc add dev lo root {tried}\n");
        assert_eq!(node.fault(), Some(all));
    }
}

#[test]
fn a_lease_that_nobody_renews_ends_the_fault() {
    let lease = journal::STALE_AFTER.as_secs();
    for plan in plans() {
        let mut node = Node::with(plan);
        node.serve();
        node.begin();
        assert!(node.fault().is_some());
        node.set_clock(1000 + lease);
        node.pass_a_round();
        assert!(node.fault().is_some(), "the lease is not over");
        node.tell("renew");
        node.set_clock(1000 + 2 * lease);
        node.pass_a_round();
        assert!(node.fault().is_some(), "the lease was renewed");
        // Nobody calls: whoever began it is dead.
        node.set_clock(1001 + 2 * lease);
        node.wait_until("the fault is undone", || node.fault().is_none());
        // One that comes back late finds nothing to go on with, and nothing to undo.
        node.tell("renew");
        node.pass_a_round();
        node.tell("undo");
        assert_eq!(node.fault(), None);
    }
}

#[test]
fn what_is_begun_or_undone_twice_changes_nothing_more() {
    for plan in plans() {
        let mut node = Node::with(plan);
        node.serve();
        node.begin();
        let once = node.fault();
        assert!(once.is_some());
        node.begin();
        assert_eq!(node.fault(), once);
        node.tell("undo");
        assert_eq!(node.fault(), None);
        node.tell("undo");
        assert_eq!(node.fault(), None);
        node.begin();
        assert_eq!(node.fault(), once, "it can be begun anew");
    }
}

#[test]
fn a_helper_that_stops_or_starts_again_leaves_no_fault() {
    for plan in plans() {
        let mut node = Node::with(plan);
        node.serve();
        node.begin();
        let serving = node.serving.as_mut().unwrap();
        let stop = format!("kill -TERM {}", serving.id());
        Command::new("sh").args(["-c", &stop]).status().unwrap();
        assert!(serving.wait().unwrap().success());
        assert_eq!(node.fault(), None);
        node.serve();
        node.begin();
        // Killed, it can't undo; the kubelet starts it again.
        let serving = node.serving.as_mut().unwrap();
        serving.kill().unwrap();
        serving.wait().unwrap();
        assert!(node.fault().is_some());
        node.serve();
        assert_eq!(node.fault(), None);
    }
}
