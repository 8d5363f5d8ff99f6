//! `CITATION.cff`: how a release is cited, as GitHub and Zenodo read it (<https://citation-file-format.github.io>).
//!
//! YAML whose strings are written as in JSON.

use aiopslab_datasets::release::Release;
use serde_json::json;

/// Makes the document. The format wants an author: nobody but the citation names one.
pub(super) fn cff(release: &Release) -> String {
    let about = &release.about;
    let (name, version) = (&about.name, &about.version);
    let message = format!("If you use this data, please cite it: {}", about.citation);
    let title = format!("{name}: recorded incidents for the evaluation of AIOps agents");
    let authors = format!("the authors of {name}");
    let mut cff = String::from("cff-version: 1.2.0\ntype: dataset\n");
    for (key, value) in [
        ("message", &message),
        ("title", &title),
        ("version", version),
    ] {
        cff.push_str(&format!("{key}: {}\n", json!(value)));
    }
    if let Some(url) = &about.url {
        cff.push_str(&format!("url: {}\n", json!(url)));
    }
    if let Some(day) = about.published {
        cff.push_str(&format!("date-released: {day}\n"));
    }
    cff.push_str(&licence(&about.licence));
    cff.push_str(&format!("authors:\n- name: {}\n", json!(authors)));
    cff
}

/// The format knows ids, and a choice among several; anything else it has no word for.
fn licence(spdx: &str) -> String {
    let ids: Vec<&str> = spdx.split(" OR ").map(str::trim).collect();
    if ids.iter().any(|id| id.contains([' ', '(', ')'])) {
        return format!("# The licence is {spdx}\n");
    }
    match ids.as_slice() {
        [id] => format!("license: {id}\n"),
        _ => format!("license: [{}]\n", ids.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::card::tests::example;
    use super::*;

    #[test]
    fn a_release_is_cited_as_its_builder_said() {
        let expected = "\
cff-version: 1.2.0
type: dataset
message: \"If you use this data, please cite it: A. Nobody: \\\"small\\\", 2026\"
title: \"small: recorded incidents for the evaluation of AIOps agents\"
version: \"1.0.0\"
url: \"https://example.org/small\"
date-released: 2026-11-30
license: CC-BY-4.0
authors:
- name: \"the authors of small\"
";
        assert_eq!(cff(&example().0), expected);
    }

    #[test]
    fn a_choice_of_licences_is_a_list() {
        assert_eq!(licence("MIT OR Apache-2.0"), "license: [MIT, Apache-2.0]\n");
        assert!(licence("MIT AND (CC0-1.0 OR ISC)").starts_with("# "));
    }
}
