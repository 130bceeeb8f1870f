"""`python -m hookline` is the `hookline` command."""

from hookline.cli import main

if __name__ == "__main__":
    main()
