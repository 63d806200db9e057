"""How hard a problem is, and which to keep."""
