//! Where a release is carried to and from: a store, a registry or a folder, with the same few questions.

use aiopslab_datasets::release::{Release, ReleaseFile};
use aiopslab_datasets::remote::Place;
use camino::Utf8Path;

use super::registry::Registry;
use crate::exit::Failure;
use crate::settings::RegistrySettings;

/// Is told of bytes as they come or go.
pub(crate) type Seen<'a> = &'a (dyn Fn(u64) + Send + Sync);

/// A file of a release.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// Its path within the release.
    pub(crate) name: String,
    /// Its length and digest.
    pub(crate) listed: ReleaseFile,
}

impl Item {
    /// The files that a release lists.
    pub(crate) fn all(release: Release) -> Vec<Self> {
        let files = release.files.into_iter();
        files.map(|(name, listed)| Self { name, listed }).collect()
    }

    /// A file that no list has.
    pub(crate) fn unlisted(name: &str, bytes: &[u8]) -> Self {
        Self {
            name: name.to_owned(),
            listed: ReleaseFile::of(bytes),
        }
    }
}

/// Where a release lies, or will lie.
pub(crate) enum Target {
    /// Behind HTTP, in S3, or in a folder.
    Store(Place),
    /// In an OCI registry.
    Registry(Box<Registry>),
}

impl Target {
    /// Knows a target by its URL, or by the path of a folder.
    pub(crate) async fn open(
        url: &str,
        plain_http: bool,
        settings: &RegistrySettings,
    ) -> Result<Self, Failure> {
        if let Some(artifact) = url.strip_prefix("oci://") {
            let registry = Registry::open(artifact, plain_http, settings)?;
            return Ok(Self::Registry(Box::new(registry)));
        }
        if url.contains("://") {
            return Ok(Self::Store(Place::parse(url)?));
        }
        let folder = std::path::absolute(url)?;
        let folder = url::Url::from_file_path(&folder)
            .map_err(|()| Failure::user(format!("the path {url} can't be a URL")))?;
        Ok(Self::Store(Place::parse(folder.as_str())?))
    }

    /// Reads a small file; none: it is not there.
    pub(crate) async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        match self {
            Self::Store(place) => Ok(place.read(name).await?.map(Into::into)),
            Self::Registry(registry) => registry.read(name).await,
        }
    }

    /// Fetches a file and checks it.
    pub(crate) async fn fetch(
        &self,
        item: &Item,
        to: &Utf8Path,
        seen: Seen<'_>,
    ) -> Result<(), Failure> {
        match self {
            Self::Store(place) => Ok(place.fetch(&item.name, &item.listed, to, seen).await?),
            Self::Registry(registry) => registry.fetch(item, to, seen).await,
        }
    }

    /// Whether a file is there already.
    pub(crate) async fn holds(&self, item: &Item) -> Result<bool, Failure> {
        match self {
            Self::Store(place) => Ok(place.holds(&item.name, &item.listed).await?),
            Self::Registry(registry) => registry.holds(item).await,
        }
    }

    /// Writes a file.
    pub(crate) async fn put(
        &self,
        item: &Item,
        from: &Utf8Path,
        seen: Seen<'_>,
    ) -> Result<(), Failure> {
        match self {
            Self::Store(place) => {
                let sha256 = &item.listed.sha256;
                Ok(place.put(&item.name, from, sha256, seen).await?)
            }
            Self::Registry(registry) => registry.put(item, from, seen).await,
        }
    }

    /// Says that all of these files are there, which makes a release of them; in a store `release.json`
    /// says it.
    pub(crate) async fn finish(&self, items: &[Item]) -> Result<(), Failure> {
        match self {
            Self::Store(_) => Ok(()),
            Self::Registry(registry) => registry.finish(items).await,
        }
    }
}
