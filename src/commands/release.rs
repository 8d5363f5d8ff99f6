//! `aiopslab release`: snapshots frozen for publishing, and carried to stores and registries and back.

mod card;
mod diff;
mod progress;
mod pull;
mod push;

use aiopslab_datasets::release::{About, Release as Manifest, Seal, archive, verify};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::json;

use super::snapshot::check;
use crate::cli::{BuildRelease, Release};
use crate::evaluation::has_fault;
use crate::exit::Failure;
use crate::library::Library;
use crate::output::print;
use crate::release::{self, Order, Split};
use crate::settings::Settings;

pub(super) async fn run(arguments: Release, settings: &Settings) -> Result<(), Failure> {
    match arguments {
        Release::Build(arguments) => build(*arguments, settings).await,
        Release::Verify { dir, json } => {
            let mut report = verify(&dir, settings.release_key()?.as_deref())?;
            // What is broken is not worth asking.
            if report.passed() {
                report
                    .checks
                    .extend(release::check_problems(settings, &dir)?);
            }
            check(&report, json)
        }
        Release::Split {
            snapshots,
            held_out,
            seed,
            json,
        } => split(&snapshots, held_out, seed, json, settings),
        Release::Unlock { dir, identity, out } => {
            let unlocked = release::unlock(settings, &dir, &identity, &out)?;
            print(&describe(&unlocked, &out));
            Ok(())
        }
        Release::Pack { dir, file } => Ok(archive::pack(&dir, &file)?),
        Release::Unpack { file, dir } => {
            print(&describe(&archive::unpack(&file, &dir)?, &dir));
            Ok(())
        }
        Release::Card { dir } => card::run(&dir, settings),
        Release::Diff(arguments) => diff::run(&arguments, settings).await,
        Release::Push(arguments) => push::run(&arguments, settings).await,
        Release::Pull(arguments) => pull::run(&arguments, settings).await,
    }
}

async fn build(arguments: BuildRelease, settings: &Settings) -> Result<(), Failure> {
    let seal = match (arguments.held_out, &arguments.secret) {
        (true, Some(file)) => Some(Seal::new(&arguments.recipients, &read(file)?)?),
        _ => None,
    };
    let library = Library::open_for(settings, &arguments.snapshots)?;
    let order = Order {
        snapshots: arguments.snapshots,
        about: About {
            name: arguments.name,
            version: arguments.version,
            held_out: arguments.held_out,
            licence: arguments.licence,
            citation: arguments.citation,
            url: arguments.url,
            published: arguments.published,
        },
        seal,
        out: arguments.out.clone(),
    };
    let built = release::build(&library, settings, order).await?;
    print(&describe(&built, &arguments.out));
    Ok(())
}

fn split(
    places: &[Utf8PathBuf],
    share: f64,
    seed: u64,
    json: bool,
    settings: &Settings,
) -> Result<(), Failure> {
    let library = Library::open_for(settings, places)?;
    let dirs = library.snapshots(places)?;
    let all = dirs.iter().map(|dir| library.recorded(dir));
    let all = all.collect::<Result<Vec<_>, _>>()?;
    let (incidents, controls): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|one| has_fault(&library, one));
    let Split { public, held_out } = release::split(&incidents, &controls, share, seed)?;
    if json {
        let report = json!({"seed": seed, "public": public, "held_out": held_out});
        print(&format!("{report:#}\n"));
        return Ok(());
    }
    for (side, dirs) in [("public", public), ("held-out", held_out)] {
        for dir in dirs {
            print(&format!("{side:<9} {dir}\n"));
        }
    }
    Ok(())
}

fn describe(release: &Manifest, dir: &Utf8Path) -> String {
    let bytes: u64 = release.files.values().map(|file| file.bytes).sum();
    let problems: usize = release
        .snapshots
        .values()
        .map(|one| one.problems.len())
        .sum();
    let asked = match release.about.held_out {
        true => "truth held out".to_owned(),
        false => format!("{problems} problems"),
    };
    format!(
        "release    {} {} in {dir}\nsnapshots  {}, {asked}\nfiles      {}, {bytes} bytes\nsha256     {}\n",
        release.about.name,
        release.about.version,
        release.snapshots.len(),
        release.files.len(),
        release.sha256,
    )
}

fn read(file: &Utf8Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(file).map_err(|error| Failure::user(format!("{file} can't be read: {error}")))
}
