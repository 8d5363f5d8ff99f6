//! Which foreign files to import.

use aiopslab_datasets::import::FORMATS;
use camino::Utf8PathBuf;
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};

/// Names of the formats that hold a cluster's objects at one moment.
pub const SUPPORT_BUNDLE: &str = "k8s-support-bundle";
/// The other one.
pub const MUST_GATHER: &str = "must-gather";

/// `import`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  aiopslab import nezha Nezha/ --out imported
  aiopslab sql -s imported/nezha-2023-01-29T0934Z-1 'select service, count(*) from spans group by service'
  aiopslab eval imported --agent baseline:random
  aiopslab import otlp traces.jsonl.zst --out imported
  aiopslab import k8s-support-bundle support-bundle-2026-01-31T12_00_00/ --out imported")]
pub struct Import {
    /// What the source is
    #[arg(value_parser = formats())]
    pub format: String,
    /// The folder of the source, or its file where it is one
    pub source: Utf8PathBuf,
    /// The folder for the snapshots, or of the snapshot where the source is one recording: new or empty
    #[arg(long, value_name = "DIR")]
    pub out: Utf8PathBuf,
    /// Replaces names that give the answer away by others, made with this key
    #[arg(long, value_name = "KEY", default_value = "")]
    pub key: String,
    /// Import only incidents whose names contain this
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub only: String,
    /// When a support bundle or must-gather was collected (RFC 3339) [default: what it says, or the latest time in its objects]
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// Print the reports as JSON
    #[arg(long)]
    pub json: bool,
}

fn formats() -> PossibleValuesParser {
    let bundle = PossibleValue::new(SUPPORT_BUNDLE)
        .help("a support bundle of Troubleshoot, unpacked: the folder with cluster-resources, or the one around it");
    let gathered = PossibleValue::new(MUST_GATHER)
        .help("what oc adm must-gather collected, unpacked: the folder of an image with namespaces, or one around it");
    let formats = FORMATS
        .iter()
        .map(|format| PossibleValue::new(format.name).help(format.about));
    formats.chain([bundle, gathered]).collect::<Vec<_>>().into()
}
