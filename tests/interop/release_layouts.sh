#!/usr/bin/env bash
# A release as the ecosystem reads it: tests/interop/release_layouts.py with its libraries.
#   tests/interop/release_layouts.sh AIOPSLAB RELEASE
# RELEASE is a folder that `aiopslab release build` made. Needs python3 with venv and PyPI; nothing is fetched
# once they are installed.
set -euo pipefail
aiopslab=$(realpath "$1")
release=$(realpath "$2")
tools=${XDG_CACHE_HOME:-$HOME/.cache}/aiopslab/interop
cd "$(dirname "$0")"
[ -x "$tools/layouts/bin/python" ] || python3 -m venv "$tools/layouts"
"$tools/layouts/bin/pip" -q install "datasets>=5" "duckdb>=2" "mlcroissant>=1.1" "polars>=2"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HF_HOME=$work HF_HUB_OFFLINE=1 HF_HUB_DISABLE_PROGRESS_BARS=1 CROISSANT_CACHE=$work/croissant
"$tools/layouts/bin/python" release_layouts.py "$aiopslab" "$release"
