//! The local file system, in which tables that lie elsewhere can be read as if they were there.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use camino::Utf8PathBuf;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    Attributes, CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult,
    MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions,
    PutPayload, PutResult, Result, coalesce_ranges,
};
use tokio::sync::Mutex;

use super::elsewhere::listed;
use super::place::{Place, store_error};
use super::requests;
use crate::error::SnapshotError;
use crate::release::ReleaseFile;
use crate::snapshot::Snapshot;
use crate::writer::Visibility;

/// A file up to this size is fetched whole, checked and kept: its parts would take as long.
const WHOLE: u64 = 1 << 20;

/// Parts that are this close to each other are asked for as one.
const GAP: u64 = 128 << 10;

/// The local file system with the files of remote snapshots in their folders.
///
/// Of a large file only the ranges are fetched that are read. Their length is checked, their digest can't be;
/// what is fetched whole is checked and stays. Nothing is listed: sizes come from the manifests.
#[derive(Debug)]
pub struct FilesElsewhere {
    local: LocalFileSystem,
    files: BTreeMap<Path, FileElsewhere>,
}

#[derive(Debug)]
struct FileElsewhere {
    place: Place,
    name: String,
    listed: ReleaseFile,
    /// Where it is once it was fetched.
    path: Utf8PathBuf,
    /// Held while it is fetched whole, so that this is done once.
    fetching: Mutex<()>,
}

impl FilesElsewhere {
    /// The files of those of the snapshots that lie elsewhere; none: all are here.
    ///
    /// # Errors
    /// When a snapshot's URL is none.
    pub fn of<'a>(
        snapshots: impl IntoIterator<Item = &'a Snapshot>,
    ) -> Result<Option<Self>, SnapshotError> {
        let mut files = BTreeMap::new();
        for snapshot in snapshots {
            let Some(elsewhere) = snapshot.elsewhere() else {
                continue;
            };
            let place = elsewhere.place()?;
            let all = Visibility::ALL.into_iter();
            for (name, entry) in all.flat_map(|visibility| snapshot.listed(visibility)) {
                let path = snapshot.dir().join(name);
                let location = Path::from_absolute_path(&path)
                    .map_err(|cause| place.failed("use", name, &store_error(cause.to_string())))?;
                let file = FileElsewhere {
                    place: place.clone(),
                    name: name.clone(),
                    listed: listed(entry),
                    path,
                    fetching: Mutex::new(()),
                };
                files.insert(location, file);
            }
        }
        Ok((!files.is_empty()).then(|| Self {
            local: LocalFileSystem::new(),
            files,
        }))
    }
}

impl FileElsewhere {
    /// What is known of it without asking.
    fn meta(&self, location: &Path) -> ObjectMeta {
        ObjectMeta {
            location: location.clone(),
            last_modified: Default::default(),
            size: self.listed.bytes,
            e_tag: None,
            version: None,
        }
    }

    /// Fetches a part.
    async fn part(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let failed = |cause: &Error| store_error(self.place.failed("read", &self.name, cause));
        let got = match self.place.get(&self.name, options).await {
            // The server gives no parts.
            Err(cause @ Error::NotSupported { .. }) => return Err(cause),
            got => got.map_err(|cause| failed(&cause))?,
        };
        if got.meta.size != self.listed.bytes {
            let cause = format!(
                "it has {} bytes, the snapshot's manifest says {}",
                got.meta.size, self.listed.bytes
            );
            return Err(failed(&store_error(cause)));
        }
        Ok(GetResult {
            meta: self.meta(location),
            ..got
        })
    }

    /// Fetches all of it, unless it is there.
    async fn whole(&self) -> Result<()> {
        let _fetching = self.fetching.lock().await;
        if self.path.exists() {
            return Ok(());
        }
        let (place, name) = (self.place.clone(), self.name.clone());
        let (listed, path) = (self.listed.clone(), self.path.clone());
        requests::run(async move { place.fetch(&name, &listed, &path, &|_| ()).await })
            .await
            .map_err(store_error)
    }
}

#[async_trait]
impl ObjectStore for FilesElsewhere {
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let Some(file) = self.files.get(location) else {
            return self.local.get_opts(location, options).await;
        };
        if options.head {
            return Ok(GetResult {
                payload: GetResultPayload::Stream(stream::empty().boxed()),
                meta: file.meta(location),
                range: 0..0,
                attributes: Attributes::new(),
            });
        }
        if file.listed.bytes > WHOLE && options.range.is_some() && !file.path.exists() {
            match file.part(location, options.clone()).await {
                Err(Error::NotSupported { .. }) => {}
                part => return part,
            }
        }
        file.whole().await?;
        self.local.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        if !self.files.contains_key(location) {
            return self.local.get_ranges(location, ranges).await;
        }
        let part = |range| self.get_range(location, range);
        coalesce_ranges(ranges, part, GAP).await
    }

    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        Err(only_reads("put"))
    }

    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Err(only_reads("put"))
    }

    fn delete_stream(
        &self,
        _: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        stream::once(async { Err(only_reads("delete")) }).boxed()
    }

    fn list(&self, _: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        stream::once(async { Err(only_reads("list")) }).boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        Err(only_reads("list"))
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(only_reads("copy"))
    }
}

impl fmt::Display for FilesElsewhere {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "FilesElsewhere({} files)", self.files.len())
    }
}

fn only_reads(operation: &str) -> Error {
    Error::NotImplemented {
        operation: operation.to_owned(),
        implementer: "FilesElsewhere".to_owned(),
    }
}
