def quiet_gaps(bookings, closing, shortest):
    gaps = []
    free_from = 0
    for begin, finish in sorted(bookings) + [[closing, closing]]:
        if begin - free_from >= shortest:
            gaps.append([free_from, begin])
        free_from = max(free_from, finish)
    return gaps
