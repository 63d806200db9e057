import sys

days, *dawns = map(int, sys.stdin.read().split())
print(max([0] + [dawns[i] - dawns[i - 1] for i in range(1, days)]))
