#!/bin/bash
# Starts PostgreSQL; makes and seeds the database first if the volume is empty.
#
# POSTGRES_DB             name of the application's database
# APP_USER, APP_PASSWORD  the application's role; it gets data privileges and owns nothing
# /seed/*.sql             run once as superuser, in the order of their names
# /tls/tls.crt, tls.key   if there: certificate and key for clients that ask for TLS
#
# Further arguments go to the server, for example: -c log_statement=all
set -euo pipefail

BIN=/usr/lib/postgresql/15/bin
VOLUME=/var/lib/postgresql/data
TLS=/run/postgresql-tls
SOCKETS=/var/run/postgresql
DATA=$VOLUME/pgdata
# Made aside and moved at the end: a container killed half-way starts over.
UNFINISHED=$VOLUME/pgdata.unfinished

say() { printf 'entrypoint: %s\n' "$*" >&2; }

if [ "$(id -u)" = 0 ]; then
    mkdir -p "$VOLUME" "$SOCKETS"
    chown postgres:postgres "$VOLUME" "$SOCKETS"
    # The server takes a key only if nobody else can read it.
    [ ! -e /tls/tls.key ] || install -D -o postgres -g postgres -m 600 -t "$TLS" /tls/tls.crt /tls/tls.key
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi

: "${POSTGRES_DB:?names the database}" "${APP_USER:?names the role}" "${APP_PASSWORD:?is the password of the role}"

initialise() {
    say "making database $POSTGRES_DB"
    rm -rf "$UNFINISHED"
    "$BIN/initdb" -D "$UNFINISHED" -U postgres -E UTF8 --locale=C.UTF-8 --wal-segsize=1 --no-sync \
        --auth-local=trust --auth-host=scram-sha-256 >&2
    printf 'host all all all scram-sha-256\n' >>"$UNFINISHED/pg_hba.conf"
    # Only the socket listens until the seed is in: nobody sees half a database.
    "$BIN/pg_ctl" -D "$UNFINISHED" -w -s -l "$UNFINISHED/seed.log" \
        -o "-c listen_addresses= -c unix_socket_directories=$SOCKETS" start
    local sql=("$BIN/psql" -h "$SOCKETS" -U postgres -v ON_ERROR_STOP=1 -q
        -v database="$POSTGRES_DB" -v role="$APP_USER" -v password="$APP_PASSWORD")
    "${sql[@]}" -d postgres <<'SQL'
CREATE ROLE :"role" LOGIN PASSWORD :'password';
CREATE DATABASE :"database";
SQL
    local file
    for file in /seed/*.sql; do
        [ -e "$file" ] || continue
        say "seeding from $file"
        "${sql[@]}" -d "$POSTGRES_DB" -f "$file"
    done
    "${sql[@]}" -d "$POSTGRES_DB" <<'SQL'
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO :"role";
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO :"role";
ANALYZE;
SQL
    "$BIN/pg_ctl" -D "$UNFINISHED" -w -s -m fast stop
    rm -f "$UNFINISHED/seed.log"
    mv "$UNFINISHED" "$DATA"
}

[ -s "$DATA/PG_VERSION" ] || initialise
# A container that was killed leaves its lock; in this container nobody else can hold it.
rm -f "$DATA/postmaster.pid"

[ ! -e "$TLS/tls.key" ] || set -- -c ssl=on -c ssl_cert_file="$TLS/tls.crt" -c ssl_key_file="$TLS/tls.key" "$@"

# SIGTERM would make the server wait for every client to leave; SIGINT is its fast shutdown.
"$BIN/postgres" -D "$DATA" \
    -c listen_addresses=0.0.0.0 -c unix_socket_directories="$SOCKETS" \
    -c shared_buffers=16MB -c max_connections=30 -c min_wal_size=8MB -c max_wal_size=16MB \
    -c logging_collector=off -c log_destination=stderr -c timezone=UTC -c log_timezone=UTC \
    "$@" &
server=$!
trap 'kill -INT "$server"' TERM INT
# A trapped signal interrupts the first wait; the second one collects the exit status.
wait "$server" || true
trap - TERM INT
wait "$server"
