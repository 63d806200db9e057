from bisect import bisect_right, insort


def clear_upsets(points, margin):
    earlier = []
    upsets = 0
    for score in points:
        upsets += bisect_right(earlier, score - margin)
        insort(earlier, score)
    return upsets
