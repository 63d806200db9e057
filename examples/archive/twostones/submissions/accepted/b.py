import sys


def main():
    n, g, *weights = map(int, sys.stdin.read().split())
    order = sorted(range(n), key=weights.__getitem__)
    low = 0
    for high in range(1, n):
        while low < high and weights[order[high]] - weights[order[low]] > g:
            low += 1
        if low < high and weights[order[high]] - weights[order[low]] == g:
            print(order[high] + 1, order[low] + 1)
            return
    print("none")


main()
