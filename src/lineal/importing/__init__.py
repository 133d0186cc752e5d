"""What another tracker kept becomes records, and goes through ingest as everything does. One source a file."""
