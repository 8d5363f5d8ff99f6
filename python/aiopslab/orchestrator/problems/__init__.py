"""AIOpsLab's module path; see `registry`."""
