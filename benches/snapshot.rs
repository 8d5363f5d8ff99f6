//! Writing and opening a snapshot.

use aiopslab_datasets::manifest::ManifestDraft;
use aiopslab_datasets::rows::{LogLine, MetricSample};
use aiopslab_datasets::samples::samples;
use aiopslab_datasets::{Snapshot, SnapshotWriter, Visibility};
use camino::Utf8Path;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

const LINES: u64 = 100_000;
const SAMPLES: u64 = 500_000;

fn write(criterion: &mut Criterion) {
    let lines: Vec<LogLine> = (0..LINES).map(line).collect();
    let values: Vec<MetricSample> = (0..SAMPLES).map(sample).collect();
    let mut group = criterion.benchmark_group("write");
    group.sample_size(10);
    group.bench_function("100k log lines, 500k samples", |bencher| {
        bencher.iter_batched(
            || tempfile::tempdir().expect("a temporary folder"),
            |dir| {
                let root = Utf8Path::from_path(dir.path())
                    .expect("a UTF-8 path")
                    .join("snapshot");
                let writer = SnapshotWriter::create(&root).expect("an empty folder");
                writer
                    .append_rows(Visibility::Visible, &lines)
                    .expect("space on the disk");
                writer
                    .append_rows(Visibility::Visible, &values)
                    .expect("space on the disk");
                writer.finish(draft()).expect("space on the disk");
                dir
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn open(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let root = Utf8Path::from_path(dir.path()).expect("a UTF-8 path");
    let sample = samples()
        .first()
        .expect("a shipped sample")
        .write_below(root)
        .expect("space on the disk");
    criterion.bench_function("open", |bencher| {
        bencher.iter(|| Snapshot::open(&sample).expect("a sound sample"));
    });
    let snapshot = Snapshot::open(&sample).expect("a sound sample");
    criterion.bench_function("logical digest", |bencher| {
        bencher.iter(|| snapshot.logical_digest().expect("a sound sample"));
    });
}

fn line(seq: u64) -> LogLine {
    LogLine {
        instance_id: seq % 20,
        seq: seq / 20,
        timestamp: 1_790_000_000_000_000_000 + i64::try_from(seq).unwrap_or(0) * 1_000_000,
        message: format!(
            r#"{{"level":"info","message":"GET /hotels 200","latency_ms":{}}}"#,
            seq % 97
        )
        .into_bytes(),
        stream: None,
        namespace: "hotel-testbed".to_owned(),
        service: Some("search".to_owned()),
        pod: format!("search-{}", seq % 20),
        container: "search".to_owned(),
    }
}

fn sample(number: u64) -> MetricSample {
    MetricSample {
        series_id: number % 1_000,
        timestamp: 1_790_000_000_000 + i64::try_from(number / 1_000).unwrap_or(0) * 5_000,
        value: (number % 1_013) as f64,
        histogram: None,
    }
}

fn draft() -> ManifestDraft {
    ManifestDraft {
        seed: "bench".to_owned(),
        application: "bench".to_owned(),
        ..ManifestDraft::default()
    }
}

criterion_group!(benches, write, open);
criterion_main!(benches);
