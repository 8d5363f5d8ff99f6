#!/usr/bin/env bash
# Real clients of PostgreSQL on `aiopslab serve --pgwire`: psql, and Python's psycopg. Prints `pgwire: N checks`.
#   tests/interop/pgwire.sh AIOPSLAB
# Needs psql (Debian: postgresql-client), python3 with venv and PyPI; half a minute.
set -euo pipefail
aiopslab=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
tools=${AIOPSLAB_INTEROP_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/aiopslab/interop}
work=$(mktemp -d)
unset AIOPSLAB_SNAPSHOTS AIOPSLAB_API_KEY
port=k8s_target_port_misconfig_testbed-1
scale=scale_pod_zero_testbed-1
servers=()
checks=0

stop() {
  for server in "${servers[@]}"; do kill "$server" 2>/dev/null || true; wait "$server" || true; done
  servers=()
}
trap 'stop; rm -rf "$work"' EXIT

mkdir -p "$tools"
[ -x "$tools/pgwire/bin/python" ] || python3 -m venv "$tools/pgwire"
"$tools/pgwire/bin/pip" -q install "psycopg[binary]>=3"

# start NAME ARGUMENT...: a server; $url is where it is
start() {
  local name=$1
  shift
  "$aiopslab" serve "$@" --pgwire 127.0.0.1:0 >"$work/$name" 2>"$work/$name.log" &
  servers+=($!)
  for _ in $(seq 300); do
    url=$(sed -n 's/^pgwire //p' "$work/$name")
    [ -z "$url" ] || return 0
    sleep 0.1
  done
  cat "$work/$name.log"
  echo "error: the server did not start"
  exit 1
}

psql() { command psql --no-psqlrc --set ON_ERROR_STOP=1 "$url" "$@"; }

# check NAME PATTERN COMMAND...: what is printed has to match
check() {
  local name=$1 pattern=$2
  shift 2
  "$@" >"$work/said" 2>&1 || true
  if ! grep -qE -- "$pattern" "$work/said"; then
    echo "FAILED: $name: no $pattern in"
    head -n 40 "$work/said"
    exit 1
  fi
  checks=$((checks + 1))
}

start one "$port"
check 'the tables' 'public +\| logs +\| view' psql -c '\d'
check 'the recorded tables' 'raw +\| log_lines' psql -c '\d raw.*' -c '\dt raw.*'
check 'tables alone' 'public +\| snapshots' psql -c '\dt'
check 'views alone' 'public +\| pods' psql -c '\dv'
check 'a view' 'timestamp +\| timestamp with time zone' psql -c '\d logs'
check 'a map is text' 'labels +\| text' psql -c '\d metrics'
check 'schemas' 'raw' psql -c '\dn'
check 'databases' 'datafusion' psql -c '\l'
check 'timing' 'Time: [0-9.]+ ms' psql -c '\timing' -c 'select count(*) from logs'
check 'help on a connection' 'connected to database' psql -c '\conninfo'
check 'expanded' 'RECORD 1' psql -x -c 'select * from pods limit 1'
check 'a join' 'rate +\| +[0-9]+' psql -c "
  select d.name, count(*) from deployments d join pods p on d.snapshot = p.snapshot and starts_with(p.name, d.name || '-')
  group by d.name order by d.name"
check 'a variable' '^ *[1-9][0-9]*$' psql -At -v service=search <<<"select count(*) from logs where service = :'service';"
check 'a file as CSV' '^search,' psql --csv -f - <<<"select service, count(*) from logs where service = 'search' group by service;"
check 'a transaction' 'COMMIT' psql -c 'begin' -c 'select 1' -c 'commit'
check 'an error with its hint' 'HINT:.*the tables are calls' psql -c 'select * from nothing'
check 'no writes' 'snapshots are read-only' psql -c 'drop table logs'
check 'no copy' 'COPY is refused' psql -c '\copy logs to /dev/null'
for table in $(command psql --no-psqlrc -At "$url" -c "
    select table_schema || '.\"' || table_name || '\"' from information_schema.tables where table_schema in ('public', 'raw') order by 1"); do
  check "five rows of $table" 'rows?\)' psql -c "select * from $table limit 5"
done

# Ctrl-C in psql is a request to cancel on a second connection.
long='select sum(a.flags + b.series_id) from spans a cross join metric_samples b'
(exec psql --no-psqlrc "$url" -c "$long") >"$work/long" 2>&1 &
client=$!
sleep 1
kill -INT $client
wait $client || true
check 'a cancelled query' 'canceling statement due to user request' cat "$work/long"

check 'the Python driver' '^psycopg: [0-9]+ checks' "$tools/pgwire/bin/python" "$here/pgwire_client.py" "$url"
of_python=$(sed -n 's/^psycopg: \([0-9]*\) checks.*/\1/p' "$work/said")
checks=$((checks + of_python))
stop

start many "$port" "$scale" --clock before-fault
check 'two snapshots' "$scale" psql -c 'select snapshot, count(*) from pods group by snapshot'
stop
printf 'secret\n' >"$work/key"
start locked "$port" --api-key-file "$work/key"
check 'a wrong password' 'assword authentication failed' env PGPASSWORD=wrong psql --no-psqlrc "$url" -c 'select 1'
check 'the right password' '^1$' env PGPASSWORD=secret psql --no-psqlrc "$url" -At -c 'select 1'
stop
[ "$checks" -ge 60 ] || { echo "error: $checks checks, expected at least 60"; exit 1; }
echo "pgwire: $checks checks"
