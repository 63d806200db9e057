def count_even(values):
    return len([v for v in values if not v % 2])
