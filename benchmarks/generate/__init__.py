"""The writers' benchmark, see `python -m benchmarks.generate --help`."""
