"""State: narrow contracts, the in-memory reference, SQLite, blobs. Knows nouns and columns, not the wire."""
