//! `tests/frozen/`: a snapshot of every version of the format that was ever frozen, written by the build that
//! froze it and never again. What it holds must be read the same for ever.

use serde_json::Value;

use crate::program::Place;

const VERSION_1: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/frozen/snapshot-1");

/// The logical digest of [`VERSION_1`]; `tests/interop/snapshot_format.py` computes it without us.
const DIGEST_1: &str = "3f52b108783a57d2e7c51f1d7c03d139044165f0a55b029eb415d0f4f9baea0f";

#[test]
fn version_1_is_read_as_it_was_written() {
    let place = Place::new();
    let verified = place.ok(&["snapshot", "verify", VERSION_1, "--json"]);
    let verified: Value = serde_json::from_str(&verified).unwrap();
    let checks = verified["checks"].as_array().unwrap();
    let digest = checks
        .iter()
        .find(|check| check["name"] == "logical digest");
    assert_eq!(digest.unwrap()["detail"], DIGEST_1);
    let ask = |sql: &str| place.ok(&["sql", "-s", VERSION_1, "--format", "csv", sql]);
    let rows = [
        (
            "select labels['job'] as job, value from metric_samples join metric_series using (series_id) order by timestamp",
            "job,value\ngeo,1.5\ngeo,NaN\ngeo,-inf\ngeo,-0.0\n",
        ),
        (
            "select c.service as callee, p.service as caller from raw.spans c join raw.spans p on c.parent_span_id = p.span_id",
            "callee,caller\nrate,geo\n",
        ),
        (
            "select resource_version, valid_from is null as open, valid_to is null as present from object_versions order by seq",
            "resource_version,open,present\n5,false,false\n6,false,true\n",
        ),
        ("select count(*) as n from log_lines", "n\n2\n"),
    ];
    for (sql, answer) in rows {
        assert_eq!(ask(sql), answer, "{sql}");
    }
}
