//! Opening a release or a snapshot by its URL: a folder in the user's cache with all but its tables.

use camino::{Utf8Path, Utf8PathBuf};
use futures::{StreamExt, TryStreamExt, stream};
use sha2::{Digest, Sha256};

use super::checked::is_here;
use super::elsewhere::Elsewhere;
use super::place::Place;
use super::requests;
use crate::error::SnapshotError;
use crate::files;
use crate::manifest::{MANIFEST_FILE, Manifest, WITHHELD_LIST};
use crate::release::{
    CATALOG_FOLDER, RELEASE_FILE, Release, ReleaseError, SIGNATURE_FILE, SNAPSHOTS_FOLDER,
    check_signature,
};
use crate::writer::WITHHELD;

type Result<T> = std::result::Result<T, ReleaseError>;

/// So many files are fetched at the same time.
const AT_ONCE: usize = 8;

/// Opens what lies behind a URL: a release, one snapshot of it (`…/snapshots/NAME`), or a snapshot that
/// is in no release. Hands back its folder below `cache`.
///
/// A release is kept by the digest of its `release.json`, which is fetched each time; a snapshot alone by
/// that of its manifest. With a minisign public key only what is signed by it is opened.
///
/// # Errors
/// When nothing is there, it can't be reached, it is not what it should be, or not signed.
pub fn open(url: &str, cache: &Utf8Path, key: Option<&str>) -> Result<Utf8PathBuf> {
    let opening = Opening {
        url: url.trim_end_matches('/').to_owned(),
        cache: cache.to_owned(),
        key: key.map(str::to_owned),
    };
    requests::wait(async move { opening.open().await })
}

struct Opening {
    url: String,
    cache: Utf8PathBuf,
    key: Option<String>,
}

impl Opening {
    async fn open(&self) -> Result<Utf8PathBuf> {
        let within = self.url.rsplit_once("/snapshots/");
        let within = within.filter(|(_, name)| !name.contains('/'));
        let (release, name) = match within {
            Some((release, name)) => (release, Some(name)),
            None => (self.url.as_str(), None),
        };
        let release = Place::parse(release)?;
        if let Some(json) = release.read(RELEASE_FILE).await? {
            return self.release(&release, &json, name).await;
        }
        if self.key.is_some() {
            return Err(self.failed("there is no release.json, which is what is signed"));
        }
        let place = Place::parse(&self.url)?;
        match place.read(MANIFEST_FILE).await? {
            Some(json) => self.snapshot(&place, &json).await,
            None => Err(self.failed("there is neither a release.json nor a manifest.json")),
        }
    }

    async fn release(&self, place: &Place, json: &[u8], name: Option<&str>) -> Result<Utf8PathBuf> {
        let url = place.url_of(RELEASE_FILE);
        let signature = match &self.key {
            None => None,
            Some(key) => {
                let signature = place.read(SIGNATURE_FILE).await?;
                check_signature(json, signature.as_deref(), key, &url)?;
                signature
            }
        };
        let release = Release::parse(json, &url)?;
        let names: Vec<&str> = match name {
            Some(name) if release.snapshots.contains_key(name) => vec![name],
            Some(name) => return Err(self.unknown(name, &release)),
            None => release.snapshots.keys().map(String::as_str).collect(),
        };
        let dir = self.folder(json);
        self.documents(place, &release, &names, &dir).await?;
        for name in names {
            let elsewhere = Elsewhere {
                url: place.url_of(&format!("{SNAPSHOTS_FOLDER}/{name}")),
                logical_digest: release
                    .snapshots
                    .get(name)
                    .map(|entry| entry.logical_digest.clone()),
            };
            elsewhere.write(&dir.join(SNAPSHOTS_FOLDER).join(name))?;
        }
        if let Some(signature) = signature {
            files::write_atomically(&dir.join(SIGNATURE_FILE), &signature)?;
        }
        files::write_atomically(&dir.join(RELEASE_FILE), json)?;
        Ok(match name {
            Some(name) => dir.join(SNAPSHOTS_FOLDER).join(name),
            None => dir,
        })
    }

    /// Fetches what a snapshot can't be opened without, and the catalog; the rest comes when it is read.
    async fn documents(
        &self,
        place: &Place,
        release: &Release,
        names: &[&str],
        dir: &Utf8Path,
    ) -> Result<()> {
        let of_snapshots = names.iter().flat_map(|name| {
            [MANIFEST_FILE, WITHHELD_LIST].map(|file| format!("{SNAPSHOTS_FOLDER}/{name}/{file}"))
        });
        let of_catalog = release.files.keys().cloned();
        let of_catalog = of_catalog.filter(|name| Utf8Path::new(name).starts_with(CATALOG_FOLDER));
        let fetched = of_catalog.chain(of_snapshots).filter_map(|name| {
            let listed = release.files.get(&name)?;
            Some(async move {
                let to = dir.join(&name);
                match is_here(&to, listed)? {
                    true => Result::<()>::Ok(()),
                    false => Ok(place.fetch(&name, listed, &to, &|_| ()).await?),
                }
            })
        });
        let fetched: Vec<_> = fetched.collect();
        stream::iter(fetched)
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await
    }

    /// A snapshot in no release: its manifest is believed as it is.
    async fn snapshot(&self, place: &Place, json: &[u8]) -> Result<Utf8PathBuf> {
        let name = place.name().unwrap_or("snapshot");
        let dir = self.folder(json).join(SNAPSHOTS_FOLDER).join(name);
        files::write_atomically(&dir.join(MANIFEST_FILE), json)?;
        let list = dir.join(WITHHELD_LIST);
        match place.read(WITHHELD_LIST).await? {
            // What is withheld may be added to while the rows stay: a truth, say.
            Some(listed) if std::fs::read(&list).ok().as_deref() != Some(&listed[..]) => {
                files::remove_folder(&dir.join(WITHHELD))?;
                files::write_atomically(&list, &listed)?;
            }
            Some(_) => {}
            None => files::remove_folder(&dir.join(WITHHELD))?,
        }
        if Manifest::read(&dir)?.lists_withheld() {
            files::create_folder(&dir.join(WITHHELD))?;
        }
        let elsewhere = Elsewhere {
            url: self.url.clone(),
            logical_digest: None,
        };
        elsewhere.write(&dir)?;
        Ok(dir)
    }

    fn folder(&self, json: &[u8]) -> Utf8PathBuf {
        self.cache.join(files::hex(&Sha256::digest(json)))
    }

    fn failed(&self, cause: &str) -> ReleaseError {
        ReleaseError::Snapshot(SnapshotError::Remote {
            action: "open",
            url: self.url.clone(),
            cause: cause.to_owned(),
            hint: "name the folder of a release, one of its snapshots (…/snapshots/NAME), or a snapshot's own folder",
        })
    }

    fn unknown(&self, name: &str, release: &Release) -> ReleaseError {
        let known: Vec<&str> = release.snapshots.keys().map(String::as_str).collect();
        self.failed(&format!(
            "the release has no snapshot {name}; it has {}",
            known.join(", ")
        ))
    }
}
