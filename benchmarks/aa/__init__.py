"""Is what the report says right at every look; `python -m benchmarks.aa` says how it is run."""
