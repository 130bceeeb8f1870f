"""Do published results come out; `python -m benchmarks.published` says how it is run."""
