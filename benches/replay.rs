//! Each action, a SQL aggregate, and a whole episode on a shipped sample.

use aiopslab::agents::AgentSpec;
use aiopslab::evaluation::{self, Options, Plan, Wanted};
use aiopslab::library::Library;
use aiopslab::settings::Settings;
use aiopslab_datasets::Snapshot;
use aiopslab_problems::action::{Action, ActionSet};
use aiopslab_problems::environment::{Environment, Observation};
use aiopslab_problems::episode::Limits;
use aiopslab_replay::{Clock, ReplayEnvironment, ReplayOptions, SqlSession};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

const SAMPLE: &str = "k8s_target_port_misconfig_testbed-1";
const NAMESPACE: &str = "hotel-testbed";

struct Scene {
    runtime: Runtime,
    settings: Settings,
    library: Library,
    snapshot: Snapshot,
    options: ReplayOptions,
}

impl Scene {
    fn new() -> Self {
        let settings = Settings::load(&aiopslab::cli::Global::default()).expect("settings");
        let library = Library::open(&settings).expect("the catalog");
        let dir = library.find(SAMPLE).expect("the sample");
        let application = library.application(NAMESPACE).expect("the testbed").clone();
        let options = ReplayOptions {
            clock: Clock::End,
            ..ReplayOptions::new(application)
        };
        let snapshot = Snapshot::open(&dir).expect("a sound sample");
        Self {
            runtime: Runtime::new().expect("a runtime"),
            settings,
            library,
            snapshot,
            options,
        }
    }

    fn environment(&self) -> ReplayEnvironment {
        ReplayEnvironment::new(&self.snapshot, &self.options).expect("a sound sample")
    }

    fn act(&self, environment: &mut ReplayEnvironment, action: &Action) -> Observation {
        self.runtime
            .block_on(environment.act(action))
            .expect("a sound sample")
    }
}

fn actions(criterion: &mut Criterion) {
    let scene = Scene::new();
    let namespace = || NAMESPACE.to_owned();
    let shell = |command: &str| Action::ExecShell {
        command: command.to_owned(),
        timeout: 30,
    };
    let all = [
        (
            "get_logs",
            Action::GetLogs {
                namespace: namespace(),
                service: "search".to_owned(),
            },
        ),
        (
            "get_metrics",
            Action::GetMetrics {
                namespace: namespace(),
                duration: 5,
            },
        ),
        (
            "get_traces",
            Action::GetTraces {
                namespace: namespace(),
                duration: 5,
            },
        ),
        (
            "kubectl get pods",
            shell("kubectl get pods -n hotel-testbed"),
        ),
        (
            "kubectl get pods -A -o json",
            shell("kubectl get pods -A -o json"),
        ),
        (
            "kubectl describe service",
            shell("kubectl describe service rate -n hotel-testbed"),
        ),
        (
            "kubectl logs | grep | tail",
            shell("kubectl logs deploy/search -n hotel-testbed | grep error | tail -5"),
        ),
        (
            "kubectl get events",
            shell("kubectl get events -n hotel-testbed"),
        ),
    ];
    let mut group = criterion.benchmark_group("action, first in its episode");
    group.sample_size(20);
    for (name, action) in &all {
        group.bench_function(*name, |bencher| {
            bencher.iter_batched(
                || scene.environment(),
                |mut environment| scene.act(&mut environment, action),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
    let mut group = criterion.benchmark_group("action, later in its episode");
    group.sample_size(20);
    for (name, action) in &all {
        let mut environment = scene.environment();
        scene.act(&mut environment, action);
        group.bench_function(*name, |bencher| {
            bencher.iter(|| scene.act(&mut environment, action))
        });
    }
    group.finish();
}

fn sql(criterion: &mut Criterion) {
    let scene = Scene::new();
    let session = scene
        .runtime
        .block_on(SqlSession::open(&scene.snapshot, Clock::End))
        .expect("a session");
    let text =
        "select service, count(*), avg(duration_ms) from traces group by service order by service";
    criterion.bench_function("sql aggregate over spans", |bencher| {
        bencher.iter(|| {
            scene
                .runtime
                .block_on(session.query(text))
                .expect("an answer")
        });
    });
}

fn episode(criterion: &mut Criterion) {
    let scene = Scene::new();
    let out = tempfile::tempdir().expect("a temporary folder");
    let wanted = Wanted {
        problems: vec![format!("{}-localization-1", SAMPLE.trim_end_matches("-1"))],
        ..Wanted::default()
    };
    let plan = Plan::make(&scene.library, &[], &wanted).expect("the sample's problem");
    let script = out.path().join("script");
    std::fs::write(&script, SCRIPT).expect("space on the disk");
    let agent = format!("scripted:{}", script.display());
    let agent = AgentSpec::named(&agent, &scene.settings.llm).expect("an agent");
    let options = Options {
        limits: Limits::steps(20),
        upstream: false,
        upstream_visibility: false,
        action_set: ActionSet::Upstream,
        jobs: 1,
        repeat: 1,
        out: out
            .path()
            .join("results")
            .to_string_lossy()
            .into_owned()
            .into(),
        resume: false,
    };
    let cancel = CancellationToken::new();
    let mut group = criterion.benchmark_group("episode");
    group.sample_size(20);
    group.bench_function("six scripted steps", |bencher| {
        bencher.iter(|| {
            let run = evaluation::run(
                &plan,
                std::slice::from_ref(&agent),
                &options,
                &cancel,
                || {},
            );
            scene.runtime.block_on(run).expect("an evaluation")
        });
    });
    group.finish();
}

const SCRIPT: &str = "\
exec_shell(\"kubectl get pods -n hotel-testbed\")
---
exec_shell(\"kubectl get events -n hotel-testbed\")
---
get_logs(\"hotel-testbed\", \"search\")
---
get_traces(\"hotel-testbed\", 2)
---
exec_shell(\"kubectl describe service rate -n hotel-testbed\")
---
submit([\"rate\"])
";

criterion_group!(benches, actions, sql, episode);
criterion_main!(benches);
