import sys
from heapq import heappop, heappush

data = list(map(int, sys.stdin.read().split()))
h, n, k = data[:3]
near = [[] for _ in range(h + 1)]
at = 3 + h
for _ in range(n):
    a, b, s, m = data[at : at + 4]
    at += 4
    near[a].append((b, s))
    near[b].append((a, s))
best = [1 << 60] * (h + 1)
best[1] = 0
heap = [(0, 1)]
while heap:
    time, house = heappop(heap)
    if time > best[house]:
        continue
    for other, s in near[house]:
        if time + s < best[other]:
            best[other] = time + s
            heappush(heap, (time + s, other))
print(best[h] if best[h] < 1 << 60 else "undeliverable")
