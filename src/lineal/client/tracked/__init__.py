"""`lineal track`: a command that knows nothing of Lineal, started as a child of the run, and listened to."""
