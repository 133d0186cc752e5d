"""Tells webhooks what happened: the only calls that this server makes by itself."""
