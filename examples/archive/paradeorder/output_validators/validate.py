import sys

ACCEPT, REJECT = 42, 43


def verdict(floats, wishes, contradictory, tokens):
    if tokens == ["quarrel"]:
        return ACCEPT if contradictory else REJECT
    if contradictory or sorted(tokens) != sorted(map(str, range(1, floats + 1))):
        return REJECT
    place = {int(token): index for index, token in enumerate(tokens)}
    return ACCEPT if all(place[u] < place[w] for u, w in wishes) else REJECT


def main():
    with open(sys.argv[1]) as file:
        data = list(map(int, file.read().split()))
    with open(sys.argv[2]) as file:
        contradictory = file.read().split() == ["quarrel"]
    wishes = list(zip(data[2::2], data[3::2]))
    sys.exit(verdict(data[0], wishes, contradictory, sys.stdin.read().split()))


main()
