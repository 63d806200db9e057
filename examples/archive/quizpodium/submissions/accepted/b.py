import sys


def main():
    rows = [line.split() for line in sys.stdin.read().splitlines()[1:] if line]
    rows.sort(key=lambda row: row[0])
    rows.sort(key=lambda row: int(row[2]))
    rows.sort(key=lambda row: int(row[1]), reverse=True)
    podium = [row[0] for row in rows[:3]]
    print("\n".join(podium[::-1]))


main()
