//! What can be evaluated: the catalog's problems, and the snapshots that they are asked on.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use aiopslab_datasets::release::{CATALOG_FOLDER, RELEASE_FILE, Release, SNAPSHOTS_FOLDER};
use aiopslab_datasets::remote;
use aiopslab_datasets::samples::{self, Sample, samples};
use aiopslab_datasets::{Manifest, Snapshot};
use aiopslab_problems::catalog::{self, Catalog, nearest};
use aiopslab_problems::family::{Application, Family};
use aiopslab_problems::label::Label;
use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use serde_json::Value;

use crate::exit::Failure;
use crate::settings::Settings;

/// The name of a snapshot's manifest; a folder with one is a snapshot.
pub(crate) const MANIFEST: &str = "manifest.json";

/// The catalog, and where snapshots are found.
pub struct Library {
    /// Every family, application and problem.
    pub catalog: Catalog,
    folder: Option<Utf8PathBuf>,
    /// Catalog files that are not built in: (path, text).
    added: Vec<(String, String)>,
    /// The folders of what lies elsewhere, by URL.
    fetched: BTreeMap<String, Utf8PathBuf>,
    /// Where such folders are kept.
    cache: Option<Utf8PathBuf>,
    /// The public key of whoever signs releases.
    release_key: Option<String>,
}

/// A snapshot together with what is asked on it.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Its folder's name.
    pub name: String,
    /// Its folder.
    pub dir: Utf8PathBuf,
    /// The family that was captured.
    pub family: String,
    /// The number of the variant.
    pub variant: u32,
    /// What someone said of it, where it is no capture of a family.
    pub label: Option<Label>,
}

impl Library {
    /// Reads the catalog: the embedded one and the user's own files.
    ///
    /// # Errors
    /// When a catalog file can't be read or is wrong.
    pub fn open(settings: &Settings) -> Result<Self, Failure> {
        Self::open_for(settings, &[])
    }

    /// Reads the catalog; what releases among these places have frozen takes the place of what is built in.
    ///
    /// # Errors
    /// When a catalog file can't be read or is wrong.
    pub fn open_for(settings: &Settings, places: &[Utf8PathBuf]) -> Result<Self, Failure> {
        let (cache, key) = (settings.cache.value.as_deref(), settings.release_key()?);
        let mut fetched = BTreeMap::new();
        for url in places.iter().filter(|place| is_url(place.as_str())) {
            let folder = fetch(url.as_str(), cache, key.as_deref())?;
            fetched.insert(url.to_string(), folder);
        }
        let here = places.iter().chain(&settings.snapshots.value);
        let releases = here.chain(fetched.values());
        let releases = releases.filter_map(|place| release_of(place));
        let slices: Vec<Utf8PathBuf> = releases.map(|place| place.join(CATALOG_FOLDER)).collect();
        let library = Self::with_slices(settings, &slices)?;
        Ok(Self { fetched, ..library })
    }

    /// Reads the catalog, with the files in these folders, which need not be there, in the place of what is built in: a
    /// release is asked what it was built to be asked, whatever a later program knows. The user's own files win.
    pub(crate) fn with_slices(
        settings: &Settings,
        slices: &[Utf8PathBuf],
    ) -> Result<Self, Failure> {
        let mut added = match &settings.catalog.value {
            Some(dir) => catalog_files(dir)?,
            None => Vec::new(),
        };
        let frozen = frozen(slices, &added)?;
        let catalog = Catalog::with_frozen(&frozen, &added)?;
        added.extend(frozen);
        let folder = settings.snapshots.value.as_ref();
        Ok(Self {
            catalog,
            folder: folder.map(|folder| snapshots_folder(folder)),
            added,
            fetched: BTreeMap::new(),
            cache: settings.cache.value.clone(),
            release_key: settings.release_key()?,
        })
    }

    /// The catalog file of a family or application, which is named as what is in it.
    pub(crate) fn catalog_file(&self, name: &str) -> Option<&str> {
        let file = format!("{name}.toml");
        let added = self.added.iter();
        let mut added = added.map(|(path, text)| (base_name(path.as_ref()), text.as_str()));
        let added = added.find_map(|(known, text)| (known == file).then_some(text));
        added.or_else(|| {
            catalog::built_in().find_map(|(known, text)| (known == file).then_some(text))
        })
    }

    /// Finds a snapshot: a URL, else a folder, else a name below `--snapshots`, else a shipped sample.
    ///
    /// # Errors
    /// When there is none of that name; the error lists those that are there.
    pub fn find(&self, name: &str) -> Result<Utf8PathBuf, Failure> {
        if is_url(name) {
            let key = self.release_key.as_deref();
            return match self.fetched.get(name) {
                Some(folder) => Ok(folder.clone()),
                None => fetch(name, self.cache.as_deref(), key),
            };
        }
        if Utf8Path::new(name).is_dir() {
            return Ok(name.into());
        }
        if let Some(found) = self
            .folder
            .as_ref()
            .map(|folder| folder.join(name))
            .filter(|path| path.is_dir())
        {
            return Ok(found);
        }
        if let Some(sample) = samples().iter().find(|sample| sample.name == name) {
            return unpacked(sample);
        }
        let names: Vec<&str> = samples().iter().map(|sample| sample.name).collect();
        Err(Failure::user(format!(
            "no snapshot {name:?}: there is no such folder{} and no such sample\nhint: the samples are {}",
            self.folder
                .as_ref()
                .map(|folder| format!(", none of that name in {folder}"))
                .unwrap_or_default(),
            names.join(", "),
        )))
    }

    /// The snapshots at the given places, each a snapshot, a folder of snapshots or a release; without any, those of
    /// `--snapshots` and the shipped samples that it has no namesake of.
    ///
    /// # Errors
    /// When a place holds no snapshot.
    pub fn snapshots(&self, places: &[Utf8PathBuf]) -> Result<Vec<Utf8PathBuf>, Failure> {
        let mut found = Vec::new();
        for place in places {
            let dir = self.find(place.as_str())?;
            let inside = self.snapshots_in(&dir)?;
            if inside.is_empty() {
                // Opening it tells what is missing.
                found.push(dir);
            } else {
                found.extend(inside);
            }
        }
        if places.is_empty() {
            if let Some(folder) = &self.folder {
                found.extend(self.snapshots_in(folder)?);
            }
            let names: Vec<String> = found.iter().map(|path| base_name(path)).collect();
            for sample in samples() {
                if !names.iter().any(|name| name == sample.name) {
                    found.push(unpacked(sample)?);
                }
            }
        }
        Ok(found)
    }

    fn snapshots_in(&self, folder: &Utf8Path) -> Result<Vec<Utf8PathBuf>, Failure> {
        if folder.join(MANIFEST).is_file() {
            return Ok(vec![folder.to_owned()]);
        }
        if is_release(folder) {
            // One of another version may lie elsewhere.
            Release::open(folder, self.release_key.as_deref())?;
        }
        let entries = sorted_entries(&snapshots_folder(folder))?;
        Ok(entries
            .into_iter()
            .filter(|path| path.join(MANIFEST).is_file())
            .collect())
    }

    /// What is asked on a snapshot.
    ///
    /// # Errors
    /// When it can't be opened, or its truth is held out.
    pub fn recorded(&self, dir: &Utf8Path) -> Result<Recorded, Failure> {
        let snapshot = Snapshot::open(dir)?;
        let Some(truth) = snapshot.find_withheld_json("truth")? else {
            return Err(Failure::user(if snapshot.has_withheld() {
                format!(
                    "{dir} has no truth yet\nhint: `aiopslab truth add {dir}` says what was wrong"
                )
            } else {
                format!(
                    "{dir} came without withheld/: its truth is kept elsewhere\nhint: of a held-out release, `aiopslab release unlock RELEASE --identity FILE --out DIR` makes a release with it"
                )
            }));
        };
        let label = match truth.get("labelled") {
            Some(_) => Some(Label::deserialize(&truth)?),
            None => None,
        };
        let text = |key: &str| truth.get(key).and_then(Value::as_str).map(str::to_owned);
        let variant = truth
            .get("variant")
            .and_then(Value::as_u64)
            .and_then(|n| u32::try_from(n).ok());
        match (text("family"), variant) {
            (Some(family), Some(variant)) => Ok(Recorded {
                name: base_name(dir),
                dir: dir.to_owned(),
                family,
                variant,
                label,
            }),
            _ => Err(Failure::user(format!(
                "{dir}/withheld/truth.json names no family and variant"
            ))),
        }
    }

    /// Finds a family and the number of one of its variants by `FAMILY` or `FAMILY-N`.
    ///
    /// # Errors
    /// When there is no such family or variant; the error lists the nearest.
    pub fn family(&self, name: &str) -> Result<(&Family, u32), Failure> {
        let found = self
            .catalog
            .family(name)
            .map(|family| (family, 1))
            .or_else(|| {
                let (family, n) = name.rsplit_once('-')?;
                Some((self.catalog.family(family)?, n.parse().ok()?))
            });
        found
            .filter(|(family, n)| family.variants.iter().any(|variant| variant.n == *n))
            .ok_or_else(|| {
                let known: Vec<String> = self
                    .catalog
                    .families()
                    .iter()
                    .flat_map(|family| {
                        let numbers = family.variants.iter().map(|variant| variant.n);
                        numbers.map(move |n| format!("{}-{n}", family.family))
                    })
                    .collect();
                let nearest = nearest(name, known.iter().map(String::as_str));
                Failure::user(format!(
                    "unknown family or variant {name:?}\nhint: the nearest are {}",
                    nearest.join(", ")
                ))
            })
    }

    /// The application that a snapshot is of.
    ///
    /// # Errors
    /// When the catalog does not know it.
    pub fn application(&self, name: &str) -> Result<&Application, Failure> {
        self.catalog.application(name).ok_or_else(|| {
            Failure::user(format!(
                "unknown application {name:?}\nhint: add its file with --catalog DIR"
            ))
        })
    }

    /// The application of a snapshot that is only looked at: where the catalog does not know it, what
    /// the manifest tells.
    pub fn application_or_unknown(&self, manifest: &Manifest) -> Application {
        if let Some(application) = self.catalog.application(&manifest.application) {
            return application.clone();
        }
        let namespace = manifest.namespaces.first().map_or("", String::as_str);
        let unknown =
            Application::unknown(&manifest.application, namespace, &manifest.service_label);
        Application {
            description: match manifest.namespaces.len() {
                0 | 1 => unknown.description,
                _ => format!(
                    "It runs in the namespaces {}.",
                    manifest.namespaces.join(", ")
                ),
            },
            ..unknown
        }
    }
}

/// The folder of a sample below the machine's temporary folder, the same one for every run of this
/// build.
fn unpacked(sample: &Sample) -> Result<Utf8PathBuf, Failure> {
    static ROOT: OnceLock<String> = OnceLock::new();
    let name = ROOT.get_or_init(|| format!("aiopslab-samples-{}", samples::digest()));
    let root = utf8(&std::env::temp_dir())?.join(name);
    sample.write_below(&root).map_err(|error| {
        Failure::user(format!(
            "unpacking a sample into {root}: {error}\nhint: remove that folder, or name another temporary folder in TMPDIR"
        ))
    })
}

/// The catalog files of a folder: (name, text).
///
/// # Errors
/// When the folder or a file can't be read.
pub fn catalog_files(dir: &Utf8Path) -> Result<Vec<(String, String)>, Failure> {
    let entries = sorted_entries(dir)?.into_iter();
    entries
        .filter(|path| path.extension() == Some("toml"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).map_err(|error| {
                Failure::user(format!("the catalog file {path} can't be read: {error}"))
            })?;
            Ok((path.into_string(), text))
        })
        .collect()
}

/// The files of catalogs in these folders that say something else than what is built in, but for those that the user
/// has of his own.
fn frozen(
    folders: &[Utf8PathBuf],
    own: &[(String, String)],
) -> Result<Vec<(String, String)>, Failure> {
    let mut frozen: Vec<(String, String)> = Vec::new();
    for folder in folders.iter().filter(|folder| folder.is_dir()) {
        for (path, text) in catalog_files(folder)? {
            let name = base_name(path.as_ref());
            let is_name = |(known, _): &&(String, String)| base_name(known.as_ref()) == name;
            let is_built_in =
                catalog::built_in().any(|known| known == (name.as_str(), text.as_str()));
            if is_built_in || own.iter().any(|known| is_name(&known)) {
                continue;
            }
            match frozen.iter().find(is_name) {
                None => frozen.push((path, text)),
                Some((_, known)) if *known == text => {}
                Some((other, _)) => {
                    return Err(Failure::user(format!(
                        "{path} and {other} differ: the releases ask different things\nhint: name one release at a time"
                    )));
                }
            }
        }
    }
    Ok(frozen)
}

fn utf8(path: &std::path::Path) -> Result<&Utf8Path, Failure> {
    Utf8Path::from_path(path)
        .ok_or_else(|| Failure::user(format!("the path {} is not UTF-8", path.display())))
}

/// The last part of a path.
#[must_use]
pub fn base_name(path: &Utf8Path) -> String {
    path.file_name().unwrap_or_else(|| path.as_str()).to_owned()
}

fn is_url(name: &str) -> bool {
    name.contains("://")
}

/// The folder of what lies behind a URL; what is small of it is fetched.
fn fetch(url: &str, cache: Option<&Utf8Path>, key: Option<&str>) -> Result<Utf8PathBuf, Failure> {
    if url.starts_with("oci://") {
        return Err(Failure::user(format!(
            "{url} can't be read where it lies\nhint: `aiopslab release pull {url} DIR` fetches it"
        )));
    }
    let cache = cache.ok_or_else(|| {
        Failure::user(format!(
            "no folder to keep what is fetched from {url}\nhint: set XDG_CACHE_HOME or HOME"
        ))
    })?;
    Ok(remote::open(url, cache, key)?)
}

/// Whether a release lies in a folder.
pub(crate) fn is_release(folder: &Utf8Path) -> bool {
    folder.join(RELEASE_FILE).is_file()
}

/// The release that a folder is, or that it is a snapshot of.
fn release_of(folder: &Utf8Path) -> Option<&Utf8Path> {
    folder.ancestors().take(3).find(|place| is_release(place))
}

/// Where the snapshots of a folder lie: those of a release have one of their own.
fn snapshots_folder(folder: &Utf8Path) -> Utf8PathBuf {
    match is_release(folder) {
        true => folder.join(SNAPSHOTS_FOLDER),
        false => folder.to_owned(),
    }
}

fn sorted_entries(folder: &Utf8Path) -> Result<Vec<Utf8PathBuf>, Failure> {
    let read = |error: std::io::Error| {
        Failure::user(format!("the folder {folder} can't be read: {error}"))
    };
    let mut entries = Vec::new();
    for entry in folder.read_dir_utf8().map_err(read)? {
        entries.push(entry.map_err(read)?.into_path());
    }
    entries.sort();
    Ok(entries)
}
