"""What a decision and an outcome cost in time; `python -m benchmarks.decide` says how it is run."""
