//! Settings: `aiopslab.toml`, then environment variables, then flags; the only reader of either.

mod llm;
mod registry;
mod secret;

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

pub use self::llm::{LlmSettings, Price};
pub use self::registry::RegistrySettings;
pub use self::secret::Secret;
use crate::cli::Global;
use crate::exit::Failure;

/// The configuration file that is read where it exists.
pub const FILE: &str = "aiopslab.toml";

/// What the commands go by, each value with its origin.
#[derive(Debug, Clone, Serialize)]
pub struct Settings {
    /// Folder in which snapshots are looked up before the shipped samples.
    pub snapshots: Value<Option<Utf8PathBuf>>,
    /// Folder of further catalog files.
    pub catalog: Value<Option<Utf8PathBuf>>,
    /// The kubeconfig file.
    pub kubeconfig: Value<Option<Utf8PathBuf>>,
    /// The context in it.
    pub context: Value<Option<String>>,
    /// The kubectl that a capture's probes are asked with.
    pub kubectl: Value<Option<Utf8PathBuf>>,
    /// Episodes that run at the same time.
    pub jobs: Value<usize>,
    /// Steps that an agent has for one problem.
    pub max_steps: Value<u32>,
    /// How language models are asked.
    pub llm: LlmSettings,
    /// Seconds on the wall that it has.
    pub max_seconds: Value<Option<u64>>,
    /// Tokens that its model may take.
    pub max_tokens: Value<Option<u64>>,
    /// US dollars that it may cost.
    pub max_cost: Value<Option<f64>>,
    /// The key that requests to `serve` need.
    pub api_key: Value<Option<Secret>>,
    /// The program that shows what is longer than the screen.
    pub pager: Value<String>,
    /// The file of what was typed at the prompt of `sql`.
    pub sql_history: Value<Option<Utf8PathBuf>>,
    /// The minisign public key of who signs releases that lie elsewhere, or the file with it.
    pub release_key: Value<Option<String>>,
    /// The folder of what was fetched of releases that lie elsewhere.
    pub cache: Value<Option<Utf8PathBuf>>,
    /// Who OCI registries are asked by.
    pub registry: RegistrySettings,
}

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Value<T> {
    /// The value.
    pub value: T,
    /// `default`, `file …`, `environment …` or `flag`.
    pub from: String,
}

/// The configuration file's keys.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    snapshots: Option<Utf8PathBuf>,
    catalog: Option<Utf8PathBuf>,
    kubeconfig: Option<Utf8PathBuf>,
    context: Option<String>,
    kubectl: Option<Utf8PathBuf>,
    jobs: Option<usize>,
    max_steps: Option<u32>,
    llm: Option<llm::Table>,
    max_seconds: Option<u64>,
    max_tokens: Option<u64>,
    max_cost: Option<f64>,
    release_key: Option<String>,
}

impl Settings {
    /// Reads the configuration file and the environment, under the flags.
    ///
    /// # Errors
    /// When the file can't be read or says something unknown, or a variable has no valid value.
    pub fn load(flags: &Global) -> Result<Self, Failure> {
        let environment = std::env::vars().collect();
        let (file, name) = match &flags.config {
            Some(path) => (read(path)?, path.to_string()),
            None if Utf8Path::new(FILE).exists() => (read(Utf8Path::new(FILE))?, FILE.to_owned()),
            None => (File::default(), String::new()),
        };
        Self::merge(file, &name, &environment, flags)
    }

    fn merge(
        file: File,
        file_name: &str,
        environment: &BTreeMap<String, String>,
        flags: &Global,
    ) -> Result<Self, Failure> {
        let sources = Sources {
            file_name,
            environment,
        };
        Ok(Self {
            snapshots: sources.optional(
                "AIOPSLAB_SNAPSHOTS",
                file.snapshots,
                flags.snapshots.clone(),
            )?,
            catalog: sources.optional("AIOPSLAB_CATALOG", file.catalog, flags.catalog.clone())?,
            kubeconfig: sources.optional("KUBECONFIG", file.kubeconfig, None)?,
            context: sources.optional("AIOPSLAB_CONTEXT", file.context, None)?,
            kubectl: sources.optional("AIOPSLAB_KUBECTL", file.kubectl, None)?,
            jobs: sources.or_default("AIOPSLAB_JOBS", file.jobs, 2)?,
            max_steps: sources.or_default("AIOPSLAB_MAX_STEPS", file.max_steps, 30)?,
            llm: LlmSettings::merge(file.llm.unwrap_or_default(), &sources)?,
            max_seconds: sources.optional("AIOPSLAB_MAX_SECONDS", file.max_seconds, None)?,
            max_tokens: sources.optional("AIOPSLAB_MAX_TOKENS", file.max_tokens, None)?,
            max_cost: sources.optional("AIOPSLAB_MAX_COST", file.max_cost, None)?,
            api_key: sources.optional("AIOPSLAB_API_KEY", None, None)?,
            pager: sources.or_default("PAGER", None, "less -S".to_owned())?,
            sql_history: sources.sql_history()?,
            release_key: sources.optional(
                "AIOPSLAB_RELEASE_KEY",
                file.release_key,
                flags.release_key.clone(),
            )?,
            cache: sources.cache(),
            registry: RegistrySettings::merge(&sources)?,
        })
    }

    /// The text of the public key of who signs releases.
    ///
    /// # Errors
    /// When its file can't be read.
    pub fn release_key(&self) -> Result<Option<String>, Failure> {
        let Some(key) = &self.release_key.value else {
            return Ok(None);
        };
        if !Utf8Path::new(key).is_file() {
            return Ok(Some(key.clone()));
        }
        let text = std::fs::read_to_string(key);
        text.map(Some)
            .map_err(|error| Failure::user(format!("the public key {key} can't be read: {error}")))
    }
}

impl<T> Value<T> {
    /// Puts a flag of one command above whatever was set.
    #[must_use]
    pub fn under(self, flag: Option<T>) -> Self {
        match flag {
            Some(value) => Self {
                value,
                from: "flag".to_owned(),
            },
            None => self,
        }
    }
}

struct Sources<'a> {
    file_name: &'a str,
    environment: &'a BTreeMap<String, String>,
}

impl Sources<'_> {
    fn optional<T: std::str::FromStr>(
        &self,
        variable: &str,
        file: Option<T>,
        flag: Option<T>,
    ) -> Result<Value<Option<T>>, Failure>
    where
        T::Err: std::fmt::Display,
    {
        let set = self.set(variable, file)?;
        Ok(match (flag, set) {
            (Some(value), _) => Value {
                value: Some(value),
                from: "flag".to_owned(),
            },
            (None, Some(set)) => Value {
                value: Some(set.value),
                from: set.from,
            },
            (None, None) => Value {
                value: None,
                from: "default".to_owned(),
            },
        })
    }

    fn or_default<T: std::str::FromStr>(
        &self,
        variable: &str,
        file: Option<T>,
        default: T,
    ) -> Result<Value<T>, Failure>
    where
        T::Err: std::fmt::Display,
    {
        let default = Value {
            value: default,
            from: "default".to_owned(),
        };
        Ok(self.set(variable, file)?.unwrap_or(default))
    }

    /// The history of `sql`: where state is kept, by the XDG Base Directory Specification.
    fn sql_history(&self) -> Result<Value<Option<Utf8PathBuf>>, Failure> {
        let mut history = self.optional("AIOPSLAB_SQL_HISTORY", None, None)?;
        if history.value.is_none() {
            let state = self.folder("XDG_STATE_HOME", ".local/state");
            history.value = state.map(|state| state.join("sql_history"));
        }
        Ok(history)
    }

    /// The releases of the user's cache.
    fn cache(&self) -> Value<Option<Utf8PathBuf>> {
        let cache = self.folder("XDG_CACHE_HOME", ".cache");
        Value {
            value: cache.map(|cache| cache.join("releases")),
            from: "default".to_owned(),
        }
    }

    /// Our folder of one kind, by the XDG Base Directory Specification.
    fn folder(&self, variable: &str, at_home: &str) -> Option<Utf8PathBuf> {
        let folder = self.path(variable);
        let folder = folder.or_else(|| Some(self.home()?.join(at_home)))?;
        Some(folder.join("aiopslab"))
    }

    fn home(&self) -> Option<Utf8PathBuf> {
        self.path("HOME")
    }

    fn path(&self, variable: &str) -> Option<Utf8PathBuf> {
        let value = self.environment.get(variable)?;
        (!value.is_empty()).then(|| Utf8PathBuf::from(value))
    }

    /// What only the file can say.
    fn in_file<T>(&self, file: Option<T>, default: T) -> Value<T> {
        let from = match file {
            Some(_) => format!("file {}", self.file_name),
            None => "default".to_owned(),
        };
        let value = file.unwrap_or(default);
        Value { value, from }
    }

    fn set<T: std::str::FromStr>(
        &self,
        variable: &str,
        file: Option<T>,
    ) -> Result<Option<Value<T>>, Failure>
    where
        T::Err: std::fmt::Display,
    {
        if let Some(text) = self
            .environment
            .get(variable)
            .filter(|text| !text.is_empty())
        {
            let value = text.parse().map_err(|error: T::Err| {
                Failure::user(format!(
                    "the environment variable {variable} is {text:?}: {error}"
                ))
            })?;
            return Ok(Some(Value {
                value,
                from: format!("environment {variable}"),
            }));
        }
        Ok(file.map(|value| Value {
            value,
            from: format!("file {}", self.file_name),
        }))
    }
}

fn read(path: &Utf8Path) -> Result<File, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::user(format!(
            "the configuration file {path} can't be read: {error}"
        ))
    })?;
    toml::from_str(&text).map_err(|error| {
        Failure::user(format!(
            "the configuration file {path} is wrong: {error}hint: its keys are snapshots, catalog, kubeconfig, context, kubectl, jobs, max_steps, max_seconds, max_tokens, max_cost, release_key and the table llm"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(
        file: &str,
        environment: &[(&str, &str)],
        flag: Option<&str>,
    ) -> Result<Settings, Failure> {
        let environment = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let flags = Global {
            snapshots: flag.map(Utf8PathBuf::from),
            ..Global::default()
        };
        Settings::merge(
            toml::from_str(file).unwrap(),
            "aiopslab.toml",
            &environment,
            &flags,
        )
    }

    #[test]
    fn flags_beat_the_environment_and_that_beats_the_file() {
        let of = |file, environment: &[(&str, &str)], flag| {
            let value = merged(file, environment, flag).unwrap().snapshots;
            (value.value.map(|path| path.to_string()), value.from)
        };
        let told = |value: &str, from: &str| (Some(value.to_owned()), from.to_owned());
        let variable = [("AIOPSLAB_SNAPSHOTS", "e")];
        assert_eq!(of("", &[], None), (None, "default".to_owned()));
        assert_eq!(
            of("snapshots = 'f'", &[], None),
            told("f", "file aiopslab.toml")
        );
        assert_eq!(
            of("snapshots = 'f'", &variable, None),
            told("e", "environment AIOPSLAB_SNAPSHOTS")
        );
        assert_eq!(
            of("snapshots = 'f'", &variable, Some("a")),
            told("a", "flag")
        );
    }

    #[test]
    fn a_value_that_is_no_number_names_its_variable() {
        let Err(Failure::User(error)) = merged("", &[("AIOPSLAB_JOBS", "many")], None) else {
            panic!("must fail");
        };
        assert!(error.to_string().contains("AIOPSLAB_JOBS"), "{error}");
    }
}
