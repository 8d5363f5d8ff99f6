//! Where the kubeconfig is.

use std::env;
use std::path::PathBuf;

use camino::Utf8Path;
use kube::config::{KubeConfigOptions, Kubeconfig};

use super::ClusterError;

/// Loads the configuration of a context; none: the current one.
pub(super) async fn load(
    kubeconfig: Option<&Utf8Path>,
    context: Option<&str>,
) -> Result<kube::Config, ClusterError> {
    let (path, file) = match find_kubeconfig(kubeconfig)? {
        Some(found) => found,
        None => {
            return kube::Config::incluster().map_err(|error| ClusterError::Kubeconfig {
                path: "of the service account".to_owned(),
                source: Box::new(error),
            });
        }
    };
    if let Some(context) = context
        && !file.contexts.iter().any(|known| known.name == context)
    {
        return Err(ClusterError::NoContext {
            context: context.to_owned(),
            path,
            known: file
                .contexts
                .iter()
                .map(|known| known.name.clone())
                .collect(),
        });
    }
    let options = KubeConfigOptions {
        context: context.map(str::to_owned),
        ..Default::default()
    };
    kube::Config::from_custom_kubeconfig(file, &options)
        .await
        .map_err(|error| ClusterError::Kubeconfig {
            path,
            source: Box::new(error),
        })
}

/// The kubeconfig with the place it was found at; none: we run in a pod and have a service account.
fn find_kubeconfig(
    explicit: Option<&Utf8Path>,
) -> Result<Option<(String, Kubeconfig)>, ClusterError> {
    let read = |path: PathBuf| {
        let shown = path.display().to_string();
        Kubeconfig::read_from(&path)
            .map(|file| Some((shown.clone(), file)))
            .map_err(|error| ClusterError::Kubeconfig {
                path: shown,
                source: Box::new(error),
            })
    };
    let mut searched = Vec::new();
    if let Some(path) = explicit {
        if path.exists() {
            return read(path.into());
        }
        searched.push(path.to_string());
        return Err(ClusterError::NoKubeconfig { searched });
    }
    match env::var_os("KUBECONFIG").filter(|value| !value.is_empty()) {
        Some(value) => {
            let known: Vec<_> = env::split_paths(&value)
                .filter(|path| path.exists())
                .collect();
            if !known.is_empty() {
                return read_merged(&known);
            }
            searched.push(format!("KUBECONFIG={}", value.to_string_lossy()));
        }
        None => searched.push("KUBECONFIG (not set)".to_owned()),
    }
    let home = env::var_os("HOME").or_else(|| env::var_os("USERPROFILE"));
    if let Some(home) = home {
        let path = PathBuf::from(home).join(".kube").join("config");
        if path.exists() {
            return read(path);
        }
        searched.push(path.display().to_string());
    }
    if env::var_os("KUBERNETES_SERVICE_HOST").is_some() {
        return Ok(None);
    }
    searched.push("the service account of a pod".to_owned());
    Err(ClusterError::NoKubeconfig { searched })
}

fn read_merged(paths: &[PathBuf]) -> Result<Option<(String, Kubeconfig)>, ClusterError> {
    let mut merged = Kubeconfig::default();
    let mut shown = Vec::new();
    for path in paths {
        shown.push(path.display().to_string());
        merged = Kubeconfig::read_from(path)
            .and_then(|file| merged.merge(file))
            .map_err(|error| ClusterError::Kubeconfig {
                path: path.display().to_string(),
                source: Box::new(error),
            })?;
    }
    Ok(Some((shown.join(":"), merged)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_missing_kubeconfig_is_named() {
        let error = find_kubeconfig(Some(Utf8Path::new("/nowhere/kubeconfig"))).unwrap_err();
        assert!(error.to_string().contains("/nowhere/kubeconfig"), "{error}");
        assert!(error.to_string().contains("hint: "), "{error}");
    }
}
