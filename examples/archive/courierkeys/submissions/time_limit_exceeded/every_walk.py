import sys

sys.setrecursionlimit(100000)
data = list(map(int, sys.stdin.read().split()))
h, n, k = data[:3]
key = [0] + data[3 : 3 + h]
near = [[] for _ in range(h + 1)]
at = 3 + h
for _ in range(n):
    a, b, s, m = data[at : at + 4]
    at += 4
    near[a].append((b, s, m))
    near[b].append((a, s, m))
best = None


def walk(house, keys, time, visited):
    global best
    if house == h:
        best = time if best is None else min(best, time)
        return
    for other, s, m in near[house]:
        owned = keys | {key[other]}
        if m in keys and (other, owned) not in visited:
            walk(other, owned, time + s, visited | {(other, owned)})


start = frozenset([0, key[1]])
walk(1, start, 0, {(1, start)})
print("undeliverable" if best is None else best)
