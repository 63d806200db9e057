def dry_streak(rain, limit):
    best = run = 0
    for millimetres in rain:
        if millimetres <= limit:
            run += 1
        else:
            best = max(best, run)
            run = 0
    return best
