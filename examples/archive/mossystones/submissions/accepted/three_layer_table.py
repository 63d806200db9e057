import sys

NONE = -1


def main():
    data = sys.stdin.read().split()
    width, slips = int(data[1]), int(data[2])
    rows = data[3:]
    layer = None
    for row in rows:
        fresh = [[NONE] * (slips + 1) for _ in range(width)]
        for column, stone in enumerate(row):
            if layer is None:
                source = [0] + [NONE] * slips
            else:
                source = [max(values) for values in zip(*layer[max(0, column - 1) : column + 2])]
            if stone == "m":
                fresh[column] = [NONE, *source[:slips]]
            else:
                fresh[column] = [flies if flies == NONE else flies + int(stone) for flies in source]
        layer = fresh
    best = max(max(values) for values in layer)
    print("splash" if best == NONE else best)


main()
