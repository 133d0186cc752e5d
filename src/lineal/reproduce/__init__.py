"""`lineal reproduce`: a run made again from what was captured of it, and how the two compare."""
