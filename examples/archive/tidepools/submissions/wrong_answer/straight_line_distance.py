h, b = map(int, input().split())
g = [input() for _ in range(h)]
pools = [(r, c) for r in range(h) for c in range(b) if g[r][c] == "~"]
sand = [(r, c) for r in range(h) for c in range(b) if g[r][c] == "."]
if not sand:
    print(0)
elif not pools:
    print("never")
else:
    reach = [[h + b] * b for _ in range(h)]
    for r, c in pools:
        reach[r][c] = 0
    for r in range(h):
        for c in range(b):
            if r:
                reach[r][c] = min(reach[r][c], reach[r - 1][c] + 1)
            if c:
                reach[r][c] = min(reach[r][c], reach[r][c - 1] + 1)
    for r in reversed(range(h)):
        for c in reversed(range(b)):
            if r < h - 1:
                reach[r][c] = min(reach[r][c], reach[r + 1][c] + 1)
            if c < b - 1:
                reach[r][c] = min(reach[r][c], reach[r][c + 1] + 1)
    print(max(reach[r][c] for r, c in sand))
