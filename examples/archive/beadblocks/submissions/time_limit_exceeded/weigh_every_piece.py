k = int(input())
beads = list(map(int, input().strip()))
ways = 0
for start in range(len(beads)):
    weight = 0
    for bead in beads[start:]:
        weight += bead
        if weight % k == 0:
            ways += 1
print(ways)
