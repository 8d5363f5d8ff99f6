//! What describes a release to people and tools.

use aiopslab_datasets::release::Release;
use camino::Utf8Path;

use crate::exit::Failure;

/// The documents of a release, computed from the manifest without them: (path, bytes).
pub(crate) fn documents(
    release: &Release,
    _dir: &Utf8Path,
) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let Release {
        name,
        version,
        citation,
        ..
    } = release;
    let text = format!("# {name} {version}\n\n{citation}\n");
    Ok(vec![("README.md".to_owned(), text.into_bytes())])
}
