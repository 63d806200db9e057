import sys
from heapq import heappop, heappush

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
done = set()
heap = [(0, 1, frozenset([0, key[1]]))]
answer = "undeliverable"
while heap:
    time, house, keys = heappop(heap)
    if house in done:
        continue
    done.add(house)
    if house == h:
        answer = time
        break
    for other, s, m in near[house]:
        if m in keys:
            heappush(heap, (time + s, other, keys | {key[other]}))
print(answer)
