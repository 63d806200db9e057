from bisect import bisect_left, insort


def clear_upsets(points, margin):
    later = []
    upsets = 0
    for score in reversed(points):
        upsets += bisect_left(later, score - margin)
        insort(later, score)
    return upsets
