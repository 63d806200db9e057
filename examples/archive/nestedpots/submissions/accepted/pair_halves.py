import sys


def main():
    data = list(map(int, sys.stdin.read().split()))
    widths = sorted(data[1:])
    half = len(widths) // 2
    inner = 0
    for outer in widths[half:]:
        if inner < half and 2 * widths[inner] <= outer:
            inner += 1
    print(len(widths) - inner)


main()
