import sys
from collections import deque


def main():
    data = list(map(int, sys.stdin.read().split()))
    floats = data[0]
    behind = [[] for _ in range(floats + 1)]
    waiting = [0] * (floats + 1)
    for u, w in zip(data[2::2], data[3::2]):
        behind[u].append(w)
        waiting[w] += 1
    ready = deque(f for f in range(1, floats + 1) if not waiting[f])
    order = []
    while ready:
        front = ready.popleft()
        order.append(front)
        for other in behind[front]:
            waiting[other] -= 1
            if not waiting[other]:
                ready.append(other)
    print(*order if len(order) == floats else ["quarrel"])


main()
