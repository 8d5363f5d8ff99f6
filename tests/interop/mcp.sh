#!/bin/bash
# Real clients of the Model Context Protocol on `aiopslab serve --mcp`: whole episodes, over stdio and
# over HTTP, in both generations of the protocol. Prints `mcp: N executed` at the end.
#
#   tests/interop/mcp.sh PROGRAM
#
# Needs python3 with venv, npm, and their registries.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=$(realpath "${1:?the aiopslab program}")
# What the package managers fetch is kept between runs.
tools=${AIOPSLAB_INTEROP_TOOLS:-$HOME/.cache/aiopslab/interop}
work=$(mktemp -d)
problem=scale_pod_zero_testbed-detection-1
serve=("$program" serve scale_pod_zero_testbed-1 --problem "$problem")
server=
executed=0
failed=0

stop() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    [ -z "$server" ] || wait "$server" || true
    server=
}
trap 'stop; rm -rf "$work"' EXIT

mkdir -p "$tools"
[ -x "$tools/mcp/bin/python" ] || python3 -m venv "$tools/mcp"
"$tools/mcp/bin/pip" -q install mcp fastmcp
npm install --silent --no-fund --no-audit --prefix "$tools/npm" @modelcontextprotocol/sdk
export NODE_PREFIX=$tools/npm

python() { "$tools/mcp/bin/python" "$here/mcp_client.py" "$@"; }
npm_sdk() { node "$here/mcp_client.mjs" "$@"; }

# try NAME COMMAND...: an episode, whose result has to be there and right
try() {
    local name=$1 before after
    shift
    before=$(results)
    executed=$((executed + 1))
    if "$@" >"$work/log" 2>&1 && after=$(results) && [ "$after" = $((before + 1)) ]; then
        echo "ok: $name"
    else
        failed=$((failed + 1))
        echo "FAILED: $name ($before right results before, ${after:-?} after)"
        tail -n 15 "$work/log"
    fi
}

# How many episodes were submitted and are right.
results() {
    find "$work" -name result.json -exec grep -l '"end_reason": "submitted"' {} + 2>/dev/null |
        xargs -r grep -lE '"success": true' | wc -l
}

n=0
stdio() { # NAME CLIENT... -- further arguments of the server
    local name=$1 client=()
    shift
    while [ "$1" != -- ]; do client+=("$1"); shift; done
    shift
    n=$((n + 1))
    try "$name over stdio" timeout_of "${client[@]}" "${serve[@]}" --mcp stdio --out "$work/$n" "$@"
}

# A client that hangs has failed.
timeout_of() {
    "$@" &
    local client=$!
    (sleep 120; kill "$client" 2>/dev/null) &
    local watch=$! code=0
    wait "$client" || code=$?
    kill "$watch" 2>/dev/null || true
    return $code
}

stdio "mcp, sessions" python sessions actions --
stdio "mcp, no sessions" python no-sessions actions --
stdio "fastmcp" python fastmcp actions --
stdio "npm sdk" npm_sdk --
stdio "mcp, SREGym's tools" python sessions sregym -- --profile sregym
stdio "mcp, kubernetes-mcp-server's tools" python sessions k8s-mcp -- --profile k8s-mcp

start() {
    "${serve[@]}" --mcp 127.0.0.1:0 --out "$work/http$n" "$@" >"$work/address" 2>"$work/server.log" &
    server=$!
    for _ in $(seq 300); do
        url=$(sed -n 's/^mcp //p' "$work/address")
        [ -z "$url" ] || return 0
        sleep 0.1
    done
    cat "$work/server.log"
    echo "the server did not start"
    exit 1
}

start
try "mcp, sessions, over HTTP" timeout_of python sessions actions "$url"
try "mcp, sessions, over HTTP, again" timeout_of python sessions actions "$url"
try "mcp, no sessions, over HTTP" timeout_of python no-sessions actions "$url"
try "mcp, no sessions, over HTTP, another path" timeout_of python no-sessions actions "$url/another"
try "fastmcp over HTTP" timeout_of python fastmcp actions "$url/fastmcp"
try "npm sdk over HTTP" timeout_of npm_sdk "$url"
stop

echo "mcp: $failed failed"
[ "$failed" = 0 ] || exit 1
[ "$executed" -ge 12 ] || { echo "fewer than 12 episodes"; exit 1; }
echo "mcp: $executed executed"
