//! Embeds the snapshots under `samples/`, so that an installed program works from any folder.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root =
        PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?).join("samples");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut out = String::from("&[\n");
    for sample in sorted(&root)? {
        if !sample.join("manifest.json").is_file() {
            continue;
        }
        let mut files = Vec::new();
        collect(&sample, &mut files)?;
        let _ = writeln!(out, "Sample {{ name: {:?}, files: &[", name(&sample));
        for file in files {
            let below = file.strip_prefix(&sample).map_err(io::Error::other)?;
            let below: Vec<String> = below
                .components()
                .map(|part| part.as_os_str().to_string_lossy().into_owned())
                .collect();
            let _ = writeln!(
                out,
                "    ({:?}, include_bytes!({:?})),",
                below.join("/"),
                file.display().to_string()
            );
        }
        out.push_str("] },\n");
    }
    out.push_str("]\n");
    let target = PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?).join("samples.rs");
    fs::write(target, out)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in sorted(folder)? {
        if entry.is_dir() {
            collect(&entry, files)?;
        } else {
            files.push(entry);
        }
    }
    Ok(())
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<_>>()?;
    entries.sort();
    Ok(entries)
}

fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
