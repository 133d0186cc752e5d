"""Other trackers' protocols: each a folder that knows nothing of the others, and some lines in app.py."""
