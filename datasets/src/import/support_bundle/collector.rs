//! Who collects bundles.

/// Who collected a bundle, and so how its files lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collector {
    /// A support bundle.
    Troubleshoot,
    /// A must-gather.
    MustGather,
}

impl Collector {
    /// The name of the format on the command line.
    pub(super) fn format(self) -> &'static str {
        match self {
            Self::Troubleshoot => "k8s-support-bundle",
            Self::MustGather => "must-gather",
        }
    }

    /// What coverage says that its rows are from, and what the application is called.
    pub(super) fn source(self) -> &'static str {
        match self {
            Self::Troubleshoot => "support-bundle",
            Self::MustGather => "must-gather",
        }
    }

    /// What it does about secrets.
    pub(super) fn redaction(self) -> &'static str {
        match self {
            Self::Troubleshoot => {
                "as collected: Troubleshoot writes ***HIDDEN*** in place of what it redacts"
            }
            Self::MustGather => "as collected: oc leaves out the values of secrets",
        }
    }
}
