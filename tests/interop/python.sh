#!/usr/bin/env bash
# The Python package against the program: agents in AIOpsLab's form, errors, retries, the agents of the docs, the wheel.
#   tests/interop/python.sh AIOPSLAB
# Needs Python 3.9 or newer (3.11 for the wheel), no network besides loopback, no cluster. Two minutes with a debug build.
set -euo pipefail
floor=58
AIOPSLAB_BINARY=$(realpath "$1")
export AIOPSLAB_BINARY PYTHONDONTWRITEBYTECODE=1
unset AIOPSLAB_URL AIOPSLAB_API_KEY AIOPSLAB_SNAPSHOTS AIOPSLAB_CATALOG
cd "$(dirname "$0")/../../python"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -W error::ResourceWarning -m unittest discover --start-directory tests --top-level-directory . 2>&1 | tee "$work/log"
executed=$(sed -n 's/^Ran \([0-9]*\) tests.*/\1/p' "$work/log")
skipped=$(sed -n 's/^OK (skipped=\([0-9]*\)).*/\1/p' "$work/log")
executed=$((executed - ${skipped:-0}))
[ "$executed" -ge $floor ] || { echo "error: $executed tests were executed, expected at least $floor"; exit 1; }
echo "python: $executed executed"
