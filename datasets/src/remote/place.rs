//! A folder behind a URL, and how its files are read and written.

use std::collections::BTreeMap;
use std::future::Future;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use camino::Utf8Path;
use futures::{StreamExt, stream};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::client::SpawnedReqwestConnector;
use object_store::http::HttpBuilder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, BackoffConfig, ClientConfigKey, ClientOptions, GetOptions, GetResult,
    GetResultPayload, ObjectStore, RetryConfig, WriteMultipart,
};
use sha2::{Digest, Sha256};
use url::{Host, Position, Url};

use super::checked::CheckedFile;
use super::requests;
use crate::error::{Result, SnapshotError};
use crate::files;
use crate::release::ReleaseFile;

/// How long a store may take to answer, or to go on with its answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where an object in S3 says what it holds.
const SHA256: &str = "sha256";

/// No document of a release is longer; what is read whole must fit into memory.
const LONGEST_DOCUMENT: u64 = 64 << 20;

/// Files are sent in parts of this size, and so many of them at the same time.
const PART: usize = 8 << 20;
const PARTS: usize = 2;

/// A folder behind a URL: `https://`, `http://`, `s3://` or `file://`.
#[derive(Debug, Clone)]
pub struct Place {
    /// The URL without a slash at its end.
    url: String,
    is_s3: bool,
    /// Its folder in the store.
    root: Path,
    store: Arc<dyn ObjectStore>,
}

impl Place {
    /// Knows a folder by its URL; asks nobody.
    ///
    /// Keys and endpoint of S3 come from the usual environment variables (`AWS_…`).
    ///
    /// # Errors
    /// When it is no such URL, or the environment says something impossible.
    pub fn parse(text: &str) -> Result<Self> {
        let refused = |cause: String| SnapshotError::Remote {
            action: "use",
            url: text.to_owned(),
            cause,
            hint: "a release lies at https://HOST/PATH, http://HOST/PATH, s3://BUCKET/PREFIX or file:///PATH",
        };
        let url = Url::parse(text).map_err(|cause| refused(cause.to_string()))?;
        let is_bare = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if !is_bare {
            return Err(refused("it has more than a host and a path".to_owned()));
        }
        let root = Path::from_url_path(url.path()).map_err(|cause| refused(cause.to_string()))?;
        Ok(Self {
            url: text.trim_end_matches('/').to_owned(),
            is_s3: url.scheme() == "s3",
            root,
            store: store(&url, &refused)?,
        })
    }

    /// The URL of a file in it.
    #[must_use]
    pub fn url_of(&self, name: &str) -> String {
        format!("{}/{name}", self.url)
    }

    /// The last part of its URL.
    pub(super) fn name(&self) -> Option<&str> {
        self.root.filename()
    }

    /// Reads a small file whole; none: it is not there.
    ///
    /// # Errors
    /// When it can't be reached or read.
    pub async fn read(&self, name: &str) -> Result<Option<Bytes>> {
        let failed = |cause: &object_store::Error| self.failed("read", name, cause);
        let got = match self.get(name, GetOptions::default()).await {
            Ok(got) => got,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(cause) => return Err(failed(&cause)),
        };
        if got.meta.size > LONGEST_DOCUMENT {
            let cause = format!("it has {} bytes, which no such file has", got.meta.size);
            return Err(failed(&store_error(cause)));
        }
        let bytes = got.bytes().await;
        bytes.map(Some).map_err(|cause| failed(&cause))
    }

    /// Fetches a file whole and checks it; `seen` is told of the bytes as they come.
    ///
    /// # Errors
    /// When it can't be fetched or kept, or is not what is listed.
    pub async fn fetch(
        &self,
        name: &str,
        listed: &ReleaseFile,
        to: &Utf8Path,
        seen: &(dyn Fn(u64) + Sync),
    ) -> Result<()> {
        let failed = |cause: object_store::Error| self.failed("fetch", name, &cause);
        let got = self.get(name, GetOptions::default()).await;
        let mut chunks = got.map_err(failed)?.into_stream();
        let mut file = CheckedFile::create(to, listed, &self.url_of(name))?;
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(failed)?;
            file.write(&chunk)?;
            seen(chunk.len() as u64);
        }
        file.finish()
    }

    /// Whether a file is there as it is listed. In S3 the object says its digest; elsewhere it is read.
    ///
    /// # Errors
    /// When it can't be reached or read.
    pub async fn holds(&self, name: &str, listed: &ReleaseFile) -> Result<bool> {
        let failed = |cause: object_store::Error| self.failed("look at", name, &cause);
        let options = GetOptions::default().with_head(self.is_s3);
        let got = match self.get(name, options).await {
            Ok(got) => got,
            Err(object_store::Error::NotFound { .. }) => return Ok(false),
            Err(cause) => return Err(failed(cause)),
        };
        if got.meta.size != listed.bytes {
            return Ok(false);
        }
        if self.is_s3 {
            let said = got.attributes.get(&Attribute::Metadata(SHA256.into()));
            return Ok(said.is_some_and(|said| said.as_ref() == listed.sha256));
        }
        let (mut hash, mut chunks) = (Sha256::new(), got.into_stream());
        while let Some(chunk) = chunks.next().await {
            hash.update(chunk.map_err(failed)?);
        }
        Ok(files::hex(&hash.finalize()) == listed.sha256)
    }

    /// Writes a file; `seen` is told of the bytes as they go.
    ///
    /// # Errors
    /// When it can't be read or written.
    pub async fn put(
        &self,
        name: &str,
        from: &Utf8Path,
        sha256: &str,
        seen: &(dyn Fn(u64) + Sync),
    ) -> Result<()> {
        let failed = |cause: object_store::Error| self.failed("write", name, &cause);
        if self.url.starts_with("http") {
            return Err(failed(object_store::Error::NotImplemented {
                operation: "writing".to_owned(),
                implementer: "a web server".to_owned(),
            }));
        }
        let location = self.location(name).map_err(failed)?;
        let mut attributes = Attributes::new();
        if self.is_s3 {
            attributes.insert(Attribute::Metadata(SHA256.into()), sha256.to_owned().into());
        }
        let mut file = files::open(from)?;
        let mut part = || -> Result<Bytes> {
            let mut part = Vec::new();
            let read = file.by_ref().take(PART as u64).read_to_end(&mut part);
            read.map_err(|cause| SnapshotError::io("read", from, cause))?;
            Ok(part.into())
        };
        let first = part()?;
        seen(first.len() as u64);
        if first.len() < PART {
            let whole = self
                .store
                .put_opts(&location, first.into(), attributes.into());
            return whole.await.map(drop).map_err(failed);
        }
        let begun = self.store.put_multipart_opts(&location, attributes.into());
        let mut writing = WriteMultipart::new_with_chunk_size(begun.await.map_err(failed)?, PART);
        let mut next = first;
        while !next.is_empty() {
            writing.put(next);
            writing.wait_for_capacity(PARTS).await.map_err(failed)?;
            next = part()?;
            seen(next.len() as u64);
        }
        writing.finish().await.map(drop).map_err(failed)
    }

    /// Asks for a file or a part of it.
    pub(super) async fn get(
        &self,
        name: &str,
        options: GetOptions,
    ) -> object_store::Result<GetResult> {
        let location = self.location(name)?;
        let got = patiently(self.store.get_opts(&location, options)).await??;
        requests::count(1, 0);
        let (meta, range, attributes) =
            (got.meta.clone(), got.range.clone(), got.attributes.clone());
        let chunks = stream::try_unfold(got.into_stream(), |mut chunks| async move {
            let Some(chunk) = patiently(chunks.next()).await? else {
                return Ok(None);
            };
            let chunk = chunk?;
            requests::count(0, chunk.len());
            Ok(Some((chunk, chunks)))
        });
        Ok(GetResult {
            payload: GetResultPayload::Stream(chunks.boxed()),
            meta,
            range,
            attributes,
        })
    }

    fn location(&self, name: &str) -> object_store::Result<Path> {
        let name = Path::parse(name)?;
        Ok(self.root.parts().chain(name.parts()).collect())
    }

    pub(super) fn failed(
        &self,
        action: &'static str,
        name: &str,
        cause: &object_store::Error,
    ) -> SnapshotError {
        use object_store::Error::{NotFound, NotImplemented, PermissionDenied, Unauthenticated};
        let text = cause.to_string();
        let hint = match cause {
            NotFound { .. } => "check the URL; if it is right, the release lacks this file",
            NotImplemented { .. } => {
                "push to s3://, oci:// or a folder; a web server is given the folder's files"
            }
            // Without keys, those of a machine at Amazon are asked for at its own address.
            _ if self.is_s3
                && (matches!(cause, PermissionDenied { .. } | Unauthenticated { .. })
                    || text.contains("169.254.")) =>
            {
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_ENDPOINT_URL where it is not Amazon's; a public bucket is read with AWS_SKIP_SIGNATURE=true"
            }
            _ => "check address and network and try again; what was fetched is kept",
        };
        SnapshotError::Remote {
            action,
            url: self.url_of(name),
            cause: text,
            hint,
        }
    }
}

/// The store of a URL, one for each origin: it holds the connections.
fn store(url: &Url, refused: &dyn Fn(String) -> SnapshotError) -> Result<Arc<dyn ObjectStore>> {
    static STORES: Mutex<BTreeMap<String, Arc<dyn ObjectStore>>> = Mutex::new(BTreeMap::new());
    let origin = &url[..Position::BeforePath];
    let mut stores = STORES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(store) = stores.get(origin) {
        return Ok(Arc::clone(store));
    }
    let failed = |cause: object_store::Error| refused(cause.to_string());
    let connector = SpawnedReqwestConnector::new(requests::runtime()?.handle().clone());
    let store: Arc<dyn ObjectStore> = match url.scheme() {
        "http" | "https" => Arc::new(
            HttpBuilder::new()
                .with_url(origin)
                .with_client_options(client(url.scheme() == "http"))
                .with_retry(retries())
                .with_http_connector(connector)
                .build()
                .map_err(failed)?,
        ),
        "s3" => {
            let builder = AmazonS3Builder::from_env();
            let plain = allows_http(&builder);
            Arc::new(
                builder
                    .with_url(origin)
                    .with_client_options(client(plain))
                    .with_retry(retries())
                    .with_http_connector(connector)
                    .build()
                    .map_err(failed)?,
            )
        }
        "file" => Arc::new(LocalFileSystem::new()),
        other => return Err(refused(format!("nothing is read from {other}://"))),
    };
    stores.insert(origin.to_owned(), Arc::clone(&store));
    Ok(store)
}

/// Whether an S3 endpoint may be asked without TLS: on this machine, or where the user said so.
fn allows_http(builder: &AmazonS3Builder) -> bool {
    let value = |key: AmazonS3ConfigKey| builder.get_config_value(&key);
    let endpoint = value(AmazonS3ConfigKey::S3Endpoint).or(value(AmazonS3ConfigKey::Endpoint));
    let is_here = endpoint.is_some_and(|endpoint| {
        Url::parse(&endpoint).is_ok_and(|url| match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        })
    });
    is_here
        || value(AmazonS3ConfigKey::Client(ClientConfigKey::AllowHttp))
            .is_some_and(|value| value == "true")
}

/// An answer may be large, and take long: `patiently` ends those that stall.
fn client(allow_http: bool) -> ClientOptions {
    ClientOptions::new()
        .with_timeout(Duration::from_secs(3600))
        .with_connect_timeout(Duration::from_secs(10))
        .with_allow_http(allow_http)
}

fn retries() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(200),
            max_backoff: Duration::from_secs(5),
            base: 2.0,
        },
        max_retries: 4,
        retry_timeout: Duration::from_secs(30),
    }
}

async fn patiently<T>(answer: impl Future<Output = T>) -> object_store::Result<T> {
    let waited = tokio::time::timeout(PATIENCE, answer).await;
    waited.map_err(|_| store_error(format!("nothing came for {} s", PATIENCE.as_secs())))
}

/// An error of the kind that stores have.
pub(super) fn store_error(
    cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> object_store::Error {
    object_store::Error::Generic {
        store: "release",
        source: cause.into(),
    }
}
