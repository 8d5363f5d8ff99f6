#!/usr/bin/env bash
# Releases where they lie: an S3-compatible store (versitygw), an OCI registry (CNCF distribution) and a web
# server (nginx), all unmodified and on loopback.
#   tests/interop/remote.sh AIOPSLAB RELEASE_DIR
# Needs apt, Go and its module proxy, python3 with venv and PyPI, curl, minisign; about two minutes.
set -euo pipefail
aiopslab=$(realpath "$1")
release=$(realpath "$2")
here=$(cd "$(dirname "$0")" && pwd)
samples=$(realpath "$here/../../datasets/samples")
. "$here/nginx.sh"
work=$(mktemp -d)
servers=()
checks=0

stop() {
    for server in "${servers[@]}"; do
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap stop EXIT

ok() {
    checks=$((checks + 1))
    echo "ok: $*"
}

fail() {
    echo "FAILED: $*"
    tail -n 5 "$work"/*.log
    exit 1
}

# until URL: waits until somebody answers there, whatever
until_answered() {
    for _ in $(seq 100); do
        curl -s -o "$work/answer" "$1" && return
        sleep 0.1
    done
    fail "nobody answers at $1"
}

# refused WORDS COMMAND...: it fails, and says so
refused() {
    local words=$1
    shift
    "$@" >"$work/said" 2>&1 && fail "not refused: $*"
    grep -qF -- "$words" "$work/said" || fail "$* did not say '$words' but: $(cat "$work/said")"
    ok "refused: $words"
}

# carried NAME URL: push, push again, pull, pull again
carried() {
    "$aiopslab" release push "$release" "$2" | tee "$work/said"
    # Equal files, such as empty tables, are one blob in a registry.
    ! grep -q "; $files of them were there" "$work/said" || fail "$1 had the release already"
    "$aiopslab" release push "$release" "$2" >"$work/said"
    grep -q "^pushed to .*: $files files.*; $files of them were there" "$work/said" || fail "$1 was sent files twice: $(cat "$work/said")"
    "$aiopslab" release pull "$2" "$work/$1"
    diff -r "$release" "$work/$1" || fail "what $1 gives is not what it was given"
    rm "$work/$1/release.json"
    "$aiopslab" release pull "$2" "$work/$1" >"$work/said"
    grep -q '; '"$((files - 1)) of them were there" "$work/said" || fail "a pull from $1 fetched files twice: $(cat "$work/said")"
    ok "$1: push, push again, pull, pull again; $files files"
}

[ -x "$tools/bin/versitygw" ] || GOBIN=$tools/bin go install github.com/versity/versitygw/cmd/versitygw@v1.8.0
[ -x "$tools/debian/usr/bin/docker-registry" ] || debian docker-registry
command -v minisign >/dev/null || apt-get install -y -qq minisign >/dev/null
[ -x "$tools/readers/bin/python" ] || python3 -m venv "$tools/readers"
"$tools/readers/bin/pip" -q install pyarrow

export XDG_CACHE_HOME=$work/cache
# release.json is a file of it that it does not list.
files=$(find "$release" -type f | wc -l)
count='select snapshot, count(*) as lines from logs group by snapshot order by snapshot'
"$aiopslab" sql -s "$release" --format csv "$count" >"$work/expected"

# --- S3
port=$(free_port)
export AWS_ACCESS_KEY_ID=interop AWS_SECRET_ACCESS_KEY=only-for-this-test AWS_ENDPOINT_URL=http://127.0.0.1:$port
mkdir -p "$work/store/releases" # a folder there is a bucket
ROOT_ACCESS_KEY=$AWS_ACCESS_KEY_ID ROOT_SECRET_KEY=$AWS_SECRET_ACCESS_KEY \
    "$tools/bin/versitygw" --port "127.0.0.1:$port" posix "$work/store" >"$work/versitygw.log" 2>&1 &
servers+=($!)
until_answered "$AWS_ENDPOINT_URL"
carried s3 s3://releases/testbed/1.0.0
"$aiopslab" sql -s s3://releases/testbed/1.0.0 --format csv "$count" | diff "$work/expected" - || fail "SQL over S3 answers something else"
ok "SQL over s3://"
AWS_SECRET_ACCESS_KEY=wrong refused AWS_SECRET_ACCESS_KEY "$aiopslab" sql -s s3://releases/testbed/1.0.0 "$count"

# --- OCI
port=$(free_port)
mkdir "$work/registry" "$work/docker"
perl -e 'print "me:", crypt("word", q{$2b$05$abcdefghijklmnopqrstuu}), "\n"' >"$work/htpasswd"
cat >"$work/registry.yml" <<YAML
version: 0.1
storage: {filesystem: {rootdirectory: $work/registry}}
http: {addr: "127.0.0.1:$port"}
auth: {htpasswd: {realm: interop, path: $work/htpasswd}}
log: {level: error}
YAML
"$tools/debian/usr/bin/docker-registry" serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
servers+=($!)
until_answered "http://127.0.0.1:$port/v2/"
artifact=oci://127.0.0.1:$port/benchmarks/testbed:1.0.0
export DOCKER_CONFIG=$work/docker
refused AIOPSLAB_REGISTRY_USER "$aiopslab" release push "$release" "$artifact"
printf '{"auths": {"127.0.0.1:%s": {"auth": "%s"}}}' "$port" "$(printf me:word | base64)" >"$work/docker/config.json"
carried oci "$artifact"
rm "$work/docker/config.json"
AIOPSLAB_REGISTRY_USER=me AIOPSLAB_REGISTRY_PASSWORD=word "$aiopslab" release pull "$artifact" "$work/oci" >/dev/null
ok "oci: user and password from the environment"
curl -sf -u me:word -H 'Accept: application/vnd.oci.image.manifest.v1+json' \
    "http://127.0.0.1:$port/v2/benchmarks/testbed/manifests/1.0.0" >"$work/manifest"
python3 - "$work/manifest" "$files" <<'PYTHON' || fail "the artifact is not as it should be"
import json, sys
manifest = json.load(open(sys.argv[1]))
titles = [layer["annotations"]["org.opencontainers.image.title"] for layer in manifest["layers"]]
assert manifest["artifactType"] == "application/vnd.aiopslab.release.v1", manifest
assert manifest["config"]["mediaType"] == "application/vnd.oci.empty.v1+json", manifest
assert len(titles) == int(sys.argv[2]) and titles[-1] == "release.json", titles
PYTHON
ok "oci: an artifact with a titled layer for each file"

# --- HTTP
port=$(free_port)
mkdir "$work/www"
cp -r "$release" "$work/www/testbed"
"$tools/readers/bin/python" "$here/remote_release.py" grow "$aiopslab" \
    "$samples/k8s_target_port_misconfig_testbed-1" "$work/www/large" geo
serve_www "$work" "$port"
servers+=($!)
web=http://127.0.0.1:$port
until_answered "$web/testbed/release.json"
"$aiopslab" sql -s "$web/testbed" --format csv "$count" | diff "$work/expected" - || fail "SQL over HTTP answers something else"
ok "SQL over http://"
"$aiopslab" release pull "$web/testbed" "$work/http"
diff -r "$release" "$work/http" || fail "what the web server gives is not the release"
ok "http: pull"
grep -qv '"GET /[^ ]*[^/ ] HTTP' "$work/access.log" && fail "something else than a file was asked for"
ok "http: nothing is listed"

(cd "$work" && minisign -G -W -p key.pub -s key.sec && minisign -G -W -p other.pub -s other.sec &&
    minisign -S -W -s key.sec -m www/testbed/release.json) >/dev/null
chmod a+r "$work/www/testbed/release.json.minisig"
"$aiopslab" sql -s "$web/testbed" --release-key "$work/key.pub" --format csv "$count" | diff "$work/expected" - || fail "a signed release is not opened"
"$aiopslab" sql -s "$web/testbed" --release-key "$(tail -n 1 "$work/key.pub")" "$count" >/dev/null || fail "a key's text is not taken"
ok "http: signed by the key that is given"
refused signature "$aiopslab" sql -s "$web/testbed" --release-key "$work/other.pub" "$count"
refused "not signed" "$aiopslab" sql -s "$web/large" --release-key "$work/key.pub" "$count"
sed -i 's/"version": "/&9/' "$work/www/testbed/release.json"
refused signature "$aiopslab" release pull "$web/testbed" "$work/changed" --release-key "$work/key.pub"

# --- What one question fetches
snapshot=k8s_target_port_misconfig_testbed-1
"$tools/readers/bin/python" "$here/remote_release.py" get-logs "$aiopslab" "$web/large/snapshots/$snapshot" \
    k8s_target_port_misconfig_testbed-localization-1 hotel-testbed geo | tee "$work/said"
fetched=$(sed 's/.*; \([0-9]*\) bytes fetched.*/\1/' "$work/said")
[ "$fetched" -lt 5000000 ] || fail "one question fetched $fetched bytes"
geo=$("$aiopslab" shell "$work/www/large/snapshots/$snapshot" -c 'kubectl logs -n hotel-testbed deployment/geo')
[ "$geo" = "$("$aiopslab" shell "$web/large/snapshots/$snapshot" -c 'kubectl logs -n hotel-testbed deployment/geo')" ] ||
    fail "a large snapshot is read differently over HTTP"
ok "get_logs on 100 MB over HTTP fetches what it needs"

echo "remote releases: $checks checks"
