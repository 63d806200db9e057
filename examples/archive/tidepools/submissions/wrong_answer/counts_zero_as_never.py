h, b = map(int, input().split())
g = [list(input()) for _ in range(h)]
wave = [(r, c) for r in range(h) for c in range(b) if g[r][c] == "~"]
minutes = -1
while wave:
    minutes += 1
    nxt = []
    for r, c in wave:
        for y, x in ((r + 1, c), (r - 1, c), (r, c + 1), (r, c - 1)):
            if 0 <= y < h and 0 <= x < b and g[y][x] == ".":
                g[y][x] = "~"
                nxt.append((y, x))
    wave = nxt
print("never" if minutes < 1 or any("." in row for row in g) else minutes)
