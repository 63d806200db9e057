import sys


def main():
    data = list(map(int, sys.stdin.read().split()))
    length = data[0]
    beacons = sorted(zip(data[2::2], data[3::2]))
    lit, cords, index = 0, 0, 0
    while lit < length:
        reach = lit
        while index < len(beacons) and beacons[index][0] <= lit:
            reach = max(reach, beacons[index][1])
            index += 1
        if reach == lit:
            print(-1)
            return
        lit = reach
        cords += 1
    print(cords)


main()
