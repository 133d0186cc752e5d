"""The demo: real trainings on real scans, recorded as anybody's program would, through lineal.api alone."""
