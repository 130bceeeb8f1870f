"""Who serves the best copy while tastes move; `python -m benchmarks.drift` says how it is run."""
