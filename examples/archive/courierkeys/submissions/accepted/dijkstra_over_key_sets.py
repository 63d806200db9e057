import sys
from heapq import heappop, heappush


def main():
    data = list(map(int, sys.stdin.read().split()))
    houses, lanes, makes = data[:3]
    found = [0] + [1 << make >> 1 for make in data[3 : 3 + houses]]
    near = [[] for _ in range(houses + 1)]
    at = 3 + houses
    for a, b, seconds, make in zip(*[iter(data[at : at + 4 * lanes])] * 4):
        gate = 1 << make >> 1
        near[a].append((b, seconds, gate))
        near[b].append((a, seconds, gate))
    best = {(1, found[1]): 0}
    heap = [(0, 1, found[1])]
    while heap:
        time, house, keys = heappop(heap)
        if house == houses:
            print(time)
            return
        if time > best[house, keys]:
            continue
        for other, seconds, gate in near[house]:
            if gate & ~keys:
                continue
            state = other, keys | found[other]
            arrival = time + seconds
            if arrival < best.get(state, 1 << 60):
                best[state] = arrival
                heappush(heap, (arrival, *state))
    print("undeliverable")


main()
