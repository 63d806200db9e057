import sys


def reachable(speeds, k, target):
    total = 0.0
    before = 0.0
    lowest = 0.0
    for index, speed in enumerate(speeds):
        total += speed - target
        if index >= k:
            before += speeds[index - k] - target
            lowest = min(lowest, before)
        if index >= k - 1 and total - lowest >= 0:
            return True
    return False


def main():
    data = list(map(int, sys.stdin.read().split()))
    k, speeds = data[1], data[2:]
    low, high = float(min(speeds)), float(max(speeds))
    for _ in range(45):
        middle = (low + high) / 2
        if reachable(speeds, k, middle):
            low = middle
        else:
            high = middle
    print(f"{low:.9f}")


main()
