//! `aiopslab release push`: a release to where it is read.

use aiopslab_datasets::release::{RELEASE_FILE, Release, SIGNATURE_FILE};
use aiopslab_datasets::remote::is_here;
use camino::Utf8Path;

use super::progress::Progress;
use crate::cli::Push;
use crate::exit::Failure;
use crate::output::print;
use crate::release::{Item, Target};
use crate::settings::Settings;

pub(super) async fn run(arguments: &Push, settings: &Settings) -> Result<(), Failure> {
    let (dir, url) = (&arguments.dir, &arguments.url);
    let items = items(dir)?;
    let target = Target::open(url, arguments.plain_http, &settings.registry).await?;
    let mut progress = Progress::start(&items);
    for item in &items {
        progress.begins(item);
        let from = dir.join(&item.name);
        if target.holds(item).await? {
            progress.kept(item);
            continue;
        }
        if !is_here(&from, &item.listed)? {
            return Err(Failure::user(format!(
                "{from} is not the file that {RELEASE_FILE} lists\nhint: `aiopslab release verify {dir}` tells all that is wrong"
            )));
        }
        target
            .put(item, &from, &|bytes| progress.seen(bytes))
            .await?;
        progress.carried();
    }
    target.finish(&items).await?;
    print(&format!("pushed to {url}: {}\n", progress.finish()));
    Ok(())
}

/// The files of a release, `release.json` last.
fn items(dir: &Utf8Path) -> Result<Vec<Item>, Failure> {
    let json = std::fs::read(dir.join(RELEASE_FILE)).map_err(|error| {
        Failure::user(format!(
            "{dir} is no release: {RELEASE_FILE} can't be read: {error}\nhint: `aiopslab release build` makes one"
        ))
    })?;
    let release = Release::parse(&json, dir.join(RELEASE_FILE).as_str())?;
    let mut items = Item::all(release);
    if let Ok(signature) = std::fs::read(dir.join(SIGNATURE_FILE)) {
        items.push(Item::unlisted(SIGNATURE_FILE, &signature));
    }
    items.push(Item::unlisted(RELEASE_FILE, &json));
    Ok(items)
}
