//! The log endpoint of pods: which container's log is meant, and its lines up to now.

use serde_json::Value;

use super::api::{Form, KubernetesApi, ListOptions};
use super::path::ResourcePath;
use super::status::Status;
use super::{object, timestamp};
use crate::view::{LogLine, LogQuery, RecordedObject, View};

const SECOND: i64 = 1_000_000_000;

/// What is asked of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// Name of the container; empty: the only one.
    pub container: String,
    /// Of the instance before the current one.
    pub previous: bool,
    /// Only lines stamped at or after this moment (nanoseconds).
    pub since_ns: Option<i64>,
    /// Only so many lines from the end.
    pub tail: Option<u64>,
    /// With each line's time before it.
    pub timestamps: bool,
    /// At most so many bytes.
    pub limit_bytes: Option<usize>,
    /// Whether the asker waits for more.
    pub follow: bool,
}

/// The lines of a container's log.
#[derive(Debug, Clone, Default)]
pub(crate) struct ContainerLog {
    pub(crate) lines: Vec<LogLine>,
    /// Whether the log's first line is in the recording.
    pub(crate) first_line_kept: bool,
    /// When the container ended; none: it had not.
    pub(crate) finished: Option<i64>,
}

impl LogOptions {
    /// Reads the parameters of a request at a moment.
    ///
    /// # Errors
    /// When a value makes no sense.
    pub fn parse<'q>(
        pod: &str,
        now: i64,
        query: impl Iterator<Item = (&'q str, &'q str)>,
    ) -> Result<Self, Status> {
        let mut options = Self::default();
        let mut since = 0;
        let invalid = |field: &str, problem: &str| {
            Status::invalid(format!(
                "PodLogOptions \"{pod}\" is invalid: {field}: {problem}"
            ))
        };
        for (key, value) in query {
            match key {
                "container" => options.container = value.to_owned(),
                "previous" => options.previous = truth(value)?,
                "timestamps" => options.timestamps = truth(value)?,
                "follow" => options.follow = truth(value)?,
                "tailLines" => {
                    let lines = number(value)?;
                    let problem =
                        format!("Invalid value: {lines}: must be greater than or equal to 0");
                    let lines = u64::try_from(lines).map_err(|_| invalid(key, &problem))?;
                    options.tail = Some(lines);
                }
                "limitBytes" | "sinceSeconds" => {
                    let amount = number(value)?;
                    if amount <= 0 {
                        let problem = format!("Invalid value: {amount}: must be greater than 0");
                        return Err(invalid(key, &problem));
                    }
                    if key == "limitBytes" {
                        options.limit_bytes = usize::try_from(amount).ok();
                    } else {
                        since += 1;
                        let ago = amount.saturating_mul(SECOND);
                        options.since_ns = Some(now.saturating_sub(ago));
                    }
                }
                "sinceTime" => {
                    since += 1;
                    let time = timestamp::parse(value).ok_or_else(|| {
                        Status::bad_request(format!(
                            "parsing time \"{value}\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \
                             \"{value}\""
                        ))
                    })?;
                    options.since_ns = Some(time);
                }
                _ => {}
            }
        }
        if since > 1 {
            let problem = "at most one of `sinceTime` or `sinceSeconds` may be specified";
            return Err(invalid("sinceSeconds", &format!("Forbidden: {problem}")));
        }
        Ok(options)
    }
}

fn truth(value: &str) -> Result<bool, Status> {
    match value {
        "true" | "1" | "t" | "T" | "TRUE" | "True" => Ok(true),
        "" | "false" | "0" | "f" | "F" | "FALSE" | "False" => Ok(false),
        _ => Err(Status::bad_request(format!(
            "strconv.ParseBool: parsing \"{value}\": invalid syntax"
        ))),
    }
}

fn number(value: &str) -> Result<i64, Status> {
    value.parse().map_err(|_| {
        Status::bad_request(format!(
            "strconv.ParseInt: parsing \"{value}\": invalid syntax"
        ))
    })
}

impl KubernetesApi<'_> {
    /// The moment of the recording, in nanoseconds since the Unix epoch.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.view.now()
    }

    /// The log of a container of a pod, as the bytes that the endpoint sends.
    ///
    /// # Errors
    /// When there is no such pod, container or instance; that it was not recorded if that is so.
    pub async fn pod_log(
        &self,
        path: &ResourcePath,
        options: &LogOptions,
    ) -> Result<Vec<u8>, Status> {
        let pod = ResourcePath {
            subresource: None,
            ..path.clone()
        };
        let found = self
            .found(&pod, Form::Object, &ListOptions::default())
            .await?;
        let name = pod.name.as_deref().unwrap_or_default();
        let pod = found
            .objects
            .first()
            .ok_or_else(|| Status::not_found("", "pods", name))?;
        let container = container(&pod.object, &options.container)?;
        let log = read(&*self.view, pod, &container, options).await?;
        Ok(render(&log.lines, options))
    }
}

/// The lines as they are sent.
fn render(lines: &[LogLine], options: &LogOptions) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in lines {
        if options.timestamps {
            bytes.extend_from_slice(timestamp::log_stamp(line.timestamp).as_bytes());
            bytes.push(b' ');
        }
        bytes.extend_from_slice(&line.message);
        bytes.push(b'\n');
    }
    if let Some(limit) = options.limit_bytes {
        bytes.truncate(limit);
    }
    bytes
}

/// The container that is meant: the one named, or the only one.
fn container(pod: &Value, asked: &str) -> Result<String, Status> {
    let name = object::text(pod, "/metadata/name");
    let names = |list: &str| {
        let containers = object::list(pod, list).iter();
        containers
            .map(|container| object::text(container, "/name").to_owned())
            .collect::<Vec<_>>()
    };
    let all = [
        names("/spec/initContainers"),
        names("/spec/containers"),
        names("/spec/ephemeralContainers"),
    ]
    .concat();
    if !asked.is_empty() {
        return if all.iter().any(|known| known == asked) {
            Ok(asked.to_owned())
        } else {
            Err(Status::bad_request(format!(
                "container {asked} is not valid for pod {name}"
            )))
        };
    }
    match names("/spec/containers").as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(Status::bad_request(format!(
            "a container name must be specified for pod {name}"
        ))),
        _ => Err(Status::bad_request(format!(
            "a container name must be specified for pod {name}, choose one of: [{}]",
            all.join(" ")
        ))),
    }
}

/// Reads a container's log. A pod that no node has yet has an empty one.
pub(crate) async fn read(
    view: &dyn View,
    pod: &RecordedObject,
    container: &str,
    options: &LogOptions,
) -> Result<ContainerLog, Status> {
    if object::text(&pod.object, "/spec/nodeName").is_empty() {
        return Ok(ContainerLog {
            lines: Vec::new(),
            first_line_kept: true,
            finished: None,
        });
    }
    let id = container_id(pod, container, options.previous)?;
    let instances = view.log_instances(&pod.namespace, &pod.name).await?;
    let instance = instances.iter().find(|instance| {
        instance.pod_uid == pod.uid
            && instance.container == container
            && instance.container_id == id
    });
    let Some(instance) = instance else {
        return Err(Status::not_recorded(format!(
            "the log of container {container} of pod {}",
            pod.name
        )));
    };
    let by_time = options.timestamps || options.since_ns.is_some();
    if by_time && !view.stamps_log_lines(instance).await? {
        return Err(Status::not_recorded(format!(
            "when the lines of container {container} of pod {} were written",
            pod.name
        )));
    }
    let query = LogQuery {
        instance_ids: vec![instance.instance_id],
        since_ns: options.since_ns,
        tail: options.tail,
    };
    let lines = view.log_lines(&query).await?;
    if lines.is_empty() && !view.covers_logs(&pod.namespace).await? {
        return Err(Status::not_recorded(format!("the log of pod {}", pod.name)));
    }
    Ok(ContainerLog {
        lines,
        first_line_kept: instance.first_line_kept,
        finished: instance.finished,
    })
}

/// The container instance whose log the kubelet shows.
fn container_id(pod: &RecordedObject, container: &str, previous: bool) -> Result<String, Status> {
    let name = &pod.name;
    let bad = |problem: String| {
        Status::bad_request(format!(
            "container \"{container}\" in pod \"{name}\" {problem}"
        ))
    };
    let status = [
        "containerStatuses",
        "initContainerStatuses",
        "ephemeralContainerStatuses",
    ]
    .iter()
    .flat_map(|list| object::list(&pod.object, &format!("/status/{list}")))
    .find(|status| object::text(status, "/name") == container)
    .ok_or_else(|| bad("is not available".to_owned()))?;
    let last = object::text(status, "/lastState/terminated/containerID");
    let current = object::text(status, "/containerID");
    if previous {
        return if last.is_empty() {
            Err(Status::bad_request(format!(
                "previous terminated container \"{container}\" in pod \"{name}\" not found"
            )))
        } else {
            Ok(last.to_owned())
        };
    }
    if object::field(status, "/state/running").is_some() {
        return Ok(current.to_owned());
    }
    if object::field(status, "/state/terminated").is_some() {
        let ended = object::text(status, "/state/terminated/containerID");
        return match (ended.is_empty(), last.is_empty()) {
            (false, _) => Ok(ended.to_owned()),
            (true, false) => Ok(last.to_owned()),
            (true, true) => Err(bad("is terminated".to_owned())),
        };
    }
    // A container that waits to be started again shows the log of its last run.
    if !last.is_empty() {
        return Ok(last.to_owned());
    }
    let reason = match object::text(status, "/state/waiting/reason") {
        "ErrImagePull" => "image can't be pulled",
        "ImagePullBackOff" => "trying and failing to pull image",
        other => other,
    };
    Err(bad(format!("is waiting to start: {reason}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(query: &[(&str, &str)], expected: Result<LogOptions, u16>) {
        let parsed = LogOptions::parse("p", 100 * SECOND, query.iter().copied());
        assert_eq!(parsed.map_err(|status| status.code), expected, "{query:?}");
    }

    #[test]
    fn parameters_are_read() {
        let none = LogOptions::default;
        check(&[("follow", "false")], Ok(none()));
        check(
            &[("sinceSeconds", "40"), ("tailLines", "5")],
            Ok(LogOptions {
                since_ns: Some(60 * SECOND),
                tail: Some(5),
                ..none()
            }),
        );
        check(
            &[("sinceTime", "1970-01-01T00:00:10Z"), ("limitBytes", "7")],
            Ok(LogOptions {
                since_ns: Some(10 * SECOND),
                limit_bytes: Some(7),
                ..none()
            }),
        );
        check(&[("tailLines", "-1")], Err(422));
        check(&[("tailLines", "x")], Err(400));
        check(&[("sinceSeconds", "0")], Err(422));
        check(&[("sinceTime", "now")], Err(400));
        check(&[("previous", "maybe")], Err(400));
        let both = [("sinceSeconds", "1"), ("sinceTime", "1970-01-01T00:00:10Z")];
        check(&both, Err(422));
    }

    #[test]
    fn a_container_is_chosen() {
        let pod = json!({"metadata": {"name": "p"}, "spec": {
            "initContainers": [{"name": "i"}], "containers": [{"name": "a"}, {"name": "b"}]}});
        assert_eq!(container(&pod, "i").unwrap(), "i");
        assert_eq!(
            container(&pod, "").unwrap_err().message,
            "a container name must be specified for pod p, choose one of: [i a b]"
        );
        assert_eq!(
            container(&pod, "x").unwrap_err().message,
            "container x is not valid for pod p"
        );
        let pod = json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "a"}]}});
        assert_eq!(container(&pod, "").unwrap(), "a");
    }
}
