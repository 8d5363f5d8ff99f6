"""psycopg 3 on `aiopslab serve --pgwire`: types, parameters, prepared statements, errors, two threads, a cancelled query.

    pgwire_client.py URL

Prints `psycopg: N checks`.
"""

import datetime
import json
import sys
import threading
import time

import psycopg

URL = sys.argv[1]
CHECKS = 0
LONG = "select sum(a.flags + b.series_id) from spans a cross join metric_samples b"


def check(holds, what):
    global CHECKS
    assert holds, what
    CHECKS += 1


def types(connection):
    row = connection.execute(
        "select timestamp, service, message, seq from logs order by timestamp limit 1"
    ).fetchone()
    check(isinstance(row[0], datetime.datetime) and row[0].tzinfo is not None, row)
    check(isinstance(row[1], str) and isinstance(row[2], str) and row[3] == int(row[3]), row)
    row = connection.execute("select message, labels from log_lines, (select labels from metrics limit 1) as one limit 1").fetchone()
    check(isinstance(row[0], bytes) and isinstance(json.loads(row[1]), dict), row)
    row = connection.execute("select series_id, value, is_ready, array['a', null] from metrics, pods limit 1").fetchone()
    check(isinstance(row[1], float) and isinstance(row[2], bool) and row[3] == ["a", None], row)
    check(int(row[0]) >= 0, row)
    binary = connection.cursor(binary=True)
    first = "select timestamp from logs order by timestamp limit 1"
    check(
        binary.execute(first).fetchone() == connection.execute(first).fetchone(),
        "a moment is another in its binary form",
    )


def parameters(connection):
    latest = connection.execute("select max(timestamp) from logs").fetchone()[0]
    since = latest - datetime.timedelta(minutes=5)
    text = "select timestamp, message from logs where service = %s and timestamp >= %s order by timestamp limit %s"
    for _ in range(8):  # from the sixth time on it is prepared
        rows = connection.execute(text, ("search", since, 3)).fetchall()
        check(len(rows) == 3 and all(row[0] >= since for row in rows), rows)
    count = "select count(*) from metrics where value > %s and name = %s"
    check(connection.execute(count, (0.5, "up")).fetchone()[0] > 0, "no series is up")
    check(connection.execute(count, (None, "up")).fetchone()[0] == 0, "more than null")
    row = connection.execute("select %s::text, %s::bigint, %s::timestamptz", ("x", 7, since)).fetchone()
    check(row == ("x", 7, since), row)


def errors(connection):
    try:
        connection.execute("select * from nothing")
    except psycopg.errors.UndefinedTable as error:
        check("the tables are" in error.diag.message_hint, error.diag.message_hint)
    connection.rollback()
    try:
        connection.execute("delete from logs where service = %s", ("x",))
    except psycopg.errors.ReadOnlySqlTransaction as error:
        check("read-only" in error.diag.message_primary, error.diag.message_primary)
    connection.rollback()
    check(connection.execute("select 1").fetchone() == (1,), "the session is over")


def together():
    found = []

    def ask():
        with psycopg.connect(URL) as connection:
            found.append(connection.execute("select count(*) from spans").fetchone()[0])

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(len(found) == 6 and len(set(found)) == 1, found)


def cancelled():
    with psycopg.connect(URL) as connection:
        threading.Timer(1.0, connection.cancel).start()
        begun = time.monotonic()
        try:
            connection.execute(LONG)
        except psycopg.errors.QueryCanceled:
            check(time.monotonic() - begun < 60, "it took too long")
        connection.rollback()
        check(connection.execute("select 1").fetchone() == (1,), "the session is over")


with psycopg.connect(URL) as opened:
    types(opened)
    parameters(opened)
    errors(opened)
together()
cancelled()
assert CHECKS >= 22, CHECKS
print(f"psycopg: {CHECKS} checks")
