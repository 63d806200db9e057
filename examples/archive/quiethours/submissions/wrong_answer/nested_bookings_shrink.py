def quiet_gaps(bookings, closing, shortest):
    gaps = []
    free_from = 0
    for begin, finish in sorted(bookings):
        if begin - free_from >= shortest:
            gaps.append([free_from, begin])
        free_from = finish
    if closing - free_from >= shortest:
        gaps.append([free_from, closing])
    return gaps
