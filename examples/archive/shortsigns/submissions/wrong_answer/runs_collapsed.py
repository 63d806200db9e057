from itertools import groupby
from math import comb


def count_signs(fence, size):
    ways = [1] + [0] * size
    for _, run in groupby(fence):
        length = len(list(run))
        ways = [sum(ways[s - k] for k in range(min(s, length) + 1)) % (10**9 + 7) for s in range(size + 1)]
    return ways[size]
