#!/usr/bin/env bash
# Writes the go.mod of the cluster binary for Kubernetes version $1 into the current folder: the
# staging modules that k8s.io/kubernetes replaces with its own folders are replaced with their releases.
set -euo pipefail
version=$1
theirs=$(go mod download -json "k8s.io/kubernetes@v$version" | sed -n 's/^\t"GoMod": "\(.*\)",$/\1/p')
{
  printf 'module lab/cluster\n\n'
  grep -E '^(go|godebug) ' "$theirs"
  printf '\nrequire k8s.io/kubernetes v%s\n\nreplace (\n' "$version"
  sed -nE 's#^\s+(k8s.io/[a-z0-9-]+) => ./staging/.*#\1#p' "$theirs" | sed "s#.*#\t& => & v0.${version#1.}#"
  printf ')\n'
} >go.mod
