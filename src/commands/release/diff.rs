//! `aiopslab release diff`: what is another in a second release, and which answers to agents changed.

use aiopslab_datasets::release::Release;
use camino::Utf8Path;
use serde_json::json;

use super::super::rerun;
use crate::agents::AgentSpec;
use crate::cli::DiffReleases;
use crate::exit::Failure;
use crate::library::Library;
use crate::output::print;
use crate::release::{self, Difference};
use crate::results::{self, Kept};
use crate::settings::Settings;

pub(super) async fn run(arguments: &DiffReleases, settings: &Settings) -> Result<(), Failure> {
    let places = [arguments.a.clone(), arguments.b.clone()];
    let library = Library::open_for(settings, &places)?;
    let key = settings.release_key()?;
    let open = |place: &Utf8Path| -> Result<Release, Failure> {
        Ok(Release::open(
            &library.find(place.as_str())?,
            key.as_deref(),
        )?)
    };
    let (a, b) = (open(&arguments.a)?, open(&arguments.b)?);
    let jobs = settings.jobs.value.max(1);
    let kept = match &arguments.results {
        Some(results) => results::read(results)?,
        None if a.about.held_out => {
            return Err(Failure::user(format!(
                "{}: its truth is held out, and the doctor has no problems to answer\nhint: name episodes with --results, or unlock both releases",
                arguments.a
            )));
        }
        None => doctor(&library, &arguments.a, jobs).await?,
    };
    let answers =
        rerun::replay_all(&library, kept, std::slice::from_ref(&arguments.b), jobs).await?;
    let difference = Difference::between(&a, &b);
    if arguments.json {
        let report = json!({"difference": difference, "answers": answers});
        print(&format!("{report:#}\n"));
    } else {
        print(&difference.text());
        print(&answers.text());
    }
    Ok(())
}

/// The doctor's episodes on a release.
async fn doctor(library: &Library, dir: &Utf8Path, jobs: usize) -> Result<Vec<Kept>, Failure> {
    let folder = tempfile::tempdir()?;
    let out = Utf8Path::from_path(folder.path())
        .ok_or_else(|| Failure::user("the temporary folder is not UTF-8\nhint: set TMPDIR"))?;
    let snapshots = library.snapshots(&[dir.to_owned()])?;
    release::episodes(library, &snapshots, &[AgentSpec::Doctor], jobs, out).await?;
    results::read(out)
}
