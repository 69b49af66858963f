"""One short script per figure: load results, draw, save; never train."""
