//! A live cluster recorded into a snapshot.
//!
//! Reading order: [`run()`] is the pipeline, from a checked cluster to a finished snapshot; [`attach()`] records a system that is not ours;
//! [`check()`] asks whether a cluster can be captured and [`recover()`] undoes what a dead capture
//! left; [`live`] is an incident that an agent acts on. Below them: sources (manifests of others, fetched by git and helm), deploy, workload, observe (conditions answered from the cluster), fault and
//! journal (inject, remember, undo), chaos (experiments on running pods), compare (is the cluster as it was), probe (what the live system answers, to compare a replay with), windows (how long),
//! supported (what of a catalog can't be captured yet).

pub mod cluster;
pub mod live;
pub mod observe;
pub mod progress;
pub mod recorder;
pub mod redact_rules;
pub mod visibility;
pub mod workload;

mod attach;
mod chaos;
mod check;
mod compare;
mod deploy;
mod error;
mod fault;
mod journal;
mod manifests;
mod probe;
mod programs;
mod rbac;
mod recover;
mod resource;
mod run;
mod sources;
mod supported;
mod windows;

pub use attach::{
    AttachRequest, AttachSummary, ServiceAccount, UnknownAccount, attach, print_rights,
};
pub use check::{CheckLine, check, check_fault};
pub use error::CaptureError;
pub use probe::ProbeOptions;
pub use programs::ProgramError;
pub use recover::{Recovered, recover};
pub use run::{CaptureRequest, CaptureSummary, ClusterOptions, run};
pub use sources::{SourceError, SourceOptions};
pub use windows::{Seconds, Window, Windows};
