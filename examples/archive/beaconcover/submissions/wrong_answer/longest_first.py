d, c = map(int, input().split())
beacons = sorted((tuple(map(int, input().split())) for _ in range(c)), key=lambda b: b[0] - b[1])
lit = []


def whole(chosen):
    at = 0
    for x, y in sorted(chosen):
        if x > at:
            return False
        at = max(at, y)
    return at >= d


low, high = 1, c
if not whole(beacons):
    print(-1)
else:
    while low < high:
        middle = (low + high) // 2
        if whole(beacons[:middle]):
            high = middle
        else:
            low = middle + 1
    print(low)
