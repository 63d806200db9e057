"""Tags of Dagster runs that the nights know each other by."""

NIGHT = "microcoder/night"
"""The day of a night, in the schedule's time zone."""

PARTIAL = "microcoder/partial"
"""Platforms whose source was down, refused or changed: the rest was made, and these are caught up later."""

WEEK = "microcoder/week"
"""The ISO week of a weekly training."""
