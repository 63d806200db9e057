import sys


def main():
    data = list(map(int, sys.stdin.read().split()))
    guests = data[0]
    table = [data[1 + i * guests : 1 + (i + 1) * guests] for i in range(guests)]
    full = 1 << guests
    least = [0] + [1 << 60] * (full - 1)
    grumble = []
    for row in table:
        sums = [0]
        for value in row:
            sums += [s + value for s in sums]
        grumble.append(sums)
    for done in range(full):
        so_far = least[done]
        for guest in range(guests):
            following = done | 1 << guest
            if following != done:
                total = so_far + grumble[guest][done]
                if total < least[following]:
                    least[following] = total
    print(least[-1])


main()
