"""Hookline: marketing copy that is written, guarded, tested and learned from in one loop."""

__version__ = "0.1.0"
