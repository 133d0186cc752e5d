"""What can be said, and its bytes. The format is `spec/record.md`; standard library only."""
