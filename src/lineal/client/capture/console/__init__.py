"""What a run prints, recorded as it is printed: docs/adr/0031-console.md."""
