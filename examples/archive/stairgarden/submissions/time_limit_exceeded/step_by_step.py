import sys

u, v, c = map(int, sys.stdin.readline().split())
closed = {tuple(map(int, line.split())) for line in sys.stdin}
row = [0] * (v + 1)
for x in range(u + 1):
    for y in range(v + 1):
        if x == 0 and y == 0:
            row[0] = 1
        elif (x, y) in closed:
            row[y] = 0
        elif y:
            row[y] = (row[y] + row[y - 1]) % (10**9 + 7)
print(row[v])
