//! What can go wrong with a release, each with the way out.

use camino::Utf8PathBuf;
use thiserror::Error;

use crate::error::SnapshotError;

/// The result of working with a release.
pub(crate) type Result<T> = std::result::Result<T, ReleaseError>;

/// Why a release could not be built, opened or unlocked.
#[derive(Debug, Error)]
pub enum ReleaseError {
    /// A file or a snapshot of it.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The folder is no release.
    #[error(
        "no release.json in {dir}\nhint: name the folder of a release; of one that is a tar, `aiopslab release unpack` makes a folder"
    )]
    NoRelease {
        /// The folder.
        dir: Utf8PathBuf,
    },
    /// The manifest is not ours to read.
    #[error(
        "{place} has release format {found}, this build reads {readable}\nhint: use a build of aiopslab that reads {found}"
    )]
    UnreadableVersion {
        /// The manifest.
        place: String,
        /// Its version.
        found: String,
        /// The version that this build reads.
        readable: &'static str,
    },
    /// The manifest cannot be understood.
    #[error("cannot parse {place}: {cause}\nhint: fetch the release again")]
    Json {
        /// The manifest.
        place: String,
        /// What the parser said.
        cause: serde_json::Error,
    },
    /// A path that is not that of a file within the release.
    #[error(
        "{place} has the path {path:?}, which is not that of a file within a release\nhint: it was made by something else than `aiopslab release`; ask whoever publishes it"
    )]
    BadPath {
        /// The manifest or archive.
        place: String,
        /// The path.
        path: String,
    },
    /// The public key cannot be understood.
    #[error(
        "the public key is none of minisign: {reason}\nhint: the line that begins with RW, or the file that has it"
    )]
    Key {
        /// What is wrong with it.
        reason: String,
    },
    /// A key was given, and there is no signature.
    #[error(
        "{place} is not signed: there is no release.json.minisig beside it\nhint: open it without a key if you trust where it comes from"
    )]
    NoSignature {
        /// The manifest.
        place: String,
    },
    /// The signature is not by the key, or of another file.
    #[error("the signature of {place} does not hold: {reason}\nhint: do not use this release")]
    BadSignature {
        /// The manifest.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The folder to write to is in use.
    #[error("{dir} is not empty\nhint: choose another folder, or remove this one")]
    NotEmpty {
        /// The folder.
        dir: Utf8PathBuf,
    },
    /// A name or version that can't be part of a path.
    #[error("the {what} {text:?} can't be one\nhint: use letters, digits, `.`, `-`, `+` and `_`")]
    BadName {
        /// What it names.
        what: &'static str,
        /// The name.
        text: String,
    },
    /// Two things would be at the same path.
    #[error("two parts of the release would be {path}\nhint: rename one of the folders")]
    Twice {
        /// The path.
        path: String,
    },
    /// A file of a snapshot is not what its manifest says.
    #[error(
        "{path} is not what its snapshot's manifest says\nhint: `aiopslab snapshot verify` tells more; copy the snapshot again"
    )]
    Changed {
        /// The file.
        path: Utf8PathBuf,
    },
    /// The snapshot has no truth to hold out.
    #[error(
        "{dir} has no withheld/files.json: there is nothing to hold out\nhint: a held-out release is built from snapshots as they were captured, with withheld/"
    )]
    NothingToSeal {
        /// The snapshot.
        dir: Utf8PathBuf,
    },
    /// Not a public key of age.
    #[error(
        "{text:?} is no recipient: {reason}\nhint: `age-keygen` makes a key and prints its recipient, age1…"
    )]
    Recipient {
        /// The text.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The secret is too short to hide anything.
    #[error(
        "a secret of {bytes} bytes can be guessed\nhint: `head -c 32 /dev/urandom >FILE` makes one; keep it for the next build"
    )]
    WeakSecret {
        /// Its length.
        bytes: usize,
    },
    /// The identity file cannot be understood.
    #[error(
        "the identity {path} can't be used: {reason}\nhint: the file that `age-keygen` wrote, not encrypted"
    )]
    Identity {
        /// The file.
        path: Utf8PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A sealed file cannot be decrypted.
    #[error(
        "{file} can't be decrypted: {reason}\nhint: it opens with an identity whose recipient the release was built for"
    )]
    Locked {
        /// The file.
        file: Utf8PathBuf,
        /// What age said.
        reason: String,
    },
    /// What was sealed is not what the manifest says.
    #[error(
        "{file} holds something else than release.json says\nhint: do not use this release; `aiopslab release verify` tells whether it was changed"
    )]
    WrongPlaintext {
        /// The file.
        file: Utf8PathBuf,
    },
    /// An archive cannot be read or written.
    #[error("cannot {action} the archive {path}: {reason}")]
    Archive {
        /// What was tried, a verb.
        action: &'static str,
        /// The archive.
        path: String,
        /// What went wrong.
        reason: String,
    },
}
