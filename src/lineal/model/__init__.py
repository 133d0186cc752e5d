"""Ground: words, values, bounds and errors. Standard library only, no I/O."""
