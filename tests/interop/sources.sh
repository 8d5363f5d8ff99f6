#!/usr/bin/env bash
# Fetches the testbed's manifests as an application of somebody else: out of a git repository and out
# of a Helm chart, both served on loopback, and out of a checkout. The cluster's API server says of
# each whether it would take them.
#   sources.sh AIOPSLAB HELM     needs KUBECONFIG, git and python3
set -euo pipefail
aiopslab=$1 helm=$2
here=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
servers=()
stop() { [ ${#servers[@]} -eq 0 ] || kill "${servers[@]}" 2>/dev/null || true; rm -rf "$work"; }
trap stop EXIT
export XDG_CACHE_HOME=$work/cache HOME=$work GIT_CONFIG_NOSYSTEM=1
fail() { printf 'error: %s\n' "$1"; exit 1; }
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
wait_for() { for _ in $(seq 50); do (: </dev/tcp/127.0.0.1/"$1") 2>/dev/null && return; sleep 0.1; done; fail "nothing listens on port $1"; }

# What is served: a repository with the manifests and a chart of them, and the chart packaged.
repository=$work/git/apps
mkdir -p "$repository/shop/kubernetes" "$repository/shop/chart/templates" "$work/charts"
cp "$here"/testbed/manifests/[0-9]*.yaml "$repository/shop/kubernetes/"
cp "$here"/testbed/manifests/[1-9]*.yaml "$repository/shop/chart/templates/"
echo 'not a real one' >"$repository/shop/chart/tls.pem"
printf 'apiVersion: v2\nname: shop\nversion: 1.2.3\n' >"$repository/shop/chart/Chart.yaml"
git -C "$repository" init --quiet
git -C "$repository" add .
git -C "$repository" -c user.name=t -c user.email=t@localhost commit --quiet -m "the shop"
commit=$(git -C "$repository" rev-parse HEAD)
git -C "$repository" -c user.name=t -c user.email=t@localhost commit --quiet --allow-empty -m "later"
"$helm" package --destination "$work/charts" "$repository/shop/chart" >/dev/null

git_port=$(free_port)
git daemon --base-path="$work/git" --export-all --listen=127.0.0.1 --port="$git_port" --reuseaddr "$work/git" 2>/dev/null &
servers+=($!)
chart_port=$(free_port)
"$helm" repo index "$work/charts" --url "http://127.0.0.1:$chart_port"
python3 -m http.server "$chart_port" --bind 127.0.0.1 --directory "$work/charts" >/dev/null 2>&1 &
servers+=($!)
wait_for "$git_port"
wait_for "$chart_port"

# application NAME SOURCE: a catalog folder with the testbed under another name and from elsewhere.
application() {
  mkdir -p "$work/catalog-$1"
  sed -e "s|^name = .*|name = \"$1\"|" -e "s|^source = .*|source = { $2 }|" \
    "$here/problems/applications/hotel-testbed.toml" >"$work/catalog-$1/$1.toml"
}
# manifests NAME [OPTION...]: what `check` says of them.
manifests() {
  local name=$1
  shift
  # Whether other needs are met is no matter here.
  "$aiopslab" check --catalog "$work/catalog-$name" --application "$name" --helm "$helm" "$@" >"$work/said" 2>&1 || true
  grep ' manifests ' "$work/said" || fail "check says nothing of manifests: $(cat "$work/said")"
}
expect() { printf '%s\n' "$1" | grep -q -- "$2" || fail "expected '$2' in: $1"; echo "ok: $1" | tr -s ' '; }

url=git://127.0.0.1:$git_port/apps
application from-git "git = \"$url\", commit = \"$commit\", manifests = \"shop/kubernetes\""
expect "$(manifests from-git)" "fetched by"
expect "$(manifests from-git)" "kept from before"
application from-short "git = \"$url\", commit = \"${commit:0:7}\", chart = \"shop/chart\", release = \"shop\""
expect "$(manifests from-short)" "fetched by"
objects=$(grep -o '[0-9]* objects' "$work/said" | cut -d ' ' -f 1)
application from-chart "helm = \"local/shop\", repository = \"http://127.0.0.1:$chart_port\", version = \"1.2.3\""
expect "$(manifests from-chart)" "fetched by 1 command"
application from-folder "git = \"https://nowhere.invalid/apps\", unpinned = \"it is only a test\", manifests = \"shop/kubernetes\""
expect "$(manifests from-folder)" "it is only a test"
expect "$(manifests from-folder --app-dir "$repository")" "out of $repository; the server would take them"
application from-secret "git = \"$url\", commit = \"$commit\", chart = \"shop/chart\", release = \"shop\", secrets = { shop-tls = [\"tls.pem\"] }"
expect "$(manifests from-secret)" "$((objects + 1)) objects, fetched by"
application from-lost "git = \"$url\", commit = \"$commit\", chart = \"shop/chart\", release = \"shop\", secrets = { shop-tls = [\"ca.crt\"] }"
expect "$(manifests from-lost)" "has no .*/ca.crt, of which the Secret shop-tls is made"
application from-past "git = \"$url\", commit = \"0000000000000000000000000000000000000000\", manifests = \"shop/kubernetes\""
expect "$(manifests from-past)" "failed"
application from-moved "git = \"$url\", commit = \"$commit\", manifests = \"moved/kubernetes\""
expect "$(manifests from-moved)" "no manifests in moved/kubernetes"
