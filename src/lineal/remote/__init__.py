"""Reads through a server: the questions of a local folder, asked over HTTP. Loaded late, as `lineal.local` is."""
