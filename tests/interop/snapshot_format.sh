#!/usr/bin/env bash
# Snapshots written and read without us: tests/interop/snapshot_format.py with its libraries.
#   tests/interop/snapshot_format.sh AIOPSLAB
# Needs python3 with venv and PyPI; about half a minute.
set -euo pipefail
aiopslab=$(realpath "$1")
tools=${XDG_CACHE_HOME:-$HOME/.cache}/aiopslab/interop
cd "$(dirname "$0")/../.."
[ -x "$tools/readers/bin/python" ] || python3 -m venv "$tools/readers"
"$tools/readers/bin/pip" -q install "duckdb>=2" "polars>=2" pyarrow
"$tools/readers/bin/python" tests/interop/snapshot_format.py "$aiopslab" \
  tests/frozen/snapshot-1 datasets/samples/{noop_detection_testbed-1,k8s_target_port_misconfig_testbed-1}
