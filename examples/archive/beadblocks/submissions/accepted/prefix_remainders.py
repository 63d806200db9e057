import sys


def main():
    k, beads = sys.stdin.read().split()
    k = int(k)
    seen = [0] * k
    seen[0] = 1
    remainder = ways = 0
    for bead in beads:
        remainder = (remainder + int(bead)) % k
        ways += seen[remainder]
        seen[remainder] += 1
    print(ways)


main()
