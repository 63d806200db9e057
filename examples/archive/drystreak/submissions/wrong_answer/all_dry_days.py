def dry_streak(rain, limit):
    return sum(millimetres <= limit for millimetres in rain)
