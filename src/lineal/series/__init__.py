"""Columns of points: how they are encoded, merged and drawn. Knows numpy and pcodec, no database and no wire."""
