"""Benchmarks: `make bench`. Each `bench_*.py` here has a function `rows()`, which measures."""
