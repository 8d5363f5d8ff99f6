#!/bin/bash
# Unmodified clients on `aiopslab serve --kubernetes`: kubectl (kubernetes_commands.txt), the Python
# package `kubernetes`, the npm package `kubernetes-mcp-server`. Over http and again over https.
#
#   tests/interop/kubernetes.sh PROGRAM [KUBECTL [SNAPSHOT]]
#
# SNAPSHOT is a capture of the testbed [default: a shipped sample]. Needs kubectl (the lab's, else the machine's), python3 with venv, npm, and their registries.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=$(realpath "${1:?the aiopslab program}")
kubectl=${2:-$HOME/.cache/aiopslab/lab/bin/kubectl}
[ -x "$kubectl" ] || kubectl=$(command -v kubectl)
snapshot=${3:-k8s_target_port_misconfig_testbed-1}
export INCIDENT=hotel-testbed
# What the package managers fetch is kept between runs.
tools=${AIOPSLAB_INTEROP_TOOLS:-$HOME/.cache/aiopslab/interop}
work=$(mktemp -d)
server=
failed=0
passed=0

stop() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    [ -z "$server" ] || wait "$server" || true
    server=
}
trap 'stop; rm -rf "$work"' EXIT

start() {
    rm -f "$work/address"
    "$program" serve "$snapshot" --kubernetes 127.0.0.1:0 --write-kubeconfig "$work/kubeconfig" \
        --record-writes "$work/writes.jsonl" "$@" >"$work/address" 2>"$work/server.log" &
    server=$!
    for _ in $(seq 100); do
        grep -q kubernetes "$work/address" 2>/dev/null && return
        sleep 0.1
    done
    cat "$work/server.log"
    echo "the server did not start"
    exit 1
}

run_kubectl() {
    timeout "$1" "$kubectl" --kubeconfig "$work/kubeconfig" --cache-dir "$work/cache" "${@:2}"
}

# check LINE: one line of the table
check() {
    local line=$1 wanted=0 seconds=60 command expected output code=0 arguments
    case $line in
    '! '*) wanted=1 line=${line#'! '} ;;
    '? '*) wanted=any seconds=4 line=${line#'? '} ;;
    esac
    line=${line//INCIDENT/$INCIDENT}
    line=${line//POD/$POD}
    line=${line//MANIFEST/$work/manifest.json}
    line=${line//NODE/$NODE}
    # NODE is in "NOMINATED NODE" too; the table writes it in full.
    line=${line//NOMINATED $NODE/NOMINATED NODE}
    command=${line%% => *}
    expected=${line#* => }
    read -r -a arguments <<<"$command"
    output=$(run_kubectl $seconds "${arguments[@]}" 2>&1 </dev/null) || code=$?
    if { [ $wanted = 0 ] && [ $code != 0 ]; } || { [ $wanted = 1 ] && [ $code = 0 ]; } ||
        ! grep -qE -- "$expected" <<<"$output"; then
        echo "FAILED (exit $code): kubectl $command"
        echo "  expected: $expected"
        head -5 <<<"$output" | sed 's/^/  /'
        failed=$((failed + 1))
    else
        passed=$((passed + 1))
    fi
}

try_kubectl() {
    POD=$(run_kubectl 30 -n $INCIDENT get pods -l app.kubernetes.io/name=geo -o jsonpath='{.items[0].metadata.name}')
    NODE=$(run_kubectl 30 get nodes -o jsonpath='{.items[0].metadata.name}')
    export POD NODE
    echo '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"}}' >"$work/manifest.json"
    while IFS= read -r line; do
        case $line in '' | '#'*) continue ;; esac
        check "$line"
    done <"$here/kubernetes_commands.txt"
    if run_kubectl 30 get --raw /openapi/v3 >/dev/null 2>&1; then
        check 'explain pods.spec.containers.image => ^FIELD: image'
        check 'explain deployments --recursive => minReadySeconds'
        check '! -n INCIDENT apply -f MANIFEST => Forbidden'
        check '! -n INCIDENT diff -f MANIFEST => Forbidden'
    else
        check '! explain pods => ServiceUnavailable'
        check '! -n INCIDENT apply -f MANIFEST => failed to download openapi'
    fi
}

# try NAME COMMAND...: another client
try() {
    local name=$1
    shift
    if timeout 120 "$@"; then
        passed=$((passed + 1))
        echo "ok: $name"
    else
        failed=$((failed + 1))
        echo "FAILED: $name"
    fi
}

mkdir -p "$tools"
[ -x "$tools/python/bin/python" ] || python3 -m venv "$tools/python"
"$tools/python/bin/pip" -q install kubernetes
(cd "$tools" && npm install --silent --no-fund --no-audit --prefix "$tools/npm" kubernetes-mcp-server)
mcp=$tools/npm/node_modules/.bin/kubernetes-mcp-server

for way in http https; do
    if [ $way = https ]; then start --tls; else start; fi
    cat "$work/address"
    try_kubectl
    echo "kubectl over $way: $passed passed, $failed failed so far"
    try "Python kubernetes over $way" "$tools/python/bin/python" "$here/kubernetes_client.py" "$work/kubeconfig" "$POD"
    try "kubernetes-mcp-server over $way" python3 "$here/kubernetes_mcp.py" "$mcp" "$work/kubeconfig" "$POD"
    stop
done

# What was tried to be changed is on record, with its body.
for part in '"method":"DELETE"' '"body":{"spec":{"replicas":2}}' '"kind":"Namespace"' 'apply-patch+yaml'; do
    if grep -qF -- "$part" "$work/writes.jsonl"; then
        passed=$((passed + 1))
    else
        echo "FAILED: no $part among the recorded writes"
        failed=$((failed + 1))
    fi
done
echo "interop kubernetes: $passed passed, $failed failed"
[ $failed = 0 ]
