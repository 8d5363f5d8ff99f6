//! `withheld/quarantine.jsonl.zst`: the rows of a source that are not in the snapshot, one JSON
//! object a line: `file`, `line`, `rule`, `reason` and, unless an equal row is in the snapshot, `row`.

use std::fs::File;
use std::io::Write;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};

use crate::error::{Result, SnapshotError};
use crate::files;
use crate::writer::{QUARANTINE_FILE, WITHHELD};

/// Writes rows as they come.
pub(in crate::import) struct Quarantine {
    path: Utf8PathBuf,
    out: zstd::Encoder<'static, File>,
}

impl Quarantine {
    pub(in crate::import) fn create(dir: &Utf8Path) -> Result<Self> {
        let path = dir.join(WITHHELD).join(QUARANTINE_FILE);
        let out = zstd::Encoder::new(files::create(&path)?, 3)
            .map_err(|cause| SnapshotError::io("compress", &path, cause))?;
        Ok(Self { path, out })
    }

    pub(in crate::import) fn add(
        &mut self,
        (file, line): (&Utf8Path, u64),
        rule: &str,
        reason: &str,
        row: Option<&Value>,
    ) -> Result<()> {
        let mut one = json!({"file": file, "line": line, "rule": rule, "reason": reason});
        if let Some(row) = row {
            one["row"] = row.clone();
        }
        writeln!(self.out, "{one}").map_err(|cause| SnapshotError::io("write", &self.path, cause))
    }

    pub(in crate::import) fn finish(self) -> Result<()> {
        let finished = self.out.finish().and_then(|file| file.sync_all());
        finished.map_err(|cause| SnapshotError::io("write", &self.path, cause))
    }
}
