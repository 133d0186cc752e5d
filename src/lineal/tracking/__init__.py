"""The tracker facade: the calls of existing experiment code, a thin layer over `lineal.api`."""
