"""Measuring: `python -m bench` (docs/bench.md). Programs that print a table and write JSON; never a test.

Each program runs in a process of its own on an installation of its own, made in a temporary folder and removed
afterwards. Rates depend on the machine and its other guests; CPU time for each operation is the steadier figure, a
ratio against a known program in the same run is the best.
"""
