//! `aiopslab export`: kept episodes as session files of AIOpsLab.

use camino::Utf8Path;
use serde::Serialize;
use serde_json::{Value, json};

use crate::cli::Export;
use crate::exit::Failure;
use crate::output::print;
use crate::results::{self, Kept, Times};
use crate::session::TIMING;

pub(super) fn run(arguments: &Export) -> Result<(), Failure> {
    let out = &arguments.out;
    let kept = results::read(&arguments.results)?;
    std::fs::create_dir_all(out)
        .map_err(|error| Failure::user(format!("the folder {out} can't be made: {error}")))?;
    let mut written = 0;
    for kept in &kept {
        match Exported::of(kept, &arguments.results)? {
            Ok(session) => {
                session.write(out)?;
                written += 1;
            }
            Err(because) => print(&format!("not exported: {}: {because}\n", kept.folder)),
        }
    }
    print(&format!("{written} sessions are in {out}\n"));
    Ok(())
}

/// A session as AIOpsLab keeps one.
struct Exported {
    /// `SESSION_START`.
    name: String,
    document: Value,
}

impl Exported {
    /// Puts a session together, or says why there is none.
    fn of(kept: &Kept, root: &Utf8Path) -> Result<Result<Self, &'static str>, Failure> {
        if kept.is_session {
            return Ok(Err("it is a session file already"));
        }
        let (Some(header), Some(end), Some(result)) = (&kept.header, &kept.end, kept.result()?)
        else {
            return Ok(Err("it is not finished"));
        };
        let Some(times) = Times::read(&root.join(&kept.folder).join(TIMING))? else {
            return Ok(Err(
                "its timing.jsonl does not tell when it began and ended",
            ));
        };
        let result = results::as_session(result, &times);
        let mut document = serde_json::to_value(&result)?;
        document["repeat"] = json!(kept.repeat);
        document["header"] = json!(header);
        document["end"] = json!(end);
        Ok(Ok(Self {
            name: format!("{}_{:?}.json", result.session_id, times.start()),
            document,
        }))
    }

    fn write(&self, folder: &Utf8Path) -> Result<(), Failure> {
        let path = folder.join(&self.name);
        let mut text = Vec::new();
        let indent = serde_json::ser::PrettyFormatter::with_indent(b"    ");
        self.document
            .serialize(&mut serde_json::Serializer::with_formatter(
                &mut text, indent,
            ))?;
        std::fs::write(&path, text)
            .map_err(|error| Failure::user(format!("{path} can't be written: {error}")))
    }
}
