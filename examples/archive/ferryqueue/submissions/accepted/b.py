import sys


def load(lane, queue, start):
    used = queue[start]
    end = start + 1
    while end < len(queue) and used + 1 + queue[end] <= lane:
        used += 1 + queue[end]
        end += 1
    return end, lane - used


lane, _, *queue = map(int, sys.stdin.read().split())
trips = position = unused = 0
while position < len(queue):
    position, unused = load(lane, queue, position)
    trips += 1
print(trips, unused)
