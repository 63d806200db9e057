import sys

data = sys.stdin.read().split()
t, e = int(data[0]), int(data[1])
p = list(map(int, data[2 : 2 + t]))
at = 2 + t
for _ in range(e):
    kind, x, y = data[at], int(data[at + 1]), int(data[at + 2])
    at += 3
    if kind == "set":
        p[x - 1] = y
        continue
    best = -(10**9)
    for left in range(x - 1, y):
        total = 0
        for v in p[left:y]:
            total += v
            if total > best:
                best = total
    print(best)
