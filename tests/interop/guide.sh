#!/usr/bin/env bash
# docs/publish-a-benchmark.md as it is written, on a cluster that is up: from captures to an evaluation of what a web
# server serves, and the version after.
#   tests/interop/guide.sh AIOPSLAB KUBECTL
# The commands are taken out of the document. Other than there: the web server is nginx on loopback, the two agents
# are that of docs/first-agent.md, and lines about the hub, S3 and OCI are left out (remote.sh has the latter two).
# Needs KUBECONFIG, age, minisign, and nginx as remote.sh fetches it; half an hour.
set -euo pipefail
aiopslab=$(realpath "$1")
kubectl=$(realpath "$2")
project=$(cd "$(dirname "$0")/../.." && pwd)
nginx=${XDG_CACHE_HOME:-$HOME/.cache}/aiopslab/interop/debian/usr/sbin/nginx
[ -x "$nginx" ] || nginx=$(command -v nginx) || { echo "hint: tests/interop/remote.sh fetches nginx"; exit 1; }
work=$(mktemp -d)
server=
stop() { [ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"; }
trap stop EXIT

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir -p "$work/www" "$work/nginx" "$work/bin" "$work/here"
cat >"$work/nginx.conf" <<NGINX
daemon off;
pid $work/nginx/pid;
events {}
http {
    access_log off;
    client_body_temp_path $work/nginx/body; proxy_temp_path $work/nginx/proxy; fastcgi_temp_path $work/nginx/fastcgi;
    uwsgi_temp_path $work/nginx/uwsgi; scgi_temp_path $work/nginx/scgi;
    server { listen 127.0.0.1:$port; root $work/www; }
}
NGINX
ln -s "$aiopslab" "$work/bin/aiopslab"
# The server reads as nobody.
chmod a+rx "$work"
umask 022
"$nginx" -c "$work/nginx.conf" -e "$work/nginx.log" &
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
