import sys


def greatest_common_divisor(x, y):
    while y:
        x, y = y, x % y
    return x


teeth = list(map(int, sys.stdin.read().split()))[1:]
for k in range(0, len(teeth), 2):
    left, right = teeth[k], teeth[k + 1]
    together = left * right // greatest_common_divisor(left, right)
    print(together // left, together // right)
