from bisect import bisect_left, insort


def clear_upsets(points, margin):
    earlier = []
    upsets = 0
    for score in points:
        upsets += bisect_left(earlier, score - margin)
        insort(earlier, score)
    return upsets
