"""Tests of the package against the real program (`AIOPSLAB_BINARY`); see `tests/interop/python.sh`."""
