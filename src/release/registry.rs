//! A release as an artifact in an OCI registry: a layer for each file, named by its title.
//!
//! By the OCI image specification 1.1, "Guidelines for Artifact Usage", as ORAS writes files.

use std::collections::BTreeMap;
use std::time::Duration;

use aiopslab_datasets::remote::CheckedFile;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use camino::Utf8Path;
use futures::{StreamExt, TryStreamExt};
use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::errors::{OciDistributionError, OciErrorCode};
use oci_client::manifest::{OciDescriptor, OciImageManifest, OciManifest};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference};
use serde_json::Value;
use tokio::sync::OnceCell;
use tokio_util::io::ReaderStream;

use super::target::{Item, Seen};
use crate::exit::Failure;
use crate::settings::RegistrySettings;

/// What the artifact is.
const RELEASE: &str = "application/vnd.aiopslab.release.v1";
/// What its layers are: files of any kind.
const FILE: &str = "application/octet-stream";
/// The annotation that names a layer's file.
const TITLE: &str = "org.opencontainers.image.title";

/// The configuration of an artifact that has none: its type, text and digest, by the specification.
const EMPTY: (&str, &str, &str) = (
    "application/vnd.oci.empty.v1+json",
    "{}",
    "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
);

/// Bytes of a file that are sent at once.
const CHUNK: usize = 1 << 20;

/// An artifact in a registry.
pub(crate) struct Registry {
    url: String,
    reference: Reference,
    auth: RegistryAuth,
    client: Client,
    /// Its layers by their titles, once they were asked for; none: there is no such artifact.
    layers: OnceCell<Option<BTreeMap<String, OciDescriptor>>>,
}

impl Registry {
    /// Knows an artifact by `HOST/REPOSITORY:TAG`.
    pub(super) fn open(
        artifact: &str,
        plain_http: bool,
        settings: &RegistrySettings,
    ) -> Result<Self, Failure> {
        let url = format!("oci://{artifact}");
        let parts = artifact.split_once('/').and_then(|(host, path)| {
            let (repository, tag) = path.rsplit_once(':')?;
            let is_whole = !host.is_empty() && !repository.is_empty() && !tag.is_empty();
            is_whole.then_some((host, repository, tag))
        });
        let Some((host, repository, tag)) = parts else {
            return Err(Failure::user(format!(
                "{url} names no artifact\nhint: oci://HOST/REPOSITORY:TAG, e.g. oci://ghcr.io/me/testbed:1.0.0"
            )));
        };
        let protocol = match plain_http || is_loopback(host) {
            true => ClientProtocol::Http,
            false => ClientProtocol::Https,
        };
        let config = ClientConfig {
            protocol,
            connect_timeout: Some(Duration::from_secs(10)),
            read_timeout: Some(Duration::from_secs(60)),
            user_agent: concat!("aiopslab/", env!("CARGO_PKG_VERSION")),
            ..ClientConfig::default()
        };
        Ok(Self {
            reference: Reference::with_tag(host.to_owned(), repository.to_owned(), tag.to_owned()),
            auth: credentials(host, settings)?,
            client: Client::try_from(config)?,
            layers: OnceCell::new(),
            url,
        })
    }

    pub(super) async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        let Some(layer) = self.layers().await?.and_then(|layers| layers.get(name)) else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        let pulled = self.client.pull_blob(&self.reference, layer, &mut bytes);
        pulled
            .await
            .map_err(|error| self.failed("read", name, &error))?;
        Ok(Some(bytes))
    }

    pub(super) async fn fetch(
        &self,
        item: &Item,
        to: &Utf8Path,
        seen: Seen<'_>,
    ) -> Result<(), Failure> {
        let name = &item.name;
        let layer = self.layers().await?.and_then(|layers| layers.get(name));
        let layer = layer.ok_or_else(|| {
            Failure::user(format!(
                "{} has no file {name}\nhint: push the release again",
                self.url
            ))
        })?;
        let pulled = self.client.pull_blob_stream(&self.reference, layer).await;
        let mut chunks = pulled.map_err(|error| self.failed("fetch", name, &error))?;
        let mut file = CheckedFile::create(to, &item.listed, &format!("{} {name}", self.url))?;
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| self.failed("fetch", name, &error.into()))?;
            file.write(&chunk)?;
            seen(chunk.len() as u64);
        }
        Ok(file.finish()?)
    }

    pub(super) async fn holds(&self, item: &Item) -> Result<bool, Failure> {
        self.introduce().await;
        let digest = digest(item);
        let exists = self.client.blob_exists(&self.reference, &digest).await;
        exists.map_err(|error| self.failed("look for", &item.name, &error))
    }

    pub(super) async fn put(
        &self,
        item: &Item,
        from: &Utf8Path,
        seen: Seen<'_>,
    ) -> Result<(), Failure> {
        self.introduce().await;
        let (digest, bytes) = (digest(item), item.listed.bytes);
        let file = tokio::fs::File::open(from).await?;
        let chunks = ReaderStream::with_capacity(file, CHUNK).map_err(OciDistributionError::from);
        let sent = self
            .client
            .push_blob_stream(&self.reference, chunks, &digest, Some(bytes));
        sent.await
            .map_err(|error| self.failed("write", &item.name, &error))?;
        seen(bytes);
        Ok(())
    }

    /// Writes the manifest, which makes an artifact of the layers.
    pub(super) async fn finish(&self, items: &[Item]) -> Result<(), Failure> {
        let (kind, text, digest) = EMPTY;
        let failed = |error: OciDistributionError| self.failed("write", "manifest", &error);
        if !self
            .client
            .blob_exists(&self.reference, digest)
            .await
            .map_err(failed)?
        {
            let sent = self.client.push_blob(&self.reference, text, digest);
            sent.await.map_err(failed)?;
        }
        let config = OciDescriptor {
            media_type: kind.to_owned(),
            digest: digest.to_owned(),
            size: 2,
            ..OciDescriptor::default()
        };
        let manifest = OciManifest::Image(OciImageManifest {
            config,
            layers: items.iter().map(layer).collect::<Result<_, _>>()?,
            artifact_type: Some(RELEASE.to_owned()),
            ..OciImageManifest::default()
        });
        let sent = self.client.push_manifest(&self.reference, &manifest).await;
        sent.map(drop).map_err(failed)
    }

    async fn layers(&self) -> Result<Option<&BTreeMap<String, OciDescriptor>>, Failure> {
        let asked = self.layers.get_or_try_init(|| async {
            let pulled = self.client.pull_image_manifest(&self.reference, &self.auth);
            let manifest = match pulled.await {
                Ok((manifest, _)) => manifest,
                Err(error) if is_missing(&error) => return Ok(None),
                Err(error) => return Err(self.failed("read", "manifest", &error)),
            };
            let titled = manifest.layers.into_iter().filter_map(|layer| {
                let title = layer.annotations.as_ref()?.get(TITLE)?.clone();
                Some((title, layer))
            });
            Ok(Some(titled.collect()))
        });
        Ok(asked.await?.as_ref())
    }

    /// Lets the client know who asks; it signs in when the registry wants it to.
    async fn introduce(&self) {
        let registry = self.reference.resolve_registry();
        self.client.store_auth_if_needed(registry, &self.auth).await;
    }

    fn failed(&self, action: &str, name: &str, error: &OciDistributionError) -> Failure {
        use OciDistributionError::{
            AuthenticationFailure, RequestError, ServerError, UnauthorizedError,
        };
        let is_refused = match error {
            UnauthorizedError { .. } | AuthenticationFailure(_) => true,
            ServerError { code, .. } => [401, 403].contains(code),
            RequestError(error) => error
                .status()
                .is_some_and(|status| [401, 403].contains(&status.as_u16())),
            _ => false,
        };
        let hint = match is_refused {
            true => {
                "set AIOPSLAB_REGISTRY_USER and AIOPSLAB_REGISTRY_PASSWORD, or sign in with docker, podman or oras"
            }
            false => "check the registry's address and try again; what was sent is not sent again",
        };
        Failure::user(format!(
            "cannot {action} {name} of {}: {error}\nhint: {hint}",
            self.url
        ))
    }
}

/// Whether the registry answered that there is no such artifact.
fn is_missing(error: &OciDistributionError) -> bool {
    match error {
        OciDistributionError::ImageManifestNotFoundError(_) => true,
        OciDistributionError::RegistryError { envelope, .. } => envelope.errors.iter().any(|one| {
            matches!(
                one.code,
                OciErrorCode::ManifestUnknown | OciErrorCode::NameUnknown
            )
        }),
        _ => false,
    }
}

fn digest(item: &Item) -> String {
    format!("sha256:{}", item.listed.sha256)
}

fn layer(item: &Item) -> Result<OciDescriptor, Failure> {
    Ok(OciDescriptor {
        media_type: FILE.to_owned(),
        digest: digest(item),
        size: item.listed.bytes.try_into()?,
        annotations: Some(BTreeMap::from([(TITLE.to_owned(), item.name.clone())])),
        ..OciDescriptor::default()
    })
}

/// Whether a registry's address is this machine, where TLS would protect nothing.
fn is_loopback(address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse();
    host == "localhost" || ip.is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

/// Who the registry is asked by: who the settings name, else who docker's file has for it, else nobody.
fn credentials(host: &str, settings: &RegistrySettings) -> Result<RegistryAuth, Failure> {
    if let (Some(user), Some(password)) = (&settings.user.value, &settings.password.value) {
        return Ok(RegistryAuth::Basic(
            user.clone(),
            password.expose().to_owned(),
        ));
    }
    let Some(path) = settings
        .docker_config
        .value
        .as_ref()
        .filter(|it| it.is_file())
    else {
        return Ok(RegistryAuth::Anonymous);
    };
    let unread = |cause: &dyn std::fmt::Display| {
        Failure::user(format!(
            "docker's file of credentials {path} can't be read: {cause}\nhint: set AIOPSLAB_REGISTRY_USER and AIOPSLAB_REGISTRY_PASSWORD instead"
        ))
    };
    let text = std::fs::read_to_string(path).map_err(|error| unread(&error))?;
    let config: Value = serde_json::from_str(&text).map_err(|error| unread(&error))?;
    Ok(
        docker_credentials(&config, host).map_or(RegistryAuth::Anonymous, |(user, password)| {
            RegistryAuth::Basic(user, password)
        }),
    )
}

/// User and password that docker's file has for a registry; those that a helper program keeps are not had.
fn docker_credentials(config: &Value, host: &str) -> Option<(String, String)> {
    let entry = config.get("auths")?.get(host)?;
    let decoded = STANDARD.decode(entry.get("auth")?.as_str()?).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_this_machine_is_spoken_to_without_tls() {
        for (address, here) in [
            ("localhost:5000", true),
            ("127.0.0.1:5000", true),
            ("127.0.0.1", true),
            ("[::1]:5000", true),
            ("ghcr.io", false),
            ("10.0.0.1:5000", false),
            ("localhost.example.org", false),
        ] {
            assert_eq!(is_loopback(address), here, "{address}");
        }
    }

    #[test]
    fn dockers_file_names_who_asks() {
        let auth = STANDARD.encode("me:pass:word");
        let config = json!({"auths": {"ghcr.io": {"auth": auth}, "helped": {}}});
        let found = docker_credentials(&config, "ghcr.io");
        assert_eq!(found, Some(("me".to_owned(), "pass:word".to_owned())));
        for host in ["helped", "docker.io"] {
            assert_eq!(docker_credentials(&config, host), None, "{host}");
        }
    }
}
