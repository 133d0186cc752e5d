"""The store in PostgreSQL: the same statements as in SQLite, through a connection that reads their dialect."""
