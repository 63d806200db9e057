d, c = map(int, input().split())
beacons = sorted(tuple(map(int, input().split())) for _ in range(c))
lit, cords, i = -1, 0, 0
while lit < d:
    reach = lit
    while i < c and beacons[i][0] <= lit + 1:
        reach = max(reach, beacons[i][1])
        i += 1
    if reach == lit:
        cords = -1
        break
    lit, cords = reach, cords + 1
print(cords)
