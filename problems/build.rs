//! Embeds the files under `catalog/` and `applications/`, so that adding one is all there is to do.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?);
    let mut out = String::from("&[\n");
    for folder in ["applications", "catalog"] {
        println!("cargo::rerun-if-changed={folder}");
        for file in sorted(&root.join(folder))? {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            // Relative to whichever checkout is compiled: several may share a target folder.
            let path = format!("/{folder}/{name}");
            let _ = writeln!(
                out,
                "    ({name:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {path:?}))),"
            );
        }
    }
    out.push_str("]\n");
    let target = PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?).join("catalog.rs");
    fs::write(target, out)
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<_>>()?;
    files.retain(|file| {
        file.extension()
            .is_some_and(|extension| extension == "toml")
    });
    files.sort();
    Ok(files)
}
