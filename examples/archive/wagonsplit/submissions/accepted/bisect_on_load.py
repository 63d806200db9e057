import sys


def wagons_needed(blocks, load):
    wagons, current = 1, 0
    for block in blocks:
        current += block
        if current > load:
            wagons += 1
            current = block
    return wagons


def main():
    wagons, _, *blocks = map(int, sys.stdin.read().split())
    low, high = max(blocks), sum(blocks)
    while low < high:
        middle = (low + high) // 2
        if wagons_needed(blocks, middle) <= wagons:
            high = middle
        else:
            low = middle + 1
    print(low)


main()
