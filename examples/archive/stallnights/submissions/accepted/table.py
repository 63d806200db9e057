import sys


def main():
    nights, rest, *earnings = map(int, sys.stdin.read().split())
    best = [0] * (nights + 1)
    for night in range(1, nights + 1):
        earlier = best[max(0, night - rest - 1)]
        best[night] = max(best[night - 1], earlier + earnings[night - 1])
    print(best[nights])


main()
