//! The interpreter of kubectl against a real kubectl.
//!
//! A kubectl that answers as of a moment (`kubectl-at`, built by `lab/build`) runs the commands of
//! `tests/oracle/kubectl-commands.txt` on our API server over a shipped sample; the interpreter behind
//! `exec_shell` runs them on the same sample. Output, error text and exit code have to be equal. What
//! can't be equal stands in `tests/oracle/explained.txt`. A support bundle is one more snapshot, for the kinds that the
//! samples lack. Runs with `AIOPSLAB_INTEROP=1`; AIOPSLAB_FRESH names one more, a fresh capture.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
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
    let place = Place::new();
    let fresh = std::env::var("AIOPSLAB_FRESH").ok();
    let samples = SAMPLES.into_iter().chain(fresh.as_deref());
    let mut incidents: Vec<Incident> = samples
        .map(|sample| Incident::open(sample, &kubectl, Interpreter::commands))
        .collect();
    let bundle = support_bundle(&place);
    incidents.push(Incident::open(
        &bundle,
        &kubectl,
        Interpreter::bundle_commands,
    ));

    let answers = ask_all(&incidents);
    let mut different = Vec::new();
    let mut applied: BTreeMap<&str, usize> = BTreeMap::new();
    for (incident, answers) in incidents.iter().zip(&answers) {
        let (mut equal, mut explained, mut not_captured) = (0, 0, 0);
        for (command, answer) in incident.commands.iter().zip(answers) {
            let (ours, theirs) = match answer.lock().unwrap().take().unwrap() {
                Answer::NotCaptured(notice) => {
                    not_captured += 1;
                    println!("not captured: {command}: {}", notice.trim_end());
                    continue;
                }
                Answer::Both { ours, theirs } => (ours, theirs),
            };
            if theirs == ours {
                equal += 1;
            } else if waits_beyond(&ours, &theirs) {
                not_captured += 1;
                println!("not captured: {command}: the real one waits on");
            } else if let Some(rule) = rules.iter().find(|rule| rule.explains(command)) {
                explained += 1;
                *applied.entry(&rule.reason).or_default() += 1;
            } else {
                different.push(difference(&incident.name, command, &theirs, &ours));
            }
        }
        println!(
            "{}: {} asked, {equal} equal, {explained} explained, {not_captured} not captured",
            incident.name,
            incident.commands.len()
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

/// A snapshot with both that answer on it, and what they are asked.
struct Incident {
    name: String,
    interpreter: Interpreter,
    real: Client,
    _server: Server,
    commands: Vec<String>,
}

impl Incident {
    fn open(name: &str, kubectl: &Path, commands: fn(&Interpreter) -> Vec<String>) -> Self {
        let interpreter = Interpreter::open(name);
        let server = Server::start(name);
        Self {
            name: name.to_owned(),
            real: server.client(kubectl, &interpreter.now),
            _server: server,
            commands: commands(&interpreter),
            interpreter,
        }
    }

    fn ask(&self, command: &str) -> Answer {
        let ours = self.interpreter.run(command);
        if ours.verdict == Verdict::NotCaptured {
            return Answer::NotCaptured(ours.stderr);
        }
        Answer::Both {
            ours: said(&ours),
            theirs: self.real.run(command),
        }
    }
}

enum Answer {
    NotCaptured(String),
    Both { ours: Said, theirs: Said },
}

/// What is said where a wait reaches the end of the recording.
const END_OF_RECORDING: &str =
    "notice: what changes after this moment is not available in this recording\n";
/// The exit code of what `timeout` stopped.
const STOPPED: i32 = 124;

/// Whether the real one still waited when it was stopped, and both had said the same until then: a
/// rollout that hangs when the recording ends.
fn waits_beyond(ours: &Said, theirs: &Said) -> bool {
    theirs.code == STOPPED
        && theirs.stdout == ours.stdout
        && ours.stderr.strip_suffix(END_OF_RECORDING) == Some(theirs.stderr.as_str())
}

type Slot = Mutex<Option<Answer>>;

/// Asks everything, as many at a time as there are processors, and some more, since some wait.
fn ask_all(incidents: &[Incident]) -> Vec<Vec<Slot>> {
    let answers: Vec<Vec<Slot>> = incidents
        .iter()
        .map(|incident| incident.commands.iter().map(|_| Slot::default()).collect())
        .collect();
    let work = incidents
        .iter()
        .zip(&answers)
        .flat_map(|(incident, slots)| {
            let commands = incident.commands.iter().zip(slots);
            commands.map(move |(command, slot)| (incident, command, slot))
        });
    let work = Mutex::new(work);
    let threads = std::thread::available_parallelism().map_or(2, usize::from) + 1;
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let next = work.lock().unwrap().next();
                    let Some((incident, command, slot)) = next else {
                        return;
                    };
                    *slot.lock().unwrap() = Some(incident.ask(command));
                }
            });
        }
    });
    answers
}

/// A real cluster's support bundle as a snapshot: it has kinds that the samples lack.
fn support_bundle(place: &Place) -> String {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/k8s-support-bundle");
    place.ok(&[
        "import",
        "k8s-support-bundle",
        source.to_str().unwrap(),
        "--out",
        "support-bundle",
    ]);
    place.path("support-bundle").to_str().unwrap().to_owned()
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

    /// Every kind that was listed of a support bundle, in every form; every namespace of the kinds
    /// that are in some only.
    fn bundle_commands(&self) -> Vec<String> {
        let ask = |command: &str| self.run(&format!("kubectl {command}")).stdout;
        let kinds = ask("api-resources --verbs=list -o name");
        let namespaces = ask("get namespaces -o name");
        let mut commands = Vec::new();
        for kind in kinds.lines() {
            let mut scopes = vec!["-A".to_owned()];
            let everywhere = self.run(&format!("kubectl get {kind} -A"));
            if everywhere.verdict == Verdict::NotCaptured {
                let names = namespaces
                    .lines()
                    .map(|name| name.trim_start_matches("namespace/"));
                scopes.extend(names.map(|name| format!("-n {name}")));
            }
            for scope in scopes {
                let known = self.run(&format!("kubectl get {kind} {scope}"));
                if known.verdict == Verdict::NotCaptured {
                    continue;
                }
                for what in [
                    "",
                    " -o wide --show-labels",
                    " -o yaml",
                    " -o json",
                    " -o name",
                ] {
                    commands.push(format!("kubectl get {kind} {scope}{what}"));
                }
                commands.push(format!("kubectl describe {kind} {scope}"));
            }
        }
        commands
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
