//! What the compared programs read.

/// Files, below the working folder.
pub(super) const FILES: &[(&str, &str)] = &[
    ("data/pods.txt", PODS),
    ("data/log.txt", LOG),
    (
        "data/b/notes.csv",
        "name,ready,restarts\ngeo,1/1,0\nrate,0/1,12\nfrontend,1/1,3\n",
    ),
    ("data/b/empty", ""),
    ("data/one", "one\n"),
    ("data/patterns", "error\nwarn\n"),
    ("data/pods.json", JSON),
];

/// Standard inputs by name.
pub(super) const INPUTS: &[(&str, &str)] = &[
    ("none", ""),
    ("pods", PODS),
    ("log", LOG),
    (
        "words",
        "pear\napple\nPear\napple\n\nbanana 10\nbanana 9\ncherry  2\n fig 1\nApple\npear\n",
    ),
    (
        "numbers",
        "10\n9\n-3\n0\n2.5\n1e3\n007\n\n12K\n1G\n3M\nx1\n 4\n-0.5\n.5\n+7\n1,000\n",
    ),
    (
        "csv",
        "name,ready,restarts\ngeo,1/1,0\nrate,0/1,12\n,,\nfrontend,1/1,3\nsolo\na:b,c d,e\n",
    ),
    (
        "colons",
        "root:x:0:0:root:/root:/bin/bash\n::\nnone\na::b\n daemon : x : 1\n",
    ),
    (
        "tabs",
        "a\tb\tc\n\tx\n1\t2\t3\t4\nno tabs\n\t\t\nlast\tline",
    ),
    (
        "versions",
        "v1.10.2\nv1.9.0\nv1.9\n1.0-rc1\n1.0\n1.0~beta\nv2\nv1.10\nfile10.txt\nfile9.txt\nfile.tar.gz\nfile\n.hidden\n",
    ),
    (
        "repeats",
        "a\na\nb\nb\nb\na\nc\nC\nc\n\n\nd 1\ne 1\ne  1\nlast\nlast",
    ),
    ("marks", "a b\r\nc\td\n\u{1}ctrl\n\n\n\nend é ü\n"),
    ("unicode", "naïve café\nÄpfel\n日本語 text\nplain\n"),
    ("json", JSON),
    (
        "lines",
        "{\"level\":\"info\",\"msg\":\"started\",\"ms\":12}\n{\"level\":\"error\",\"msg\":\"dial tcp: refused\",\"ms\":340.5,\"code\":null}\n{\"level\":\"error\",\"msg\":\"timeout\",\"ms\":1000,\"tags\":[\"a\",\"b\"]}\n",
    ),
    ("space", "  leading\ntrailing  \n in  between \n\ta\tb\n"),
    (
        "long",
        "The quick brown fox jumps over the lazy dog. The quick brown fox jumps over the lazy dog again and again.\nshort\n\na-very-long-word-without-any-blank-in-it-that-has-to-be-broken-somewhere-if-the-width-is-small\n",
    ),
    ("months", "Jan 3\nfeb 1\nDEC 9\nxyz\nMar 2\n  apr 4\nmay\n"),
    ("broken", "{\"a\": 1, \"b\": [1, 2}\n"),
    ("cut", "{\"a\": 1,\n \"b\": \"x"),
    ("single", "'a'\n"),
    ("comma", "[1, 2,]\n{}\n"),
    (
        "values",
        "1 2\n\"a\" null [true,false] {\"a\":{\"b\":1.50}}\n1e3 -0.0 100000000000000000000 nan\n",
    ),
    ("base64", "aGVsbG8gd29ybGQK\n"),
    ("broken64", "aGVsbG8gd29y!GQK\n"),
    ("paths", "/usr/bin/env\n./a.txt\na/b/c.tar.gz\n/\n//x//y/\n"),
];

/// The text of an input.
pub(super) fn named(name: &str) -> &'static str {
    let found = INPUTS.iter().find(|(input, _)| *input == name);
    found.unwrap_or_else(|| panic!("no input {name}")).1
}

const PODS: &str = "\
NAME                        READY   STATUS             RESTARTS      AGE
consul-6b8d5c9f7c-x2x9d     1/1     Running            0             12m
frontend-7d9c8b6f5-abcde    1/1     Running            3 (2m ago)    12m
geo-5f6d7c8b9-k8s9z         0/1     CrashLoopBackOff   7 (30s ago)   11m
memcached-rate-0            1/1     Running            0             12m
mongodb-geo-77c5d-qqqqq     1/1     Running            1             4h5m
profile-66b7-zzzzz          0/1     Pending            0             <none>
";

const LOG: &str = "\
2024-01-31T10:00:00Z INFO  server started port=8080 pid=1
2024-01-31T10:00:01Z WARN  slow query took=120ms table=hotels
2024-01-31T10:00:02Z ERROR dial tcp 10.0.0.12:27017: connect: connection refused
2024-01-31T10:00:03Z INFO  request GET /hotels?inDate=2015-04-09 status=200 took=12ms
2024-01-31T10:00:04Z error: lower case error in [geo] (attempt 1/3)
2024-01-31T10:00:05Z INFO  request GET /geo status=500 took=1300ms user=\"a b\"

2024-01-31T10:00:06Z ERROR panic: runtime error: index out of range [3] with length 3
goroutine 1 [running]:
\tmain.main()
2024-01-31T10:00:07Z INFO  bye
";

const JSON: &str = r#"{
  "apiVersion": "v1",
  "kind": "List",
  "items": [
    {"metadata": {"name": "geo-1", "namespace": "hotel", "labels": {"app": "geo", "tier": "back"}},
     "spec": {"nodeName": "n1", "containers": [{"name": "geo", "image": "hotel/geo:1.0", "ports": [{"containerPort": 8083}]}]},
     "status": {"phase": "Running", "restarts": 7, "ready": false, "load": 0.25}},
    {"metadata": {"name": "rate-1", "namespace": "hotel", "labels": {"app": "rate"}},
     "spec": {"nodeName": "n2", "containers": [{"name": "rate", "image": "hotel/rate:1.2"}, {"name": "side", "image": "envoy"}]},
     "status": {"phase": "Pending", "restarts": 0, "ready": true, "load": 1.5e3}},
    {"metadata": {"name": "web", "namespace": "default", "labels": null},
     "spec": {"nodeName": null, "containers": []},
     "status": {"phase": "Running", "restarts": 12, "ready": true}}
  ]
}
"#;
