#!/usr/bin/env bash
# docs/publish-a-benchmark.md as it is written, on a cluster that is up: from captures to an evaluation of what a web
# server serves, and the version after.
#   tests/interop/guide.sh AIOPSLAB KUBECTL
# The commands are taken out of the document. Other than there: the web server is nginx on loopback, the two agents
# are that of docs/first-agent.md, and lines about the hub, S3 and OCI are left out (remote.sh has the latter two).
# Needs KUBECONFIG, age, minisign, and apt for nginx; half an hour.
set -euo pipefail
aiopslab=$(realpath "$1")
kubectl=$(realpath "$2")
project=$(cd "$(dirname "$0")/../.." && pwd)
. "$project/tests/interop/nginx.sh"
work=$(mktemp -d)
server=
stop() { [ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"; }
trap stop EXIT

port=$(free_port)
mkdir "$work/bin" "$work/here"
ln -s "$aiopslab" "$work/bin/aiopslab"
umask 022 # the server reads as nobody
serve_www "$work" "$port"
server=$!

# block FILE LANGUAGE: the text of a document's blocks in a language, one after the other.
block() { awk -v fence="\`\`\`$2" '$0 == fence { inside = 1; next } /^```/ { inside = 0 } inside' "$1"; }
block "$project/docs/first-agent.md" python | awk '/^import json/ { agent = 1 } agent' >"$work/here/my-agent.py"
cp "$work/here/my-agent.py" "$work/here/their-agent.py"
block "$project/docs/publish-a-benchmark.md" sh |
  grep -v '^lab/up\|^export KUBECONFIG\|s3://\|oci://\|^hf ' |
  sed -e "s|/srv/www|$work/www|" -e "/--url/!s|https://example.org|http://127.0.0.1:$port|" >"$work/commands"
grep -c '^aiopslab' "$work/commands" | sed 's/^/commands of ours: /'

cd "$work/here"
PATH=$work/bin:$(dirname "$kubectl"):$PATH bash -euxo pipefail "$work/commands" 2>&1
echo "guide: passed"
