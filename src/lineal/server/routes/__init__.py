"""One noun a file; each ends with the endpoints it offers."""
