from collections import deque

h, b = map(int, input().split())
g = [input() for _ in range(h)]
start = next(((r, c) for r in range(h) for c in range(b) if g[r][c] == "~"), None)
seen = {start: 0} if start else {}
queue = deque(seen)
while queue:
    r, c = queue.popleft()
    for y, x in ((r + 1, c), (r - 1, c), (r, c + 1), (r, c - 1)):
        if 0 <= y < h and 0 <= x < b and g[y][x] != "#" and (y, x) not in seen:
            seen[y, x] = seen[r, c] + 1
            queue.append((y, x))
sand = [(r, c) for r in range(h) for c in range(b) if g[r][c] == "."]
if any(cell not in seen for cell in sand):
    print("never")
else:
    print(max((seen[cell] for cell in sand), default=0))
