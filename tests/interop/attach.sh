#!/usr/bin/env bash
# Records HotROD, an application that nobody here wrote, with the rights that --print-rbac prints and no others;
# then the snapshot is verified, looked into, labelled and evaluated on.
#   tests/interop/attach.sh AIOPSLAB KUBECTL
# Needs KUBECONFIG with all rights and the image of HotROD (lab/images); leaves the cluster as it was. About 40 s.
set -euo pipefail
aiopslab=$1 kubectl=$2
here=$(dirname "$0") work=$(mktemp -d)
namespace=hotrod account=snapshot-reader
ok() { printf 'ok: %s\n' "$1"; }
fail() { printf 'error: %s\n' "$1"; exit 1; }
# refused WHAT TEXT COMMAND...: the command fails and says so.
refused() {
  local what=$1 text=$2
  shift 2
  if "$@" >"$work/refused" 2>&1; then fail "$what is not refused"; fi
  grep -q -- "$text" "$work/refused" || fail "$what is refused in other words: $(cat "$work/refused")"
}
clean() {
  [ ! -s "$work/rights.yaml" ] || "$kubectl" delete --ignore-not-found --wait=false -f "$work/rights.yaml" >/dev/null
  "$kubectl" delete --ignore-not-found --timeout=60s -f "$here/hotrod.yaml" >/dev/null
  rm -rf "$work"
}
trap clean EXIT
trap 'exit 1' HUP INT TERM

"$kubectl" apply -f "$here/hotrod.yaml" >/dev/null
"$kubectl" -n "$namespace" wait deployment/hotrod --for=condition=Available --timeout=60s >/dev/null
load() {
  local request
  for request in $(seq "$1"); do
    "$kubectl" get --raw "/api/v1/namespaces/$namespace/services/hotrod:8080/proxy/dispatch?customer=123&nonse=$request" >/dev/null
  done
}
load 6
ok "HotROD serves"

"$aiopslab" capture --print-rbac -n "$namespace" >"$work/rights.yaml"
verbs=$(awk '/^ *verbs:/ { inside = 1; next } inside && /^ +- [a-z]+$/ { print $2; next } { inside = 0 }' "$work/rights.yaml" | sort -u | tr '\n' ' ')
[ "$verbs" = "get list watch " ] || fail "the rights hold the verbs $verbs"
if grep -q 'secrets\|"\*"' "$work/rights.yaml"; then fail "the rights reach Secrets"; fi
"$kubectl" apply -f "$work/rights.yaml" >/dev/null
cat >"$work/reader.kubeconfig" <<YAML
apiVersion: v1
kind: Config
current-context: reader
contexts: [{name: reader, context: {cluster: lab, user: reader}}]
users: [{name: reader, user: {token: "$("$kubectl" -n "$namespace" create token "$account")"}}]
clusters:
  - name: lab
    cluster: $("$kubectl" config view --raw --minify -o 'jsonpath={.clusters[0].cluster}')
YAML
reader() { KUBECONFIG=$work/reader.kubeconfig "$@"; }
for right in "get secrets -n $namespace" "list pods -n kube-system" "create pods -n $namespace" "create services/proxy -n observe" "delete pods -n $namespace"; do
  # shellcheck disable=SC2086
  if [ "$(reader "$kubectl" auth can-i $right 2>/dev/null)" != no ]; then fail "the account may $right"; fi
done
ok "the printed rights: get, list and watch, no Secrets, nothing elsewhere"

refused "a namespace that may not be read" "print-rbac" reader "$aiopslab" capture --attach -n kube-system --out "$work/other"
# Ended by a signal long before its time.
snapshot=$work/incident
# Not through the function: the signal is for the program itself.
KUBECONFIG=$work/reader.kubeconfig "$aiopslab" capture --attach -n "$namespace" --since 1m --duration 30m \
  --out "$snapshot" >"$work/attach.log" 2>&1 &
attach=$!
load 6
sleep 5
started=$(date -u +%Y-%m-%dT%H:%M:%SZ)
load 6
kill -INT $attach
wait $attach || fail "the recording did not end well: $(cat "$work/attach.log")"
sed -n '/^recorded/,$p' "$work/attach.log"
"$aiopslab" snapshot verify "$snapshot" >"$work/verify.log" || fail "it does not verify: $(cat "$work/verify.log")"
ok "recorded with these rights, ended by SIGINT, verified"

count() { "$aiopslab" sql -s "$snapshot" --format csv "select count(*) from $1" | tail -n 1; }
for table in log_lines metric_samples spans object_versions usage; do
  [ "$(count "$table")" -gt 0 ] || fail "nothing in $table"
  printf '%s %s, ' "$table" "$(count "$table")"
done
echo
[ "$(count "object_versions where namespace not in ('', '$namespace')")" = 0 ] || fail "objects of other namespaces were recorded"
[ "$(count "metric_series where namespace not in ('$namespace')")" = 0 ] || fail "series of other namespaces were recorded"
"$aiopslab" sql -s "$snapshot" --format csv "select reason from coverage where \"table\" = 'metric_samples'" | grep -q 'stale markers' || fail "coverage does not tell how samples were read"
"$aiopslab" shell "$snapshot" -c "kubectl get pods -n $namespace" | grep -q 'hotrod-.*Running' || fail "no pod in the shell"
"$aiopslab" shell "$snapshot" -c "kubectl logs -n $namespace deployment/hotrod --tail 3" | grep -q . || fail "no log in the shell"
said=$("$aiopslab" shell "$snapshot" -c "kubectl get secrets -n $namespace" 2>&1 || true)
printf '%s\n' "$said" | grep -qi 'not available\|not.*captured\|not.*recorded\|forbidden' || fail "Secrets that nobody could read are answered for: $said"
ok "sql and shell"

refused "a snapshot without truth" "truth add" "$aiopslab" eval "$snapshot" --out "$work/results"
refused "a name that is not there" "nearest names are" "$aiopslab" truth add "$snapshot" --faulty hotrodd
refused "a level that is none" "Virtualization" "$aiopslab" truth add "$snapshot" --faulty hotrod --level Cloud --fault-type 'Code Defect'
refused "a time outside" "it runs from" "$aiopslab" truth add "$snapshot" --faulty hotrod --started 2020-01-01T00:00:00Z
"$aiopslab" truth add "$snapshot" --name hotrod-slow --faulty redis-manual --faulty driver --faulty hotrod \
  --level Application --fault-type 'Code Defect' --started "$started" --summary 'every few requests to Redis time out'
refused "a second label" "replace" "$aiopslab" truth add "$snapshot" --name hotrod-slow --faulty driver
"$aiopslab" truth add "$snapshot" --replace --name hotrod-slow --faulty redis-manual --faulty driver --faulty hotrod \
  --level Application --fault-type 'Code Defect' --started "$started"
"$aiopslab" snapshot verify "$snapshot" >"$work/verify.log" || fail "the label breaks it: $(cat "$work/verify.log")"
"$aiopslab" shell "$snapshot" --clock before-fault -c date | grep -q . || fail "there is no moment before the fault"
"$aiopslab" eval "$snapshot" --agent baseline:doctor --json --out "$work/results" >"$work/eval.json"
python3 - "$work/eval.json" <<'PYTHON' || fail "the label is not asked for"
import json, sys
episodes = [one for one in json.load(open(sys.argv[1]))["episodes"] if one["agent"] == "baseline:doctor"]
print(*(f'{one["problem"]}: {"solved" if one["success"] else "not solved"} in {one["steps"]} steps' for one in episodes), sep="\n")
assert sorted(one["task"] for one in episodes) == ["analysis", "detection", "localization"], episodes
assert all(one.get("error") is None for one in episodes), episodes
PYTHON
ok "labelled, refused where it must be, evaluated"
