use crate::import::formats::testing::Source;
use crate::rows::{LogLine, MetricSample, Span};

// 2021-03-04 00:20:00 in UTC+8.
const TIME: i64 = 1_614_788_400;

fn source() -> Source {
    let record = format!(
        "level,component,timestamp,datetime,reason\n\
         service,Tomcat01,{TIME},2021-03-04 00:20:00,high CPU usage\n\
         service,Mysql02,{},2021-03-03 16:25:00,network delay\n\
         service,Redis01,1600000000,2020-09-13 20:26:40,high memory usage\n",
        TIME + 300
    );
    let today = "Bank/telemetry/2021_03_04";
    let yesterday = "Bank/telemetry/2021_03_03";
    let kpis = "timestamp,cmdb_id,kpi_name,value\n";
    let metric = format!(
        "{kpis}{TIME},Tomcat01,OSLinux-CPU,99.5\n{},Tomcat01,OSLinux-CPU,1\n",
        TIME + 7200
    );
    let before = format!("{kpis}{},Tomcat01,OSLinux-CPU,1\n", TIME - 1500);
    let app = format!("timestamp,rr,sr,cnt,mrt,tc\n{TIME},100,99.5,17,20.5,ServiceTest1\n");
    let spans = format!(
        "timestamp,cmdb_id,parent_id,span_id,trace_id,duration\n\
         {TIME}000,Tomcat01,None,gw0a,gw01,12\n\
         {TIME}001,Mysql02,gw0a,gw0b,gw01,3\n"
    );
    let logs = format!(
        "log_id,timestamp,cmdb_id,log_name,value\n8c7f5908,{TIME},Tomcat01,gc,\"3748789.580: [GC, 0.0\"\n"
    );
    Source::of(&[
        ("Bank/record.csv", &record),
        (&format!("{today}/metric/metric_container.csv"), &metric),
        (&format!("{yesterday}/metric/metric_container.csv"), &before),
        (&format!("{today}/metric/metric_app.csv"), &app),
        (&format!("{today}/trace/trace_span.csv"), &spans),
        (&format!("{today}/log/log_service.csv"), &logs),
    ])
}

#[test]
fn half_an_hour_with_failures_is_an_incident() {
    println!("unproven: OpenRCA was tried on this case only");
    let taken = source().import("openrca");
    let one = taken.one();
    assert_eq!(one.dir.file_name(), Some("openrca-bank-2021-03-03T1600Z-1"));
    assert_eq!(taken.tally("metric rows"), [3, 2, 0, 1]);
    assert_eq!(taken.tally("app metric rows"), [1, 1, 0, 0]);
    let defects: Vec<_> = taken.defects().into_iter().collect();
    assert_eq!(
        defects,
        [
            ("ids_made_hexadecimal", 2),
            ("label_clocks_differ", 1),
            ("local_day_folders", 1)
        ]
    );
    let truth = one.truth.as_ref().unwrap();
    assert_eq!(truth.faulty, [["Tomcat01", "Mysql02"]]);
    assert_eq!(truth.injected.unwrap().as_second(), TIME);
    assert_eq!(truth.kind, "high CPU usage, network delay");
    assert_eq!(taken.source.left_out.len(), 1, "no files of 2020");

    let spans: Vec<Span> = taken.rows();
    assert_eq!(spans[1].parent_span_id.as_ref(), Some(&spans[0].span_id));
    assert_eq!(spans[0].trace_id, spans[1].trace_id);
    assert!(spans[0].attributes.contains("gw01"));
    assert_eq!(spans[0].end - spans[0].start, 12_000_000);
    let lines: Vec<LogLine> = taken.rows();
    assert_eq!(
        (lines[0].pod.as_str(), lines[0].container.as_str()),
        ("Tomcat01", "gc")
    );
    let samples: Vec<MetricSample> = taken.rows();
    assert_eq!(samples.len(), 6);
}

#[test]
fn telecom_and_market_have_columns_of_their_own() {
    let record = format!(
        "level,component,timestamp,datetime,reason\nnode,os_001,{TIME},2021-03-04 00:20:00,CPU fault\n"
    );
    let market = |bed: &str, name: &str| format!("Market/cloudbed-{bed}/{name}");
    let telecom = "Telecom/telemetry/2021_03_04";
    let day = "telemetry/2021_03_04";
    let items = format!(
        "itemid,name,bomc_id,timestamp,value,cmdb_id\n\
         1,CPU,ZJ-1,{TIME}000,9,os_001\n2,CPU,ZJ-2,{TIME}000,8,os_001\n"
    );
    let trace = format!(
        "callType,startTime,elapsedTime,success,traceId,id,pid,cmdb_id,dsName,serviceName\n\
         JDBC,{TIME}000,5.0,False,t1,a,None,os_001,db,get\n"
    );
    let service = format!("service,timestamp,rr,sr,mrt,count\nadservice-grpc,{TIME},1,1,2,3\n");
    let spans = format!(
        "timestamp,cmdb_id,span_id,trace_id,duration,type,status_code,operation_name,parent_span\n\
         {TIME}000,frontend-0,a652d4d10e9478fc,9451fd8fdf746a80687451dae4c4e984,4,rpc,0,hipstershop/Get,\n"
    );
    let source = Source::of(&[
        ("Telecom/record.csv", &record),
        (&format!("{telecom}/metric/metric_node.csv"), &items),
        (&format!("{telecom}/trace/trace_span.csv"), &trace),
        (&market("1", "record.csv"), &record),
        (
            &market("1", &format!("{day}/metric/metric_service.csv")),
            &service,
        ),
        (&market("1", &format!("{day}/trace/trace_span.csv")), &spans),
    ]);
    let taken = source.import("openrca");
    let names: Vec<_> = taken
        .source
        .incidents
        .iter()
        .map(|one| one.dir.file_name().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "openrca-telecom-2021-03-03T1600Z-1",
            "openrca-market-cloudbed-1-2021-03-03T1600Z-1"
        ]
    );
    for one in &taken.source.incidents {
        assert_eq!(one.report.rows.len(), 2, "{:?}", one.report);
        for (kind, tally) in &one.report.rows {
            assert_eq!(
                (tally.read, tally.quarantined),
                (tally.written, 0),
                "{kind}"
            );
        }
    }
}
