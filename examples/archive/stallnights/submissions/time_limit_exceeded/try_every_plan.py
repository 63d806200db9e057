import sys

sys.setrecursionlimit(100000)
t, r = map(int, input().split())
e = list(map(int, input().split()))


def plan(night):
    if night >= t:
        return 0
    return max(plan(night + 1), e[night] + plan(night + r + 1))


print(plan(0))
