//! The interpreter of kubectl against a real kubectl.
//!
//! A kubectl that answers as of a moment (`kubectl-at`, built by `lab/build`) runs the commands of
//! `tests/oracle/kubectl-commands.txt` on our API server over a shipped sample; the interpreter behind
//! `exec_shell` runs them on the same sample. Output, error text and exit code have to be equal. What
//! can't be equal stands in `tests/oracle/explained.txt`. Runs with `AIOPSLAB_INTEROP=1`; AIOPSLAB_FRESH
//! names one more snapshot, a fresh capture.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use aiopslab::library::Library;
use aiopslab::settings::Settings;
use aiopslab_datasets::Snapshot;
use aiopslab_problems::environment::Verdict;
use aiopslab_replay::files::VirtualFiles;
use aiopslab_replay::shell::{self, ShellOutcome};
use aiopslab_replay::{Clock, ReplayEnvironment, ReplayOptions};
use regex::Regex;
use tokio::runtime::Runtime;

use crate::program::{Place, is_interop};

const SAMPLES: [&str; 3] = [
    "k8s_target_port_misconfig_testbed-1",
    "scale_pod_zero_testbed-1",
    "scale_pod_zero_testbed-2",
];
const APPLICATION: &str = "hotel-testbed";
/// Differences that are shown whole.
const SHOWN: usize = 25;

#[test]
fn a_real_kubectl_prints_what_the_interpreter_prints() {
    let Some(kubectl) = kubectl_at() else {
        println!("skipped: AIOPSLAB_INTEROP is not 1");
        return;
    };
    let rules = rules();
    let mut different = Vec::new();
    let mut applied: BTreeMap<&str, usize> = BTreeMap::new();
    let fresh = std::env::var("AIOPSLAB_FRESH").ok();
    for sample in SAMPLES.into_iter().chain(fresh.as_deref()) {
        let interpreter = Interpreter::open(sample);
        let server = Server::start(sample);
        let real = server.client(&kubectl, &interpreter.now);
        let (mut equal, mut explained, mut not_captured) = (0, 0, 0);
        let commands = interpreter.commands();
        for command in &commands {
            let ours = interpreter.run(command);
            if ours.verdict == Verdict::NotCaptured {
                not_captured += 1;
                println!("not captured: {command}: {}", ours.stderr.trim_end());
                continue;
            }
            let theirs = real.run(command);
            if theirs == said(&ours) {
                equal += 1;
            } else if let Some(rule) = rules.iter().find(|rule| rule.explains(command)) {
                explained += 1;
                *applied.entry(&rule.reason).or_default() += 1;
            } else {
                different.push(difference(sample, command, &theirs, &said(&ours)));
            }
        }
        println!(
            "{sample}: {} asked, {equal} equal, {explained} explained, {not_captured} not captured",
            commands.len()
        );
    }
    for (reason, count) in &applied {
        println!("explained {count} times: {reason}");
    }
    let unused = rules
        .iter()
        .filter(|rule| !applied.contains_key(rule.reason.as_str()));
    let unused: Vec<_> = unused.map(|rule| &rule.reason).collect();
    assert!(
        unused.is_empty(),
        "these explain nothing any more: {unused:?}"
    );
    let shown: String = different.iter().take(SHOWN).map(String::as_str).collect();
    assert!(
        different.is_empty(),
        "{} answers differ; the first of them:\n{shown}",
        different.len()
    );
}

/// The patched kubectl, where it is asked for.
fn kubectl_at() -> Option<PathBuf> {
    if !is_interop() {
        return None;
    }
    let cache = std::env::var("LAB_CACHE").unwrap_or_else(|_| {
        let home = std::env::var("HOME").unwrap();
        let cache = std::env::var("XDG_CACHE_HOME").unwrap_or(format!("{home}/.cache"));
        format!("{cache}/aiopslab/lab")
    });
    let program = Path::new(&cache).join("bin/kubectl-at");
    assert!(program.is_file(), "no {}: run lab/build", program.display());
    Some(program)
}

/// Output, error text and exit code.
#[derive(Debug, PartialEq)]
struct Said {
    stdout: String,
    stderr: String,
    code: i32,
}

fn said(outcome: &ShellOutcome) -> Said {
    Said {
        stdout: outcome.stdout.clone(),
        stderr: outcome.stderr.clone(),
        code: outcome.exit_code,
    }
}

/// What may differ, and why: a line `PATTERN  # REASON` of the checked-in list.
struct Rule {
    pattern: Regex,
    reason: String,
}

impl Rule {
    fn explains(&self, command: &str) -> bool {
        self.pattern.is_match(command)
    }
}

fn rules() -> Vec<Rule> {
    let lines = include_str!("oracle/explained.txt").lines();
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (pattern, reason) = line.split_once("  # ").unwrap();
            Rule {
                pattern: Regex::new(pattern.trim()).unwrap(),
                reason: reason.to_owned(),
            }
        })
        .collect()
}

/// Our kubectl on a sample.
struct Interpreter {
    runtime: Runtime,
    environment: ReplayEnvironment,
    /// The moment, as `KUBECTL_NOW` wants it.
    now: String,
}

impl Interpreter {
    fn open(sample: &str) -> Self {
        let library = Library::open(&Settings::load(&aiopslab::cli::Global::default()).unwrap());
        let library = library.unwrap();
        let snapshot = Snapshot::open(&library.find(sample).unwrap()).unwrap();
        let options = ReplayOptions {
            clock: Clock::End,
            ..ReplayOptions::new(library.application(APPLICATION).unwrap().clone())
        };
        Self {
            runtime: Runtime::new().unwrap(),
            environment: ReplayEnvironment::new(&snapshot, &options).unwrap(),
            now: snapshot.manifest().end.to_string(),
        }
    }

    fn run(&self, command: &str) -> ShellOutcome {
        let mut files = VirtualFiles::new();
        let running = shell::run(self.environment.view(), &mut files, command, 30);
        self.runtime.block_on(running).unwrap()
    }

    /// The commands, with the names of the sample's own pods for `{pod:SERVICE}`.
    fn commands(&self) -> Vec<String> {
        let pods = self
            .run(&format!("kubectl get pods -n {APPLICATION} -o name"))
            .stdout;
        let lines = include_str!("oracle/kubectl-commands.txt").lines();
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let written = lines.map(str::to_owned);
        written
            .chain(combinations())
            .filter_map(|line| {
                let mut line = line;
                while let Some((before, rest)) = line.split_once("{pod:") {
                    let (service, after) = rest.split_once('}').unwrap();
                    let name = |pod: &&str| pod.starts_with(&format!("pod/{service}-"));
                    // A service that is scaled to zero has none.
                    let pod = pods.lines().find(name)?.trim_start_matches("pod/");
                    line = format!("{before}{pod}{after}");
                }
                Some(line)
            })
            .collect()
    }
}

/// Kinds, outputs, scopes and flags put together.
fn combinations() -> Vec<String> {
    const KINDS: [&str; 22] = [
        "pods",
        "deployments",
        "services",
        "endpoints",
        "endpointslices",
        "replicasets",
        "statefulsets",
        "daemonsets",
        "configmaps",
        "secrets",
        "serviceaccounts",
        "persistentvolumeclaims",
        "persistentvolumes",
        "storageclasses",
        "nodes",
        "namespaces",
        "events",
        "jobs",
        "roles",
        "clusterroles",
        "rolebindings",
        "priorityclasses",
    ];
    const OUTPUTS: [&str; 7] = [
        "",
        "-o wide",
        "-o name",
        "-o json",
        "-o yaml",
        "-o jsonpath='{range .items[*]}{.metadata.name}{\"\\n\"}{end}'",
        "-o custom-columns=NAME:.metadata.name,NAMESPACE:.metadata.namespace",
    ];
    const FLAGS: [&str; 5] = [
        "--show-labels",
        "--no-headers",
        "--sort-by=.metadata.creationTimestamp",
        "-l app.kubernetes.io/name",
        "--field-selector=metadata.name=frontend",
    ];
    let mut lines = Vec::new();
    for kind in KINDS {
        for scope in [format!("-n {APPLICATION}"), "-A".to_owned()] {
            let outputs = OUTPUTS.iter();
            lines.extend(outputs.map(|output| format!("kubectl get {kind} {scope} {output}")));
            lines.push(format!("kubectl describe {kind} {scope}"));
        }
        let flags = FLAGS.iter();
        lines.extend(flags.map(|flag| format!("kubectl get {kind} -n {APPLICATION} {flag}")));
        lines.push(format!("kubectl get {kind} nosuch -n {APPLICATION}"));
        lines.push(format!("kubectl describe {kind} nosuch -n {APPLICATION}"));
    }
    lines
}

/// `aiopslab serve` on a sample; ends with the test.
struct Server {
    process: Child,
    place: Place,
}

impl Server {
    fn start(sample: &str) -> Self {
        let place = Place::new();
        let kubeconfig = place.path("kubeconfig");
        let process = Command::new(env!("CARGO_BIN_EXE_aiopslab"))
            .args(["serve", sample, "--kubernetes", "127.0.0.1:0"])
            .arg("--write-kubeconfig")
            .arg(&kubeconfig)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let until = Instant::now() + Duration::from_secs(60);
        while !kubeconfig.is_file() {
            assert!(Instant::now() < until, "aiopslab serve wrote no kubeconfig");
            std::thread::sleep(Duration::from_millis(50));
        }
        Self { process, place }
    }

    fn client(&self, kubectl: &Path, now: &str) -> Client {
        let bin = self.place.path("bin");
        std::fs::create_dir(&bin).unwrap();
        std::os::unix::fs::symlink(kubectl, bin.join("kubectl")).unwrap();
        Client {
            home: self.place.path(""),
            path: format!("{}:/usr/bin:/bin", bin.display()),
            kubeconfig: self.place.path("kubeconfig"),
            now: now.to_owned(),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// The real kubectl in a real shell.
struct Client {
    home: PathBuf,
    path: String,
    kubeconfig: PathBuf,
    now: String,
}

impl Client {
    fn run(&self, command: &str) -> Said {
        let output = Command::new("timeout")
            .args(["60", "bash", "-c", command])
            .env_clear()
            .env("HOME", &self.home)
            .env("PATH", &self.path)
            .env("KUBECONFIG", &self.kubeconfig)
            .env("KUBECTL_NOW", &self.now)
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        Said {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            code: output.status.code().unwrap_or(-1),
        }
    }
}

fn difference(sample: &str, command: &str, theirs: &Said, ours: &Said) -> String {
    let mut text = format!("\n{sample}: {command}\n");
    if theirs.code != ours.code {
        writeln!(text, "  exit code {}, ours {}", theirs.code, ours.code).unwrap();
    }
    for (what, theirs, ours) in [
        ("stdout", &theirs.stdout, &ours.stdout),
        ("stderr", &theirs.stderr, &ours.stderr),
    ] {
        if theirs == ours {
            continue;
        }
        let (theirs, ours): (Vec<_>, Vec<_>) = (theirs.lines().collect(), ours.lines().collect());
        let differs = (0..theirs.len().max(ours.len())).find(|at| theirs.get(*at) != ours.get(*at));
        let at = differs.unwrap_or(0);
        writeln!(
            text,
            "  {what}, line {}:\n    {:?}\n    ours {:?}",
            at + 1,
            theirs.get(at),
            ours.get(at)
        )
        .unwrap();
    }
    text
}
