"""Records -> state. Two doors, `replay` (journals: never refuses) and `submit` (validates), one `apply` behind both."""
