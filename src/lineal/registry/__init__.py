"""Registered models as programs meet them: found, read, loaded, promoted, and explained."""
