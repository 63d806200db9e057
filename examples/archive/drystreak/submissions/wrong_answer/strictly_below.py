def dry_streak(rain, limit):
    best = run = 0
    for millimetres in rain:
        run = run + 1 if millimetres < limit else 0
        best = max(best, run)
    return best
