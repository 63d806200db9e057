import sys


def main():
    data = list(map(int, sys.stdin.read().split()))
    floats = data[0]
    ahead = [[] for _ in range(floats + 1)]
    followers = [0] * (floats + 1)
    for u, w in zip(data[2::2], data[3::2]):
        ahead[w].append(u)
        followers[u] += 1
    free = [f for f in range(1, floats + 1) if not followers[f]]
    backwards = []
    while free:
        last = free.pop()
        backwards.append(last)
        for other in ahead[last]:
            followers[other] -= 1
            if not followers[other]:
                free.append(other)
    if len(backwards) < floats:
        print("quarrel")
    else:
        print(*reversed(backwards))


main()
