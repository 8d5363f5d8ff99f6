//! `aiopslab report`: what came of evaluations, as tables or as a page.

use camino::{Utf8Path, Utf8PathBuf};

use crate::cli::Report;
use crate::exit::Failure;
use crate::library::Library;
use crate::output::print;
use crate::report;
use crate::results;
use crate::settings::Settings;

pub(super) fn run(arguments: &Report, settings: &Settings) -> Result<(), Failure> {
    if let Some(file) = &arguments.html {
        let mut library = Library::open(settings)?;
        for results in &arguments.results {
            library.catalog.learn(results::problems(results)?);
        }
        return page(&arguments.results, file, &library);
    }
    let source = report::beside(&arguments.results)?;
    print(&match arguments.markdown {
        true => report::markdown(&source),
        false => report::text(&source),
    });
    Ok(())
}

/// Writes the page of evaluations.
pub(super) fn page(
    results: &[Utf8PathBuf],
    file: &Utf8Path,
    library: &Library,
) -> Result<(), Failure> {
    let source = report::beside(results)?;
    let truth = |problem: &str| {
        let problem = library.catalog.problem(problem).ok()?;
        problem.truth.right_answer(problem.task)
    };
    let page = report::html(&source, &truth)?;
    std::fs::write(file, page)
        .map_err(|error| Failure::user(format!("{file} can't be written: {error}")))?;
    eprintln!("the report is in {file}");
    Ok(())
}
