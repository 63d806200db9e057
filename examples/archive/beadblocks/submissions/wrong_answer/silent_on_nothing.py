k = int(input())
seen = [1] + [0] * (k - 1)
total = ways = weightless = 0
for bead in input().strip():
    total = (total + int(bead)) % k
    ways += seen[total]
    seen[total] += 1
    weightless = weightless + 1 if bead == "0" else 0
    ways -= weightless
print(ways)
