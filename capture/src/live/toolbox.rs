//! The pod that an agent's shell runs in: inside the cluster, with rights of its own, never on the host.

use std::time::Duration;

use aiopslab_problems::answer;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::rights::{self, Granted, Rights, Surroundings};
use crate::cluster::{Cluster, ClusterError, ExecCall, PatchKind};
use crate::error::CaptureError;
use crate::journal;
use crate::resource::{is_ready_pod, text, with_labels};

/// The image that has a shell, kubectl, jq, curl and text tools; `lab/images` makes it.
pub const TOOLBOX_IMAGE: &str = "docker.io/aiopslab/toolbox:1";

/// Name of its namespace, service account, container and roles. An agent sees it; it tells nothing.
pub(super) const NAME: &str = "toolbox";
/// The label that everything of it is found by.
const LABEL: (&str, &str) = (journal::LABEL.0, NAME);
/// Why a container waits for an image that will not come.
const NO_IMAGE: [&str; 3] = ["ErrImageNeverPull", "ImagePullBackOff", "InvalidImageName"];
/// How long its pod may take to start.
const READY_WITHIN: Duration = Duration::from_secs(90);
/// How much longer than the command the whole exchange may take.
const GRACE: Duration = Duration::from_secs(20);
/// The longest that a command may ask for, in seconds.
const LONGEST: i64 = 600;
/// Largest file that a command may write.
const FILE_BYTES: usize = 64 << 20;
/// Processes that an agent may have.
const PROCESSES: usize = 512;

/// Runs one command and tells how it ended on a first line of its own. Output goes through files: a
/// process left in the background would keep a pipe open. What a command leaves behind after its
/// time is found by its environment, whatever session it has moved to.
const RUN: &str = r#"
d=$(mktemp -d /var/tmp/.call.XXXXXX) || exit 125
cd /
{
  (
    ulimit -f "$3" -u "$4"
    CALL=$d exec timeout -k 2 "$2" bash -c "$1" </dev/null >"$d/out" 2>"$d/err"
  )
  code=$?
} 2>/dev/null
stopped=0
if [ "$SECONDS" -ge "$2" ]; then
  case $code in 124 | 137)
    stopped=1
    for process in /proc/[0-9]*; do
      grep -qsz "^CALL=$d\$" "$process/environ" && kill -9 "${process#/proc/}" 2>/dev/null
    done ;;
  esac
fi
echo "$code $stopped"
head -c "$5" "$d/out"
head -c "$5" "$d/err" >&2
rm -rf "$d"
"#;

/// Writes files: a line with size and path each, followed by the content.
const WRITE: &str = r#"
while read -r size path && [ "$size" != end ]; do
  mkdir -p "$(dirname "$path")" && head -c "$size" >"$path" || exit 1
done
"#;

/// Which image, and what an agent may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolboxOptions {
    /// The image.
    pub image: String,
    /// The rights.
    pub rights: Granted,
}

impl Default for ToolboxOptions {
    fn default() -> Self {
        Self {
            image: TOOLBOX_IMAGE.to_owned(),
            rights: Granted::default(),
        }
    }
}

/// What a command did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ran {
    /// Standard output, cut where it is too much.
    pub(super) stdout: String,
    /// Standard error, with a notice if the command was stopped.
    pub(super) stderr: String,
    /// Exit code.
    pub(super) exit_code: i32,
    /// Whether something is missing: it was stopped, or its output was cut.
    pub(super) is_partial: bool,
}

/// A toolbox that runs.
pub(super) struct Toolbox {
    cluster: Cluster,
    image: String,
    pod: String,
}

pub(super) fn labels() -> Value {
    json!({LABEL.0: LABEL.1})
}

impl Toolbox {
    /// Starts a pod of its own, with an empty home folder, and takes older ones away.
    pub(super) async fn start(cluster: &Cluster, image: &str) -> Result<Self, CaptureError> {
        let pods = format!("/api/v1/namespaces/{NAME}/pods");
        let old = cluster.list(&pods).await?;
        let started = Timestamp::now().as_millisecond();
        let toolbox = Self {
            cluster: cluster.clone(),
            image: image.to_owned(),
            pod: format!("{NAME}-{started:x}"),
        };
        cluster
            .create(&pods, &pod(&toolbox.pod, &toolbox.image))
            .await?;
        for pod in &old {
            cluster
                .delete(&format!("{pods}/{}", text(pod, "/metadata/name")))
                .await?;
        }
        let until = Instant::now() + READY_WITHIN;
        loop {
            let found = cluster
                .find_json(&format!("{pods}/{}", toolbox.pod))
                .await?;
            if found.as_ref().is_some_and(is_ready_pod) {
                return Ok(toolbox);
            }
            let state = "/status/containerStatuses/0/state/waiting/reason";
            let reason = found.map_or(String::new(), |pod| text(&pod, state).to_owned());
            if Instant::now() > until || NO_IMAGE.contains(&reason.as_str()) {
                return Err(CaptureError::NotReady(vec![format!(
                    "toolbox: its pod does not get ready: {reason}\nhint: the image {image} must be on the nodes; `lab/images` brings it to the lab",
                )]));
            }
            sleep(Duration::from_millis(300)).await;
        }
    }

    /// Whether its pod is there and ready.
    pub(super) async fn is_ready(&self) -> Result<bool, ClusterError> {
        let path = format!("/api/v1/namespaces/{NAME}/pods/{}", self.pod);
        let found = self.cluster.find_json(&path).await?;
        Ok(found.as_ref().is_some_and(is_ready_pod))
    }

    /// Starts anew where the pod was lost.
    pub(super) async fn restart(&mut self) -> Result<(), CaptureError> {
        *self = Self::start(&self.cluster, &self.image).await?;
        Ok(())
    }

    /// Runs a command line for at most so many seconds.
    pub(super) async fn run(&self, command: &str, seconds: i64) -> Result<Ran, ClusterError> {
        let seconds = seconds.clamp(1, LONGEST);
        let more = answer::OUTPUT_BYTES + 1;
        let arguments = [
            command.to_owned(),
            seconds.to_string(),
            (FILE_BYTES / 1024).to_string(),
            PROCESSES.to_string(),
            more.to_string(),
        ];
        let limit = Duration::from_secs(seconds.unsigned_abs()) + GRACE;
        let answer = self.bash(RUN, &arguments, &[], limit).await?;
        Ok(read_run(&answer.stdout, &answer.stderr, seconds))
    }

    /// Writes files; their folders are made.
    pub(super) async fn write(&self, files: &[(String, String)]) -> Result<(), ClusterError> {
        let mut input = Vec::new();
        for (path, content) in files {
            input.extend(format!("{} {path}\n", content.len()).into_bytes());
            input.extend(content.as_bytes());
        }
        input.extend(b"end\n");
        self.bash(WRITE, &[], &input, GRACE * 3).await?;
        Ok(())
    }

    /// The text of a file; none: there is no such file, or it can't be read.
    pub(super) async fn read(&self, path: &str) -> Result<Option<String>, ClusterError> {
        let script = r#"cd /; [ -f "$1" ] && head -c "$2" -- "$1""#;
        let arguments = [path.to_owned(), answer::OUTPUT_BYTES.to_string()];
        let answer = self.bash(script, &arguments, &[], GRACE).await?;
        let read = answer.exit_code == 0;
        Ok(read.then(|| String::from_utf8_lossy(&answer.stdout).into_owned()))
    }

    async fn bash(
        &self,
        script: &str,
        arguments: &[String],
        input: &[u8],
        limit: Duration,
    ) -> Result<crate::cluster::ExecAnswer, ClusterError> {
        let mut argv: Vec<String> = ["/bin/bash", "-c", script, "bash"]
            .map(str::to_owned)
            .into();
        argv.extend_from_slice(arguments);
        self.cluster
            .exec_call(ExecCall {
                namespace: NAME,
                pod: &self.pod,
                container: Some(NAME),
                argv: &argv,
                input,
                keep: answer::OUTPUT_BYTES as u64 + 100,
                limit,
            })
            .await
    }
}

/// Reads what [`RUN`] printed.
fn read_run(stdout: &[u8], stderr: &[u8], seconds: i64) -> Ran {
    let text = String::from_utf8_lossy(stdout);
    let (first, stdout) = text.split_once('\n').unwrap_or((&text, ""));
    let (code, stopped) = first.split_once(' ').unwrap_or((first, "0"));
    let mut ran = Ran {
        stdout: stdout.to_owned(),
        stderr: String::from_utf8_lossy(stderr).into_owned(),
        exit_code: code.parse().unwrap_or(-1),
        is_partial: stopped == "1",
    };
    for text in [&mut ran.stdout, &mut ran.stderr] {
        ran.is_partial |= answer::cut_output(text);
    }
    if stopped == "1" {
        ran.exit_code = 124;
        answer::add_stopped(&mut ran.stderr, seconds);
    }
    ran
}

fn pod(name: &str, image: &str) -> Value {
    // The first process takes in the orphans of whatever ran.
    let wait = "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done";
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": NAME, "labels": labels()},
        "spec": {
            "serviceAccountName": NAME,
            "terminationGracePeriodSeconds": 0,
            "enableServiceLinks": false,
            "securityContext": {"runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001, "runAsNonRoot": true},
            "containers": [{
                "name": NAME,
                "image": image,
                "imagePullPolicy": "IfNotPresent",
                "command": ["/bin/bash", "-c", wait],
                // kubectl takes its namespace from the second, as with a kubeconfig that names none.
                "env": [{"name": "HOME", "value": "/root"}, {"name": "POD_NAMESPACE", "value": "default"}],
                "resources": {"limits": {"cpu": "1", "memory": "512Mi"}, "requests": {"cpu": "50m", "memory": "64Mi"}},
                "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
                "volumeMounts": [{"name": "home", "mountPath": "/root"}, {"name": "exports", "mountPath": answer::FILES_ROOT}],
            }],
            "volumes": [{"name": "home", "emptyDir": {}}, {"name": "exports", "emptyDir": {}}],
        },
    })
}

/// Makes namespace, service account and the rights that every task needs, or brings them up to date.
pub(super) async fn prepare(cluster: &Cluster, rights: Granted) -> Result<(), CaptureError> {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAME, "labels": labels()}});
    let path = format!("/api/v1/namespaces/{NAME}");
    // What an earlier evaluation left may be on its way out.
    let until = Instant::now() + READY_WITHIN;
    while let Some(found) = cluster.find_json(&path).await?
        && found.pointer("/metadata/deletionTimestamp").is_some()
        && Instant::now() < until
    {
        sleep(Duration::from_millis(500)).await;
    }
    if let Some(found) = cluster.find_json(&path).await?
        && found["metadata"]["labels"][LABEL.0] != LABEL.1
    {
        return Err(CaptureError::NotReady(vec![format!(
            "toolbox: there is a namespace {NAME} that is not ours\nhint: it is needed for the agent's shell; rename or remove yours"
        )]));
    }
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"name": NAME, "namespace": NAME, "labels": labels()}});
    apply_all(cluster, &[namespace, account]).await?;
    if rights.reaches_everywhere() {
        return apply_all(cluster, &rights::everything()).await;
    }
    let names = |objects: Vec<Value>| -> Vec<String> {
        let names = objects
            .iter()
            .map(|one| text(one, "/metadata/name").to_owned());
        names.collect()
    };
    let namespaces = names(cluster.list("/api/v1/namespaces").await?);
    let settings = format!("/api/v1/namespaces/{}/configmaps", journal::NAMESPACE);
    let settings = names(cluster.list(&settings).await?);
    let around = Surroundings {
        resources: cluster.resources().await?,
        namespaces: &namespaces,
        settings: &settings,
    };
    apply_all(cluster, &rights::everywhere(&around)).await
}

/// Gives the agent of one episode its rights inside the application's namespace.
pub(super) async fn grant(
    cluster: &Cluster,
    rights: Rights,
    application: &str,
) -> Result<(), CaptureError> {
    apply_all(cluster, &rights::inside(rights, application)).await
}

async fn apply_all(cluster: &Cluster, objects: &[Value]) -> Result<(), CaptureError> {
    for object in objects {
        apply(cluster, object).await?;
    }
    Ok(())
}

async fn apply(cluster: &Cluster, object: &Value) -> Result<(), CaptureError> {
    let resource = cluster.resolve(text(object, "/kind")).await?;
    let path = resource.object(
        text(object, "/metadata/namespace"),
        text(object, "/metadata/name"),
    );
    cluster.patch(&path, PatchKind::Apply, object).await?;
    Ok(())
}

/// Takes everything of it off the cluster; says whether there was anything.
pub(crate) async fn delete(cluster: &Cluster) -> Result<bool, CaptureError> {
    let mut was_there = false;
    let query = with_labels([LABEL]);
    for kind in [
        "namespaces",
        "clusterrolebindings",
        "clusterroles",
        "rolebindings",
        "roles",
    ] {
        let resource = cluster.resolve(kind).await?;
        let found = cluster
            .list(&format!("{}?{query}", resource.collection(None)))
            .await?;
        for object in found {
            let path = resource.object(
                text(&object, "/metadata/namespace"),
                text(&object, "/metadata/name"),
            );
            was_there |= cluster.delete(&path).await?;
        }
    }
    Ok(was_there)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_a_command_ended_is_on_a_line_of_its_own() {
        let ran = read_run(b"3 0\nout\n", b"err", 30);
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("out\n", "err"));
        assert_eq!((ran.exit_code, ran.is_partial), (3, false));
        let ran = read_run(b"137 1\nhalf", b"", 5);
        assert_eq!(
            ran.stderr,
            "notice: stopped after 5 s, the timeout of this action\n"
        );
        assert_eq!((ran.exit_code, ran.is_partial), (124, true));
        let ran = read_run(b"", b"no shell", 5);
        assert_eq!((ran.exit_code, ran.stdout.as_str()), (-1, ""));
    }

    #[test]
    fn too_much_output_is_cut_and_said() {
        let mut stdout = b"0 0\n".to_vec();
        stdout.resize(answer::OUTPUT_BYTES + 5, b'y');
        let ran = read_run(&stdout, b"", 30);
        assert!(ran.is_partial);
        assert!(
            ran.stdout
                .ends_with("y\nnotice: the rest of the output was cut\n")
        );
    }

    /// Runs [`RUN`] where these tests run.
    #[cfg(unix)]
    fn run_here(command: &str, seconds: i64, most: usize) -> Ran {
        let numbers = [seconds, 65536, 100_000].map(|number| number.to_string());
        let output = std::process::Command::new("bash")
            .args(["-c", RUN, "bash", command])
            .args(numbers)
            .arg(most.to_string())
            .output()
            .unwrap();
        read_run(&output.stdout, &output.stderr, seconds)
    }

    #[test]
    #[cfg(unix)]
    fn streams_and_exit_code_are_kept_apart() {
        let ran = run_here("echo out; echo err >&2; exit 3", 5, 100);
        assert_eq!(
            (ran.stdout.as_str(), ran.stderr.as_str()),
            ("out\n", "err\n")
        );
        assert_eq!((ran.exit_code, ran.is_partial), (3, false));
        let ran = run_here("yes", 5, 6); // ends at the largest file that it may write
        assert_eq!(ran.stdout, "y\ny\ny\n");
        assert_ne!(ran.exit_code, 0);
        // What goes on in the background holds nothing up.
        let started = std::time::Instant::now();
        assert_eq!(run_here("sleep 3 & echo done", 9, 100).stdout, "done\n");
        assert!(started.elapsed() < Duration::from_secs(3));
    }

    #[test]
    #[cfg(unix)]
    fn what_hangs_is_killed_with_everything_that_it_started() {
        let mark = format!("31.{}", std::process::id());
        let command =
            format!("setsid bash -c 'trap \"\" TERM; sleep {mark}; sleep {mark}' & sleep 30");
        let ran = run_here(&command, 1, 100);
        assert_eq!((ran.exit_code, ran.is_partial), (124, true));
        assert!(ran.stderr.contains("stopped after 1 s"), "{}", ran.stderr);
        let left = std::process::Command::new("bash")
            .args(["-c", "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '"])
            .output()
            .unwrap();
        let left = String::from_utf8_lossy(&left.stdout);
        assert!(!left.contains(&format!("sleep {mark}")), "{left}");
    }
}
