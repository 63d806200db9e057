import sys


def main():
    numbers = [int(token) for token in sys.stdin.read().split()]
    seats = numbers[1]
    blankets = empty = 0
    for people in numbers[2:]:
        full, rest = divmod(people, seats)
        blankets += full
        if rest:
            blankets += 1
            empty += seats - rest
    print(blankets, empty)


main()
