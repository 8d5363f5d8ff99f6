//! `aiopslab report`: what came of evaluations, as tables or as a page.

use crate::cli::Report;
use crate::exit::Failure;
use crate::library::Library;
use crate::output::print;
use crate::report;
use crate::settings::Settings;

pub(super) fn run(arguments: &Report, settings: &Settings) -> Result<(), Failure> {
    let source = report::beside(&arguments.results)?;
    let Some(file) = &arguments.html else {
        print(&match arguments.markdown {
            true => report::markdown(&source.summary),
            false => report::text(&source.summary),
        });
        return Ok(());
    };
    let library = Library::open(settings)?;
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
