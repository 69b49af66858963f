"""The tools of the command line: modules with `parser()` and `main(argv)`."""
