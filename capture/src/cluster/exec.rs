//! Commands in containers.

use std::time::Duration;

use http::Method;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::AttachParams;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::{Cluster, ClusterError};

/// How much of each stream is kept.
const LARGEST_OUTPUT: u64 = 4 << 20;

/// A command in a container.
#[derive(Debug, Clone, Copy)]
pub struct ExecCall<'a> {
    /// Namespace of the pod.
    pub namespace: &'a str,
    /// Name of the pod.
    pub pod: &'a str,
    /// The container; none: the first.
    pub container: Option<&'a str>,
    /// The command.
    pub argv: &'a [String],
    /// Its standard input; empty: it has none.
    pub input: &'a [u8],
    /// How many bytes of each stream are kept.
    pub keep: u64,
    /// How long it may take.
    pub limit: Duration,
}

/// What a command did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecAnswer {
    /// What it printed.
    pub stdout: Vec<u8>,
    /// What it printed as errors.
    pub stderr: Vec<u8>,
    /// Its exit code.
    pub exit_code: i32,
}

impl Cluster {
    /// Runs a command in a container and waits for its end.
    pub async fn exec(
        &self,
        namespace: &str,
        pod: &str,
        container: Option<&str>,
        argv: &[String],
        limit: Duration,
    ) -> Result<ExecAnswer, ClusterError> {
        self.exec_call(ExecCall {
            namespace,
            pod,
            container,
            argv,
            input: &[],
            keep: LARGEST_OUTPUT,
            limit,
        })
        .await
    }

    /// Runs a command in a container, with standard input where there is any, and waits for its end.
    pub async fn exec_call(&self, call: ExecCall<'_>) -> Result<ExecAnswer, ClusterError> {
        #[cfg(test)]
        if let Some(server) = &self.in_memory {
            return Ok(server.exec(&call));
        }
        let ExecCall {
            namespace,
            pod,
            argv,
            keep,
            ..
        } = call;
        let path = format!("/api/v1/namespaces/{namespace}/pods/{pod}/exec");
        let broken = |reason: String| ClusterError::Broken {
            method: Method::POST,
            path: path.clone(),
            reason,
        };
        let mut parameters = AttachParams::default()
            .stdin(!call.input.is_empty())
            .stdout(true)
            .stderr(true);
        parameters.container = call.container.map(str::to_owned);
        let run = async {
            let pods = Api::<Pod>::namespaced(self.client.clone(), namespace);
            let mut process = pods
                .exec(pod, argv.to_vec(), &parameters)
                .await
                .map_err(|error| ClusterError::from_kube(Method::POST, &path, &error))?;
            let stdin = process.stdin();
            let stdout = process.stdout();
            let stderr = process.stderr();
            let status = process.take_status();
            let (stdout, stderr, status, ()) = tokio::join!(
                drain(stdout, keep),
                drain(stderr, keep),
                async {
                    match status {
                        Some(status) => status.await,
                        None => None,
                    }
                },
                async {
                    // A command that reads no further ends, and its status tells.
                    if let Some(mut stdin) = stdin
                        && stdin.write_all(call.input).await.is_ok()
                    {
                        stdin.shutdown().await.ok();
                    }
                }
            );
            let status = status.ok_or_else(|| broken("it ended without a status".to_owned()))?;
            let code = exit_code(&serde_json::to_value(&status).unwrap_or_default());
            let exit_code = code.ok_or_else(|| {
                let message = status.message.unwrap_or_default();
                if !lacks_program(&message) {
                    return broken(message);
                }
                ClusterError::NoProgram {
                    program: argv.first().cloned().unwrap_or_default(),
                    message,
                }
            })?;
            Ok(ExecAnswer {
                stdout,
                stderr,
                exit_code,
            })
        };
        timeout(call.limit, run).await.unwrap_or_else(|_| {
            Err(broken(format!(
                "{argv:?} did not end within {:?}",
                call.limit
            )))
        })
    }
}

/// Reads a stream to its end, keeps the start.
async fn drain<R: AsyncRead + Unpin>(stream: Option<R>, keep: u64) -> Vec<u8> {
    let mut kept = Vec::new();
    let Some(mut stream) = stream else {
        return kept;
    };
    // A stream that breaks off leaves what came; the status tells how the command ended.
    if (&mut stream)
        .take(keep)
        .read_to_end(&mut kept)
        .await
        .is_ok()
    {
        tokio::io::copy(&mut stream, &mut tokio::io::sink())
            .await
            .ok();
    }
    kept
}

/// The exit code in the status that ends an exec stream; none if the command was never run.
fn exit_code(status: &serde_json::Value) -> Option<i32> {
    if status["status"] == "Success" {
        return Some(0);
    }
    let causes = status["details"]["causes"].as_array()?;
    let cause = causes.iter().find(|cause| cause["reason"] == "ExitCode")?;
    cause["message"].as_str()?.parse().ok()
}

/// Whether a container runtime says that there is no such program: runc's words, and crun's.
fn lacks_program(message: &str) -> bool {
    message.contains("executable file") && message.contains("not found in $PATH")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{exit_code, lacks_program};

    #[test]
    fn a_missing_program_is_told_from_other_failures() {
        let runc = "failed to start exec \"8896e2\": OCI runtime exec failed: exec failed: unable to start \
            container process: exec: \"nslookup\": executable file not found in $PATH: unknown";
        assert!(lacks_program(runc));
        assert!(!lacks_program("container \"geo\" is not running"));
    }

    #[test]
    fn the_exit_code_is_a_cause_of_the_status() {
        let failure = json!({"status": "Failure", "reason": "NonZeroExitCode",
            "details": {"causes": [{"reason": "ExitCode", "message": "7"}]}});
        assert_eq!(exit_code(&failure), Some(7));
        assert_eq!(exit_code(&json!({"status": "Success"})), Some(0));
        assert_eq!(
            exit_code(&json!({"status": "Failure", "message": "no such container"})),
            None
        );
    }
}
