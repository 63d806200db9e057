import sys

LOST = (0, -(10**12), -(10**12), -(10**12))


def join(a, b):
    return (
        a[0] + b[0],
        max(a[1], a[0] + b[1]),
        max(b[2], b[0] + a[2]),
        max(a[3], b[3], a[2] + b[1]),
    )


def main():
    data = sys.stdin.read().split()
    trees, entries = int(data[0]), int(data[1])
    size = 1
    while size < trees:
        size *= 2
    nodes = [LOST] * (2 * size)
    for index in range(trees):
        nodes[size + index] = (int(data[2 + index]),) * 4
    for index in range(size - 1, 0, -1):
        nodes[index] = join(nodes[2 * index], nodes[2 * index + 1])
    answers = []
    at = 2 + trees
    for _ in range(entries):
        kind, first, second = data[at], int(data[at + 1]), int(data[at + 2])
        at += 3
        if kind == "set":
            index = size + first - 1
            nodes[index] = (second,) * 4
            while index > 1:
                index //= 2
                nodes[index] = join(nodes[2 * index], nodes[2 * index + 1])
        else:
            low, high = size + first - 1, size + second
            left, right = LOST, LOST
            while low < high:
                if low & 1:
                    left = join(left, nodes[low])
                    low += 1
                if high & 1:
                    high -= 1
                    right = join(nodes[high], right)
                low //= 2
                high //= 2
            answers.append(join(left, right)[3])
    print("\n".join(map(str, answers)))


main()
