"""The filter language: what may be asked of runs. Knows no SQL."""
