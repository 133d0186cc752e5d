"""What a run prints, recorded as it is printed: docs/adr/0032-console.md."""
