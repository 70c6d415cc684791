"""How fast the API is against hand-written SQL on the same rows, measured in one run: `python -m benchmarks --help`."""
