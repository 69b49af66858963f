"""Sweeps, a map and a census for trying faults: a second of compiling, members that take no time.

`benchmarks.processes` puts them beside the sweeps of the same command line.
"""
