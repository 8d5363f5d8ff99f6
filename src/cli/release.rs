//! `release`: publishing releases and fetching them.

use camino::Utf8PathBuf;
use clap::{Args, Subcommand};

/// `release`.
#[derive(Debug, Subcommand)]
pub enum Release {
    /// Write a release's files to a store, a registry or a folder
    Push(Push),
    /// Fetch a release whole, and check every file
    Pull(Pull),
}

/// `release push`.
#[derive(Debug, Args)]
#[command(after_help = "\
What is there already is not sent again. release.json comes last: without it there is no release.
Keys: AWS_… for s3://; AIOPSLAB_REGISTRY_USER and AIOPSLAB_REGISTRY_PASSWORD, or docker's config.json, for oci://
(docs/releases.md).

Examples:
  aiopslab release push testbed-1.0.0 s3://bucket/testbed/1.0.0
  aiopslab release push testbed-1.0.0 oci://ghcr.io/me/testbed:1.0.0
  aiopslab release push testbed-1.0.0 /srv/www/testbed/1.0.0")]
pub struct Push {
    /// The release's folder
    #[arg(value_name = "DIR")]
    pub dir: Utf8PathBuf,
    /// s3://BUCKET/PREFIX, oci://HOST/REPOSITORY:TAG, file:///PATH or a folder
    #[arg(value_name = "URL")]
    pub url: String,
    /// Speak to a registry on another machine without TLS
    #[arg(long)]
    pub plain_http: bool,
}

/// `release pull`.
#[derive(Debug, Args)]
#[command(after_help = "\
Run again after an interruption, it goes on: what is there and has the right digest is kept.

Examples:
  aiopslab release pull https://example.org/testbed/1.0.0 testbed-1.0.0
  aiopslab release pull oci://ghcr.io/me/testbed:1.0.0 testbed-1.0.0")]
pub struct Pull {
    /// https://HOST/PATH, s3://BUCKET/PREFIX, oci://HOST/REPOSITORY:TAG, file:///PATH or a folder
    #[arg(value_name = "URL")]
    pub url: String,
    /// Where it goes: a new folder, or one that an interrupted pull left
    #[arg(value_name = "DIR")]
    pub dir: Utf8PathBuf,
    /// Speak to a registry on another machine without TLS
    #[arg(long)]
    pub plain_http: bool,
}
