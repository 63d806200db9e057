import sys
from itertools import accumulate

lengths = list(map(int, sys.stdin.read().split()))[1:]
print(len(set(accumulate(lengths, max))))
