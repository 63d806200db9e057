def clear_upsets(points, margin):
    return sum(b - a > margin for a, b in zip(points, points[1:]))
