"""What data a run used: its digest, its shape and where it came from. The bytes that are digested are described in spec/dataset.md."""
