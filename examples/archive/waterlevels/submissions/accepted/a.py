import sys
from itertools import accumulate

n, q, *rest = map(int, sys.stdin.read().split())
level = list(accumulate(rest[:n], initial=0))
for i, j in zip(rest[n::2], rest[n + 1 :: 2]):
    print(level[j] - level[i - 1])
