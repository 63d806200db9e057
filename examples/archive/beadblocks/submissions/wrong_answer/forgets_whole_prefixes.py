from collections import Counter

k = int(input())
seen = Counter()
total = ways = 0
for bead in input().strip():
    total = (total + int(bead)) % k
    ways += seen[total]
    seen[total] += 1
print(ways)
