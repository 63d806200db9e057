import sys
from math import fsum

numbers = list(map(int, sys.stdin.read().split()))[1:]
lengths, speeds = numbers[::2], numbers[1::2]
print(sum(lengths) / fsum(length / speed for length, speed in zip(lengths, speeds)))
