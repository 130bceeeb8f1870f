"""The tuning benchmark, see `python -m benchmarks.tune --help`."""
