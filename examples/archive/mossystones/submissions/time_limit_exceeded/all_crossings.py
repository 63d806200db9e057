import sys

sys.setrecursionlimit(10000)
a, w, s = map(int, input().split())
g = [input() for _ in range(a)]


def cross(r, c, slips):
    if c < 0 or c >= w:
        return None
    stone = g[r][c]
    if stone == "m":
        slips -= 1
        if slips < 0:
            return None
    flies = 0 if stone == "m" else int(stone)
    if r == a - 1:
        return flies
    rest = [x for x in (cross(r + 1, c + d, slips) for d in (-1, 0, 1)) if x is not None]
    return flies + max(rest) if rest else None


found = [x for x in (cross(0, c, s) for c in range(w)) if x is not None]
print(max(found) if found else "splash")
