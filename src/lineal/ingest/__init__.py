"""Records -> state. Two doors, one `apply` behind both: `replay` (journals: never refuses) and `submit` (requests: checked at
a desk, many of them a commit; `group_commit`)."""
