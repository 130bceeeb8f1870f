"""Commands that are more than a few lines, one a file; `cli` puts them on the command line.

Like `cli`, they are thin, and import what is heavy where it is used, so that `--help` stays fast.
"""
