"""One short script per sweep: what is trained, and what its counts are held against."""
