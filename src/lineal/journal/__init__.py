"""The client's log on disk: what the training process appends to, and how a reader tells who still writes."""
