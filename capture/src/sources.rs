//! Where the manifests of other people's applications come from: a git repository or a Helm chart,
//! fetched when an application is deployed, or a folder that the user has.
//!
//! What was fetched is kept as plain manifests in the user's cache, one folder for each source, so
//! that a later recovery finds what was deployed without asking the network. Nothing of it gets
//! into this repository.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::time::Duration;

use aiopslab_problems::family::{Application, Git, HelmChart, Source};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::programs::{Call, ProgramError, Programs};

/// How long one fetch may take: the largest of the repositories has some hundred megabytes.
const WITHIN: Duration = Duration::from_secs(600);
/// The manifests that a chart renders to.
const RENDERED: &str = "rendered.yaml";
/// Secrets made of files: what comes first by its name is applied first.
const SECRETS: &str = "0-secrets.yaml";

/// How manifests are fetched.
#[derive(Debug, Clone, Default)]
pub struct SourceOptions {
    /// A checkout of the application's repository, or its chart, instead of its own source.
    pub app_dir: Option<Utf8PathBuf>,
    /// The `helm` program; none: the one on the `PATH`.
    pub helm: Option<Utf8PathBuf>,
}

/// Why manifests could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Nothing says which version.
    #[error(
        "application {application} can't be fetched: {because}\nhint: give a checkout of it with --app-dir DIR"
    )]
    Unpinned {
        /// Name of the application.
        application: String,
        /// Why the catalog names no version.
        because: String,
    },
    /// What was fetched is not what was asked for.
    #[error("{what} has no {missing}\nhint: is it the right version?")]
    Missing {
        /// The source.
        what: String,
        /// What is not there.
        missing: String,
    },
    /// The chart's repository is not named.
    #[error(
        "chart {chart} can't be fetched: its source names no `repository`\nhint: add its URL, or use oci://…"
    )]
    NoRepository {
        /// The chart.
        chart: String,
    },
    /// What was fetched is no longer there, e.g. when a recovery needs it.
    #[error(
        "the manifests of {application} are not in {folder} any more\nhint: `aiopslab check --application {application}` fetches them again; with --app-dir DIR out of a checkout"
    )]
    Gone {
        /// Name of the application.
        application: String,
        /// Where they were kept.
        folder: Utf8PathBuf,
    },
    /// There is no place to keep it.
    #[error("no folder for what is fetched\nhint: set XDG_CACHE_HOME or HOME")]
    NoCache,
    /// A program failed.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// A file could not be read or written.
    #[error("failed to keep {path}: {source}")]
    File {
        /// The file.
        path: Utf8PathBuf,
        /// What happened.
        #[source]
        source: std::io::Error,
    },
}

/// Fetches the manifests of an application, unless they are part of this program or were fetched
/// before; of a chart also what it comes to with each of other `values`. Returns the programs that
/// were run.
///
/// # Errors
/// When a program fails, the source is not pinned, or what came is not what was asked for.
pub(crate) async fn fetch(
    application: &Application,
    options: &SourceOptions,
    values: &[&Value],
) -> Result<Vec<Call>, SourceError> {
    let Some(source) = &application.source else {
        return Ok(Vec::new());
    };
    if matches!(source, Source::BuiltIn(_)) {
        return Ok(Vec::new());
    }
    let mut renderings = vec![(None, folder(application, None)?)];
    for values in values {
        renderings.push((Some(*values), folder(application, Some(values))?));
    }
    if options.app_dir.is_none() && renderings.iter().all(|(_, target)| target.is_dir()) {
        return Ok(Vec::new());
    }
    let parent = kept_in()?;
    let parent = parent.as_path();
    create(parent)?;
    let work = tempfile::Builder::new()
        .prefix("fetching-")
        .tempdir_in(parent)
        .map_err(|source| SourceError::File {
            path: parent.to_owned(),
            source,
        })?;
    let work = Utf8Path::from_path(work.path()).ok_or(SourceError::NoCache)?;
    let mut fetching = Fetching {
        application,
        options,
        programs: Programs::new(WITHIN),
        checkout: work.join("checkout"),
        manifests: work.join("manifests"),
        values: None,
    };
    for (values, target) in renderings {
        create(&fetching.checkout)?;
        create(&fetching.manifests)?;
        fetching.values = values;
        match source {
            Source::Git(git) => fetching.git(git).await?,
            Source::Helm(chart) => fetching.chart(chart).await?,
            Source::BuiltIn(_) => {}
        }
        // Whole or not at all.
        if target.is_dir() {
            fs::remove_dir_all(&target).map_err(file(&target))?;
        }
        fs::rename(&fetching.manifests, &target).map_err(file(&target))?;
        fs::remove_dir_all(&fetching.checkout).map_err(file(&fetching.checkout))?;
    }
    Ok(fetching.programs.calls())
}

/// Where the manifests of an application are kept, or those of its chart with other values.
///
/// # Errors
/// When neither `XDG_CACHE_HOME` nor `HOME` is set.
pub(crate) fn folder(
    application: &Application,
    values: Option<&Value>,
) -> Result<Utf8PathBuf, SourceError> {
    let source = serde_json::to_string(&application.source).unwrap_or_default();
    let values = values.map(Value::to_string).unwrap_or_default();
    let digest = Sha256::digest(format!("{}\n{source}\n{values}", application.namespace));
    let digest: String = digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(kept_in()?.join(format!("{}-{digest}", application.name)))
}

/// The user's folder of what was fetched.
fn kept_in() -> Result<Utf8PathBuf, SourceError> {
    let of = |name: &str| {
        let value = env::var_os(name).filter(|value| !value.is_empty())?;
        Utf8PathBuf::from_path_buf(value.into()).ok()
    };
    let cache = of("XDG_CACHE_HOME").or_else(|| Some(of("HOME")?.join(".cache")));
    let cache = cache.ok_or(SourceError::NoCache)?;
    Ok(cache.join("aiopslab").join("sources"))
}

/// One fetch under way.
struct Fetching<'a> {
    application: &'a Application,
    options: &'a SourceOptions,
    programs: Programs,
    /// What was fetched.
    checkout: Utf8PathBuf,
    /// What is kept of it.
    manifests: Utf8PathBuf,
    /// What a chart is rendered with instead of its own values.
    values: Option<&'a Value>,
}

impl Fetching<'_> {
    async fn git(&mut self, git: &Git) -> Result<(), SourceError> {
        let checkout = match &self.options.app_dir {
            Some(folder) => folder.clone(),
            None => {
                self.checkout(git).await?;
                self.checkout.clone()
            }
        };
        let folder = git.manifests.as_ref().or(git.chart.as_ref());
        if let Some(folder) = folder
            && !git.secrets.is_empty()
        {
            self.make_secrets(git, &checkout.join(folder))?;
        }
        match (&git.manifests, &git.chart) {
            (Some(folder), _) => self.copy(&git.git, &checkout, folder),
            (None, Some(chart)) => {
                let folder = checkout.join(chart);
                if !folder.join("Chart.yaml").is_file() {
                    return Err(SourceError::Missing {
                        what: self.described(&git.git),
                        missing: format!("chart {chart}"),
                    });
                }
                let release = git.release.as_ref().unwrap_or(&self.application.name);
                let namespace = &self.application.namespace;
                self.render(release, namespace, &[folder.into_string()])
                    .await
            }
            (None, None) => Err(SourceError::Missing {
                what: self.described(&git.git),
                missing: "folder of manifests".to_owned(),
            }),
        }
    }

    /// Makes Secrets of files that lie beside the manifests.
    fn make_secrets(&self, git: &Git, folder: &Utf8Path) -> Result<(), SourceError> {
        let mut secrets = Vec::new();
        for (name, files) in &git.secrets {
            let mut texts = BTreeMap::new();
            for path in files {
                let path = folder.join(path);
                if !path.is_file() {
                    return Err(SourceError::Missing {
                        what: self.described(&git.git),
                        missing: format!("{path}, of which the Secret {name} is made"),
                    });
                }
                let key = path.file_name().unwrap_or_default().to_owned();
                texts.insert(key, fs::read_to_string(&path).map_err(file(&path))?);
            }
            secrets.push(json!({
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": name},
                "stringData": texts,
            }));
        }
        let list = json!({"apiVersion": "v1", "kind": "List", "items": secrets});
        let path = self.manifests.join(SECRETS);
        fs::write(&path, list.to_string()).map_err(file(&path))
    }

    /// Gets one commit of a repository.
    async fn checkout(&mut self, git: &Git) -> Result<(), SourceError> {
        let Some(commit) = &git.commit else {
            return Err(self.unpinned(git.unpinned.as_deref()));
        };
        let checkout = self.checkout.clone();
        let mut run = async |arguments: &[&str]| {
            let place = ["-C", checkout.as_str()];
            let arguments: Vec<&str> = place.iter().chain(arguments).copied().collect();
            self.programs
                .run("git", &arguments, &[("GIT_TERMINAL_PROMPT", "0")])
                .await
        };
        run(&["init", "--quiet"]).await?;
        // A server gives a single commit by its whole name only, and not every server does.
        let whole = commit.len() == 40;
        let alone = whole
            && run(&["fetch", "--quiet", "--depth", "1", &git.git, commit])
                .await
                .is_ok();
        if !alone {
            run(&[
                "fetch",
                "--quiet",
                "--tags",
                &git.git,
                "+refs/heads/*:refs/remotes/origin/*",
            ])
            .await?;
        }
        run(&["checkout", "--quiet", commit]).await?;
        let head = run(&["rev-parse", "HEAD"]).await?;
        if head.trim().starts_with(commit.as_str()) {
            return Ok(());
        }
        Err(SourceError::Missing {
            what: self.described(&git.git),
            missing: format!("commit {commit}"),
        })
    }

    async fn chart(&mut self, chart: &HelmChart) -> Result<(), SourceError> {
        let namespace = chart
            .namespace
            .as_ref()
            .unwrap_or(&self.application.namespace);
        let name = self.application.name.as_str();
        if let Some(folder) = &self.options.app_dir {
            return self
                .render(name, namespace, &[folder.clone().into_string()])
                .await;
        }
        let Some(version) = &chart.version else {
            return Err(self.unpinned(chart.unpinned.as_deref()));
        };
        let mut arguments = Vec::new();
        if chart.helm.starts_with("oci://") {
            arguments.push(chart.helm.clone());
        } else {
            let Some(repository) = &chart.repository else {
                return Err(SourceError::NoRepository {
                    chart: chart.helm.clone(),
                });
            };
            let name = chart.helm.rsplit('/').next().unwrap_or(&chart.helm);
            arguments.extend([name.to_owned(), "--repo".to_owned(), repository.clone()]);
        }
        arguments.extend(["--version".to_owned(), version.clone()]);
        self.render(name, namespace, &arguments).await
    }

    /// Renders a chart: what helm would send to the cluster, without its own bookkeeping.
    async fn render(
        &mut self,
        release: &str,
        namespace: &str,
        chart: &[String],
    ) -> Result<(), SourceError> {
        let helm = self
            .options
            .helm
            .as_ref()
            .map_or("helm", |path| path.as_str());
        let mut arguments = vec!["template", release];
        arguments.extend(chart.iter().map(String::as_str));
        arguments.extend(["--namespace", namespace, "--include-crds", "--no-hooks"]);
        // JSON is YAML.
        let values = self.checkout.join(".values.yaml");
        if let Some(other) = self.values {
            fs::write(&values, other.to_string()).map_err(file(&values))?;
            arguments.extend(["--values", values.as_str()]);
        }
        // Nobody's own repositories and plugins.
        let home = self.checkout.join(".helm").into_string();
        let surroundings = ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"]
            .map(|name| (name, home.as_str()));
        let rendered = self.programs.run(helm, &arguments, &surroundings).await?;
        let path = self.manifests.join(RENDERED);
        fs::write(&path, rendered).map_err(file(&path))
    }

    /// Keeps the manifests of a folder, those of folders in it too.
    fn copy(&self, what: &str, checkout: &Utf8Path, folder: &str) -> Result<(), SourceError> {
        let root = checkout.join(folder);
        let mut found = Vec::new();
        collect(&root, &mut found)?;
        found.sort();
        for (index, path) in found.iter().enumerate() {
            // The order of the names is the order of applying them.
            let name = path.file_name().unwrap_or_default();
            let target = self.manifests.join(format!("{index:04}-{name}"));
            fs::copy(path, &target).map_err(file(&target))?;
        }
        if found.is_empty() {
            return Err(SourceError::Missing {
                what: self.described(what),
                missing: format!("manifests in {folder}"),
            });
        }
        Ok(())
    }

    fn described(&self, source: &str) -> String {
        match &self.options.app_dir {
            Some(folder) => folder.to_string(),
            None => source.to_owned(),
        }
    }

    fn unpinned(&self, because: Option<&str>) -> SourceError {
        SourceError::Unpinned {
            application: self.application.name.clone(),
            because: because.unwrap_or("its source names no version").to_owned(),
        }
    }
}

fn collect(folder: &Utf8Path, found: &mut Vec<Utf8PathBuf>) -> Result<(), SourceError> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in folder.read_dir_utf8().map_err(file(folder))? {
        let path = entry.map_err(file(folder))?.into_path();
        if path.is_dir() {
            collect(&path, found)?;
        } else if matches!(path.extension(), Some("yaml" | "yml")) {
            found.push(path);
        }
    }
    Ok(())
}

fn create(folder: &Utf8Path) -> Result<(), SourceError> {
    fs::create_dir_all(folder).map_err(file(folder))
}

fn file(path: &Utf8Path) -> impl Fn(std::io::Error) -> SourceError {
    let path = path.to_owned();
    move |source| SourceError::File {
        path: path.clone(),
        source,
    }
}
