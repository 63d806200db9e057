"""The training split as others read it."""
