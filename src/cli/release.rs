//! `release`: frozen sets of snapshots, published and fetched.

use camino::Utf8PathBuf;
use clap::{Args, Subcommand};
use jiff::civil::Date;
use url::Url;

/// `release`.
#[derive(Debug, Subcommand)]
pub enum Release {
    /// Freeze snapshots, what is asked on them and their figures into a folder that can be published
    #[command(after_help = "\
Examples:
  aiopslab release build captures/ --name testbed --version 1.0.0 --licence CC-BY-4.0 --citation 'A. Author, 2026' --out testbed-1.0.0
  minisign -S -m testbed-1.0.0/release.json      signs it
  age-keygen -o key.txt; head -c 32 /dev/urandom >secret
  aiopslab release build captures/ --name testbed-held-out --version 1.0.0 --licence CC-BY-4.0 --citation 'A. Author, 2026' --out held-out --held-out --recipient age1… --secret secret")]
    Build(Box<BuildRelease>),
    /// Check every byte and every snapshot of a release
    #[command(
        after_help = "Example:\n  aiopslab release verify testbed-1.0.0 --release-key minisign.pub"
    )]
    Verify {
        /// The release's folder
        #[arg(value_name = "DIR")]
        dir: Utf8PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Say which snapshots to publish and which to hold out: whole families, some of the controls; the same for the same seed
    #[command(
        after_help = "Example:\n  aiopslab release split captures/ --held-out 0.3 --seed 1 | awk '$1 == \"held-out\" { print $2 }'"
    )]
    Split {
        /// Snapshots, or folders of snapshots [default: the shipped samples]
        #[arg(value_name = "SNAPSHOT")]
        snapshots: Vec<Utf8PathBuf>,
        /// The share of families, and of controls, to hold out, between 0 and 1
        #[arg(long, value_name = "FRACTION")]
        held_out: f64,
        /// Decides which
        #[arg(long, value_name = "N", default_value_t = 1)]
        seed: u64,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Give a held-out release its truth back, with a key that it was built for
    #[command(
        after_help = "Example:\n  aiopslab release unlock held-out --identity key.txt --out unlocked\n  aiopslab eval unlocked --agent baseline:doctor"
    )]
    Unlock {
        /// The held-out release's folder
        #[arg(value_name = "DIR")]
        dir: Utf8PathBuf,
        /// The file that age-keygen wrote
        #[arg(long, value_name = "FILE")]
        identity: Utf8PathBuf,
        /// The folder for the release with truth: new or empty
        #[arg(long, value_name = "DIR")]
        out: Utf8PathBuf,
    },
    /// Print a release's card: what is in it, how it is used, what was measured
    Card {
        /// The release's folder
        dir: Utf8PathBuf,
    },
    /// Say what is another in a second release, and which answers to agents changed
    Diff(DiffReleases),
    /// Write a release's files to a store, a registry or a folder
    Push(Push),
    /// Fetch a release whole, and check every file
    Pull(Pull),
    /// Put a release into one file, the same bytes for the same release
    Pack {
        /// The release's folder
        #[arg(value_name = "DIR")]
        dir: Utf8PathBuf,
        /// The file
        #[arg(value_name = "FILE.tar")]
        file: Utf8PathBuf,
    },
    /// Make a folder of a release in one file
    Unpack {
        /// The file
        #[arg(value_name = "FILE.tar")]
        file: Utf8PathBuf,
        /// The folder: new or empty
        #[arg(value_name = "DIR")]
        dir: Utf8PathBuf,
    },
}

/// A page's address, as it was written.
fn page(text: &str) -> Result<String, String> {
    match Url::parse(text) {
        Ok(url) if ["http", "https"].contains(&url.scheme()) => Ok(text.to_owned()),
        Ok(url) => Err(format!(
            "{} is no address of a page\nhint: https://…",
            url.scheme()
        )),
        Err(error) => Err(format!("{error}\nhint: https://…")),
    }
}

/// `release build`.
#[derive(Debug, Args)]
pub struct BuildRelease {
    /// Snapshots with their truth, or folders of them [default: the shipped samples]
    #[arg(value_name = "SNAPSHOT")]
    pub snapshots: Vec<Utf8PathBuf>,
    /// Name of the release
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// Its version; a release never changes, another one gets another version
    #[arg(long, value_name = "V")]
    pub version: String,
    /// SPDX expression of the data's licence, such as CC-BY-4.0
    #[arg(long, value_name = "SPDX")]
    pub licence: String,
    /// How to cite it, in one line
    #[arg(long, value_name = "TEXT")]
    pub citation: String,
    /// The page where people find it
    #[arg(long, value_name = "URL", value_parser = page)]
    pub url: Option<String>,
    /// The day on which it is published
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub published: Option<Date>,
    /// The folder: new or empty
    #[arg(long, value_name = "DIR")]
    pub out: Utf8PathBuf,
    /// Name snapshots by opaque ids, leave out what is later than `end`, and encrypt their truth
    #[arg(long, requires_all = ["recipients", "secret"])]
    pub held_out: bool,
    /// Who can unlock it: a recipient of age (repeatable)
    #[arg(long = "recipient", value_name = "age1…", requires = "held_out")]
    pub recipients: Vec<String>,
    /// File of secret bytes that ids and salts are made with; the same for each build of this release, and never published
    #[arg(long, value_name = "FILE", requires = "held_out")]
    pub secret: Option<Utf8PathBuf>,
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

/// `release diff`.
#[derive(Debug, Args)]
#[command(after_help = "\
Snapshots are compared by the digest of their visible rows, files by their bytes. Then the responses of agents
in kept episodes are acted on again, on B; without RESULTS those of baseline:doctor, which answers A's problems
first. What is another is the answer of this command and no error.

Examples:
  aiopslab release diff testbed-1.0.0 testbed-1.1.0
  aiopslab release diff testbed-1.0.0 testbed-1.1.0 --results results/001 --json")]
pub struct DiffReleases {
    /// The folder of a release
    #[arg(value_name = "A")]
    pub a: Utf8PathBuf,
    /// The folder of another one
    #[arg(value_name = "B")]
    pub b: Utf8PathBuf,
    /// A folder of episodes on A, to be replayed on B [default: the doctor's]
    #[arg(long, value_name = "RESULTS")]
    pub results: Option<Utf8PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
