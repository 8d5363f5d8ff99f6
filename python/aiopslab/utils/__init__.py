"""AIOpsLab's module path; see `status`."""
