from itertools import groupby


def dry_streak(rain, limit):
    runs = groupby(rain, key=lambda amount: amount <= limit)
    return max((len(list(days)) for dry, days in runs if dry), default=0)
