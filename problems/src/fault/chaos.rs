//! Experiments on running pods.

use serde::{Deserialize, Serialize};

/// Disturbs the pods of a service, from injection until recovery: no duration of its own, so that the fault can't
/// be over before an agent looks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chaos {
    /// What is done.
    pub chaos: Experiment,
    /// Name of the service whose pods it is done to.
    pub service: String,
    /// The container; none: every one of the pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// What happens once is repeated after so many seconds, as it would heal otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_seconds: Option<u64>,
    /// Share of packets that are lost, 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss_percent: Option<f64>,
    /// How much a packet's fate follows the one before, 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_percent: Option<f64>,
    /// How much later packets arrive, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// By how much that varies, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter_ms: Option<u64>,
    /// Bandwidth that is left, in kilobits per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bandwidth_kbit: Option<u64>,
    /// Name of the service that can't be reached any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// Processes that keep a CPU busy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workers: Option<u32>,
    /// Mebibytes of memory or disk that are taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mebibytes: Option<u64>,
    /// Path in the container of the volume that is filled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
    /// The kernel function whose calls fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
}

/// What is done to pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Experiment {
    /// Containers are killed; the kubelet starts them again.
    ContainerKill,
    /// Pods don't work, but are there.
    PodFailure,
    /// Pods are deleted without grace; their controllers make new ones.
    PodKill,
    /// Packets get lost.
    NetworkLoss,
    /// Packets arrive later.
    NetworkDelay,
    /// Packets from and to another service are dropped.
    NetworkPartition,
    /// Packets queue up behind a narrow link.
    NetworkBandwidth,
    /// The CPU is busy with something else.
    CpuStress,
    /// Memory is taken.
    MemoryStress,
    /// A volume is filled.
    DiskFill,
    /// Calls of a kernel function fail.
    KernelFault,
}

impl Experiment {
    /// Its name in catalog files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ContainerKill => "container-kill",
            Self::PodFailure => "pod-failure",
            Self::PodKill => "pod-kill",
            Self::NetworkLoss => "network-loss",
            Self::NetworkDelay => "network-delay",
            Self::NetworkPartition => "network-partition",
            Self::NetworkBandwidth => "network-bandwidth",
            Self::CpuStress => "cpu-stress",
            Self::MemoryStress => "memory-stress",
            Self::DiskFill => "disk-fill",
            Self::KernelFault => "kernel-fault",
        }
    }

    /// The parameters that it needs, then those that it takes as well.
    fn parameters(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::ContainerKill => (&["container", "every_seconds"], &[]),
            Self::PodFailure => (&[], &[]),
            Self::PodKill => (&["every_seconds"], &[]),
            Self::NetworkLoss => (&["loss_percent"], &["correlation_percent"]),
            Self::NetworkDelay => (&["latency_ms"], &["jitter_ms", "correlation_percent"]),
            Self::NetworkPartition => (&["peer"], &[]),
            Self::NetworkBandwidth => (&["bandwidth_kbit"], &[]),
            Self::CpuStress => (&["workers"], &["container"]),
            Self::MemoryStress => (&["mebibytes"], &["container"]),
            Self::DiskFill => (&["volume", "mebibytes"], &["container"]),
            Self::KernelFault => (&["function"], &[]),
        }
    }
}

impl Chaos {
    /// Checks that the experiment has the parameters that it needs, and no others.
    pub(super) fn check(&self) -> Result<(), String> {
        let (needed, taken) = self.chaos.parameters();
        let name = self.chaos.name();
        let given = [
            ("container", self.container.is_some()),
            ("every_seconds", self.every_seconds.is_some()),
            ("loss_percent", self.loss_percent.is_some()),
            ("correlation_percent", self.correlation_percent.is_some()),
            ("latency_ms", self.latency_ms.is_some()),
            ("jitter_ms", self.jitter_ms.is_some()),
            ("bandwidth_kbit", self.bandwidth_kbit.is_some()),
            ("peer", self.peer.is_some()),
            ("workers", self.workers.is_some()),
            ("mebibytes", self.mebibytes.is_some()),
            ("volume", self.volume.is_some()),
            ("function", self.function.is_some()),
        ];
        for (parameter, is_given) in given {
            if !is_given && needed.contains(&parameter) {
                return Err(format!("{name} needs `{parameter}`"));
            }
            if is_given && !needed.contains(&parameter) && !taken.contains(&parameter) {
                return Err(format!("{name} takes no `{parameter}`"));
            }
        }
        let shares = [
            ("loss_percent", self.loss_percent),
            ("correlation_percent", self.correlation_percent),
        ];
        for (parameter, share) in shares {
            if share.is_some_and(|share| !(0.0..=100.0).contains(&share)) {
                return Err(format!("`{parameter}` is not between 0 and 100"));
            }
        }
        Ok(())
    }
}
