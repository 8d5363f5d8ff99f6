#!/usr/bin/env bash
# The Python package against the program: agents in AIOpsLab's form, errors, retries, the agents of the docs, the wheel;
# before them its types (`mypy`, strict).
#   tests/interop/python.sh AIOPSLAB
# Needs Python 3.10 with venv or newer (3.11 for the wheel; the package itself needs 3.9), PyPI for mypy the first time,
# no cluster. Two to three minutes with a debug build.
set -euo pipefail
floor=73
mypy=2.4.1
AIOPSLAB_BINARY=$(realpath "$1")
export AIOPSLAB_BINARY PYTHONDONTWRITEBYTECODE=1
unset AIOPSLAB_URL AIOPSLAB_API_KEY AIOPSLAB_SNAPSHOTS AIOPSLAB_CATALOG
cd "$(dirname "$0")/../../python"
# What pip fetches is kept between runs.
tools=${AIOPSLAB_INTEROP_TOOLS:-$HOME/.cache/aiopslab/interop}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir -p "$tools"
[ -x "$tools/mypy/bin/python" ] || python3 -m venv "$tools/mypy"
"$tools/mypy/bin/pip" -q install "mypy==$mypy"
"$tools/mypy/bin/mypy" --cache-dir "$work/mypy"

python3 -W error::ResourceWarning -m unittest discover --start-directory tests --top-level-directory . 2>&1 | tee "$work/log"
executed=$(sed -n 's/^Ran \([0-9]*\) tests.*/\1/p' "$work/log")
skipped=$(sed -n 's/^OK (skipped=\([0-9]*\)).*/\1/p' "$work/log")
executed=$((executed - ${skipped:-0}))
[ "$executed" -ge $floor ] || { echo "error: $executed tests were executed, expected at least $floor"; exit 1; }
echo "python: $executed executed"
