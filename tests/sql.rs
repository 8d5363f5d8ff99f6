//! SQL over snapshots: every named query with its golden, the prompt on a terminal, the tour.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use aiopslab::queries::{NamedQuery, queries};
use arrow::array::RecordBatch;
use arrow::util::display::FormatOptions;
use arrow::util::pretty::pretty_format_batches_with_options;
use assert_cmd::Command;
use camino::Utf8Path;

use aiopslab_datasets::Snapshot;
use aiopslab_replay::{Clock, SqlSession};

use crate::program::Place;

const PORT: &str = "k8s_target_port_misconfig_testbed-1";
const SCALE: &str = "scale_pod_zero_testbed-1";
const KILL: &str = "container_kill_testbed-1";

/// A query, the sample that it is asked of, and its parameters.
type Asked = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

/// Queries whose answer says more on another sample than [`PORT`], or with other parameters.
const ASKED: [Asked; 16] = [
    ("counter-resets", KILL, &[]),
    ("deployments-short", SCALE, &[]),
    ("error-spans-by-edge", PORT, &[("errors", "yes")]),
    ("event-reasons", KILL, &[]),
    ("images", PORT, &[("namespace", "hotel-testbed")]),
    ("log-search", PORT, &[("text", "refused"), ("limit", "2")]),
    ("metrics-moved", PORT, &[("namespace", "hotel-testbed")]),
    ("oom-kills", KILL, &[]),
    ("pods-not-ready", KILL, &[]),
    ("restarts", KILL, &[]),
    ("series-ended", KILL, &[]),
    ("services-without-endpoints", SCALE, &[]),
    ("silent-services", SCALE, &[]),
    ("status-changes", KILL, &[("name", "rate-554")]),
    ("timeline", KILL, &[("limit", "12")]),
    ("what-changed", SCALE, &[]),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Whether what was expected is written anew instead of compared.
fn is_update() -> bool {
    std::env::var("AIOPSLAB_UPDATE").is_ok_and(|value| value == "1")
}

async fn session(sample: &str) -> SqlSession {
    let dir = root().join("datasets/samples").join(sample);
    let snapshot = Snapshot::open(Utf8Path::from_path(&dir).unwrap()).unwrap();
    SqlSession::open(&snapshot, Clock::End).await.unwrap()
}

/// On which sample a query is asked, and with which parameters.
fn asked(query: &NamedQuery) -> (&'static str, BTreeMap<String, String>) {
    let special = ASKED.iter().find(|asked| asked.0 == query.name);
    let (sample, given) = special.map_or((PORT, &[][..]), |asked| (asked.1, asked.2));
    let mut values = BTreeMap::new();
    if query
        .header
        .parameters
        .iter()
        .any(|one| one.name == "limit")
    {
        values.insert("limit".to_owned(), "5".to_owned());
    }
    let given = given
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    values.extend(given);
    (sample, values)
}

#[tokio::test]
async fn named_queries_answer_as_before() {
    let mut sessions: BTreeMap<&str, SqlSession> = BTreeMap::new();
    let goldens = root().join("tests/sql");
    let mut different = Vec::new();
    for query in queries() {
        let (sample, values) = asked(query);
        if !sessions.contains_key(sample) {
            sessions.insert(sample, session(sample).await);
        }
        let answer = sessions[sample]
            .query(&query.render(&values).unwrap())
            .await;
        let answer = answer.unwrap_or_else(|error| panic!("{}: {error}", query.name));
        let columns: Vec<&str> = answer
            .schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        let told: Vec<&str> = query.header.columns.iter().map(|column| column.0).collect();
        assert_eq!(columns, told, "{}", query.name);
        let empty = [RecordBatch::new_empty(answer.schema.clone())];
        let batches = match answer.rows() {
            0 => &empty[..],
            _ => &answer.batches[..],
        };
        let options = FormatOptions::new().with_null("-");
        let table = pretty_format_batches_with_options(batches, &options).unwrap();
        let given: Vec<String> = values
            .iter()
            .map(|(name, value)| format!(" {name}={value}"))
            .collect();
        let text = format!("{sample}{}\n{table}\n", given.concat());
        let golden = goldens.join(format!("{}.txt", query.name));
        if is_update() {
            std::fs::create_dir_all(&goldens).unwrap();
            std::fs::write(&golden, &text).unwrap();
        } else if std::fs::read_to_string(&golden).unwrap_or_default() != text {
            different.push(format!("{}\n{text}", golden.display()));
        }
    }
    assert!(
        different.is_empty(),
        "AIOPSLAB_UPDATE=1 writes these anew:\n{}",
        different.join("\n")
    );
}

#[tokio::test]
async fn named_queries_go_over_many_snapshots() {
    let snapshots = [PORT, SCALE].map(|name| {
        let dir = root().join("datasets/samples").join(name);
        (
            name.to_owned(),
            Snapshot::open(Utf8Path::from_path(&dir).unwrap()).unwrap(),
        )
    });
    let limits = aiopslab_replay::SqlLimits::default();
    let session = SqlSession::open_all(snapshots.to_vec(), Clock::End, &limits)
        .await
        .unwrap();
    for query in queries() {
        let text = query.render(&BTreeMap::new()).unwrap();
        let answer = session.query(&text).await;
        assert!(answer.is_ok(), "{}: {:?}", query.name, answer.err());
    }
}

#[test]
fn queries_are_listed_and_explained() {
    let place = Place::new();
    let list = place.ok(&["query"]);
    assert_eq!(list.lines().count(), queries().len());
    let told = place.ok(&["query", "restarts"]);
    for part in [
        "Parameters",
        "namespace=''",
        "Columns:",
        "Query:",
        "FROM containers",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    place.refused(&["query", "restart"], &["no query named", "restarts"]);
    place.refused(
        &["query", "restarts", "-s", PORT, "x=1"],
        &["no parameter \"x\"", "namespace"],
    );
    let shown = place.ok(&[
        "query",
        "what-changed",
        "-s",
        PORT,
        "since=2m",
        "--format",
        "csv",
    ]);
    assert!(
        shown.contains(
            "services/rate,hotel-testbed,changed,spec.ports[name=http].targetPort,8080,9999"
        ),
        "{shown}"
    );
}

#[test]
fn statements_come_as_an_argument_from_a_file_or_from_standard_input() {
    let place = Place::new();
    let both = place.ok(&[
        "sql",
        "-s",
        PORT,
        "select 1 as one; select 'a;b' as two",
        "--format",
        "csv",
    ]);
    assert_eq!(both, "one\n1\ntwo\na;b\n");
    let nested = place.ok(&[
        "sql",
        "-s",
        PORT,
        "--format",
        "csv",
        "select labels from metric_series where name = 'up' limit 1",
    ]);
    assert!(nested.contains("job"), "{nested}");
    let none = place.ok(&[
        "sql",
        "-s",
        PORT,
        "--format",
        "csv",
        "select service from spans where false",
    ]);
    assert_eq!(none, "service\n");
    let mut piped = Command::cargo_bin("aiopslab").unwrap();
    let piped = piped
        .args(["sql", "-s", PORT, "-s", SCALE, "--format", "csv"])
        .write_stdin("select snapshot, count(*) as n from snapshots group by snapshot order by 1;\n-- done\n")
        .assert()
        .success();
    let shown = String::from_utf8_lossy(&piped.get_output().stdout).into_owned();
    assert_eq!(shown, format!("snapshot,n\n{PORT},1\n{SCALE},1\n"));
    let analyzed = place.ok(&[
        "sql",
        "-s",
        PORT,
        "explain analyze select count(*) from logs",
    ]);
    assert!(analyzed.contains("output_rows=1"), "{analyzed}");
    place.refused(&["sql", "-s", PORT], &["there is no statement"]);
    place.refused_as_usage(
        &["sql", "-s", PORT, "--memory", "some", "select 1"],
        &["--memory"],
    );
    place.refused(
        &[
            "sql",
            "-s",
            PORT,
            "--memory",
            "1MiB",
            "select * from spans order by message",
        ],
        &["Resources exhausted", "more memory"],
    );
}

/// Types at the prompt: a line each time when the prompt has come and nothing follows it; `^C` after
/// a moment, while the statement runs.
const TYPIST: &str = r#"
import os, pty, re, select, sys, time
lines = [line.encode() for line in sys.argv[1].split("|")]
process, terminal = pty.fork()
if process == 0:
    os.execv(sys.argv[2], sys.argv[2:])
shown, seen = b"", b""
while True:
    if not select.select([terminal], [], [], 1)[0]:
        plain = re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", shown).rstrip()
        if lines and plain.endswith(b"sql>"):
            shown = b""
            os.write(terminal, lines.pop(0))
            if lines and lines[0] == b"\x03":
                time.sleep(3)
                os.write(terminal, lines.pop(0))
        continue
    try:
        part = os.read(terminal, 4096)
    except OSError:
        break
    if not part:
        break
    shown, seen = shown + part, seen + part
sys.stdout.write(seen.decode(errors="replace"))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
"#;

#[test]
fn the_prompt_answers_completes_and_cancels() {
    let place = Place::new();
    let program = Command::cargo_bin("aiopslab").unwrap();
    let typed = [
        "\\d\r",
        "\\d changes\r",
        // Tab completes a table; the statement goes on in the next line.
        "select 40 +\r 2 as answer from deploym\t limit 1;\r",
        "\\format csv\r",
        "select 'a' as x, 7 as y;\r",
        "\\timing\r",
        "select nonsense;\r",
        "select sum(a.flags + b.series_id) from spans a cross join metric_samples b;\r",
        "\u{3}",
        "\\query images namespace=hotel-testbed\r",
        "select 'still here' as z;\r",
        "\\q\r",
    ];
    let output = std::process::Command::new("python3")
        .args(["-c", TYPIST, &typed.join("|")])
        .arg(program.get_program())
        .args(["sql", "-s", PORT])
        .current_dir(place.path(""))
        .env("HOME", place.path(""))
        .env_remove("XDG_STATE_HOME")
        .env("PAGER", "cat")
        .env("TERM", "xterm")
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{shown}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for part in [
        "log_templates",
        "where, e.g. spec.ports[0].targetPort",
        "| 42 ",
        "x,y",
        "a,7",
        "timing is on",
        "No field named nonsense",
        "cancelled after 0 rows",
        "docker.io/aiopslab/testbed",
        "still here",
        " ms",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let history = std::fs::read_to_string(place.path(".local/state/aiopslab/sql_history")).unwrap();
    assert!(history.contains("still here"), "{history}");
}

/// A statement of a document and the answer that it shows.
struct Shown {
    statement: String,
    answer: String,
}

/// The ```sql blocks of a document, each with the ```text block after it.
fn shown(document: &str) -> Vec<Shown> {
    let mut all: Vec<Shown> = Vec::new();
    let mut blocks = document.split("\n```");
    // Before the first fence, and after each closing one, there is prose.
    blocks.next();
    while let (Some(block), Some(_)) = (blocks.next(), blocks.next()) {
        let Some((language, text)) = block.split_once('\n') else {
            continue;
        };
        match language {
            "sql" => all.push(Shown {
                statement: text.to_owned(),
                answer: String::new(),
            }),
            "text" => all.last_mut().unwrap().answer = format!("{text}\n"),
            _ => {}
        }
    }
    all
}

#[test]
fn the_tour_shows_what_is_answered() {
    let path: PathBuf = root().join("docs/sql-tour.md");
    let mut document = std::fs::read_to_string(&path).unwrap();
    let place = Place::new();
    let all = shown(&document);
    assert!(all.len() >= 8, "{}", all.len());
    for Shown { statement, answer } in all {
        let answered = place.ok(&["sql", "-s", PORT, &statement]);
        if is_update() {
            let block = format!("```sql\n{statement}\n```\n\n```text\n");
            let (before, after) = document.split_once(&block).unwrap();
            let rest = after.strip_prefix(&answer).unwrap();
            document = format!("{before}{block}{answered}{rest}");
        } else {
            assert_eq!(
                answered, answer,
                "{statement}\nAIOPSLAB_UPDATE=1 writes it anew"
            );
        }
    }
    if is_update() {
        std::fs::write(path, document).unwrap();
    }
}

#[test]
fn the_reference_names_every_view_and_function() {
    let text = std::fs::read_to_string(root().join("docs/sql.md")).unwrap();
    for view in aiopslab_replay::sql::views() {
        let line = format!("| `{}` | {} |", view.name, view.header.title);
        assert!(text.contains(&line), "docs/sql.md lacks: {line}");
    }
    for (call, gives) in aiopslab_replay::sql::FUNCTIONS {
        let line = format!("| `{call}` | {gives} |");
        assert!(text.contains(&line), "docs/sql.md lacks: {line}");
    }
}
