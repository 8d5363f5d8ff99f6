use super::*;

fn point(timestamp_s: i64, pod: &str, value: f64, interface: Option<&str>) -> KpiPoint {
    KpiPoint {
        metric: "container_threads".to_owned(),
        instance: "lab".to_owned(),
        pod: pod.to_owned(),
        timestamp_s,
        value,
        interface: interface.map(str::to_owned),
    }
}

#[test]
fn metrics_are_laid_out() {
    let files = metrics_files(&[
        point(15, "b", 2.000_51, None),
        point(15, "a", 1.0, Some("eth0")),
        point(0, "b", 1e17, None),
    ]);
    assert_eq!(files.len(), 1);
    assert_eq!(
        files[0].1,
        "timestamp,cmdb_id,kpi_name,value\n0,lab.b,container_threads,1e+17\n15,lab.a,container_threads.eth0,1.0\n15,lab.b,container_threads,2.001\n"
    );
    assert_eq!(
        metrics_message("/x/metric_1", &files),
        "Metrics data exported to directory: /x/metric_1\n\nFolder structure of exported metrics:\nmetric_1/\n    container/\n        kpi_container_threads.csv\n    istio/\n"
    );
}

#[test]
fn tables_look_like_pandas() {
    let table = |text: &str| table_text(text).unwrap();
    assert_eq!(
        table("a,long\n100,x\n2,yy\n"),
        "  a long\n100    x\n  2   yy"
    );
    assert_eq!(table("v\n1.5\n2\n"), "  v\n1.5\n2.0");
    assert_eq!(table("v,w\n1,x\n,\n"), "  v   w\n1.0   x\nNaN NaN");
    assert_eq!(
        table("v\n12345678901.0\n1.0\n"),
        "           v\n1.234568e+10\n1.000000e+00"
    );
    assert_eq!(
        table("v\n0.0000001\n1.0\n"),
        "           v\n1.000000e-07\n1.000000e+00"
    );
    assert_eq!(table("id,wide\n7,1\n"), " id  wide\n  7     1");
    assert_eq!(table("v\ntrue\nFalse\n"), "    v\n True\nFalse");
    assert_eq!(table("a,b\n\"x, \"\"y\"\"\",1\n"), "     a  b\nx, \"y\"  1");
    assert_eq!(
        table("a,b\n"),
        "Empty DataFrame\nColumns: [a, b]\nIndex: []"
    );
    assert_eq!(table_text(""), Err(TableError::Empty));
    assert_eq!(
        table_text("a\n1\n1,2\n").unwrap_err().to_string(),
        "Error tokenizing data. C error: Expected 1 fields in line 3, saw 2"
    );
}

#[test]
fn repeated_log_lines_are_dropped() {
    let log = "2026-01-01T00:00:01Z tick\n2026-01-01T00:00:02Z tick\nno time\nno time\n";
    assert_eq!(
        greedy_compress_lines(log, 1),
        "2026-01-01T00:00:02Z tick\nno time\nno time\n"
    );
    assert_eq!(greedy_compress_lines(log, 0), log);
    let pairs = "10:00:01 a\n10:00:01 b\n10:00:02 a\n10:00:02 b";
    assert_eq!(greedy_compress_lines(pairs, 2), "10:00:02 a\n10:00:02 b");
}
