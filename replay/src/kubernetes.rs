//! The recorded objects at *now* as a Kubernetes API server serves them: one read-only view, used
//! by the interpreter behind `exec_shell` ([`crate::kubectl`]) and by the API server of
//! `aiopslab serve`.
//!
//! [`KubernetesApi`] answers requests: `request` and `path` say what is asked for, `api` finds it,
//! `chunk` cuts long lists, `answer` and `table` give it its form; `served` is discovery. Beside
//! objects there are `watch`, `logs`, `metrics`, `openapi` and `access`. Errors are a [`Status`].
//!
//! Tables are computed by `printers`, those of custom resources by `custom`. `object`, `timestamp`,
//! `duration` and `quantity` read fields, as `jsonpath` does by templates; `selector` chooses
//! objects, `discovery` lists types for the interpreter; `dns` tells what a name inside the cluster means, `mount` whether a pod's files are a ConfigMap's.

mod access;
mod answer;
mod api;
mod chunk;
mod custom;
pub(crate) mod discovery;
pub(crate) mod dns;
pub(crate) mod duration;
pub(crate) mod jsonpath;
pub(crate) mod logs;
mod metrics;
pub(crate) mod mount;
pub(crate) mod object;
mod openapi;
mod path;
pub(crate) mod printers;
pub(crate) mod quantity;
mod request;
pub(crate) mod selector;
mod served;
mod status;
pub(crate) mod table;
#[cfg(test)]
mod tests;
pub(crate) mod timestamp;
pub(crate) mod warnings;
mod watch;

pub(crate) use access::review;
pub use access::{USER, is_review};
pub use api::{Form, Include, KubernetesApi, ListOptions};
pub use logs::LogOptions;
pub use path::{ApiPath, ResourcePath};
pub use request::{Accepted, Answer, ReadRequest};
pub use status::{Details, Status};
pub use watch::{Watch, WatchStart};
