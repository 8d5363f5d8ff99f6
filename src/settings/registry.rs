//! Who a registry is told to be asked by.

use camino::Utf8PathBuf;
use serde::Serialize;

use super::{Secret, Sources, Value};
use crate::exit::Failure;

/// Who OCI registries are asked by.
#[derive(Debug, Clone, Serialize)]
pub struct RegistrySettings {
    /// The user's name.
    pub user: Value<Option<String>>,
    /// The password, or a token.
    pub password: Value<Option<Secret>>,
    /// Docker's file of credentials, which is read where no user is named.
    pub docker_config: Value<Option<Utf8PathBuf>>,
}

impl RegistrySettings {
    pub(super) fn merge(sources: &Sources<'_>) -> Result<Self, Failure> {
        let mut docker: Value<Option<Utf8PathBuf>> =
            sources.optional("DOCKER_CONFIG", None, None)?;
        if docker.value.is_none() {
            docker.value = sources.home().map(|home| home.join(".docker"));
        }
        docker.value = docker.value.map(|folder| folder.join("config.json"));
        Ok(Self {
            user: sources.optional("AIOPSLAB_REGISTRY_USER", None, None)?,
            password: sources.optional("AIOPSLAB_REGISTRY_PASSWORD", None, None)?,
            docker_config: docker,
        })
    }
}
