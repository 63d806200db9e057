import sys

MODULUS = 10**9 + 7


def main():
    u, v, _, *flat = map(int, sys.stdin.read().split())
    factorial = [1] * (u + v + 1)
    for i in range(1, u + v + 1):
        factorial[i] = factorial[i - 1] * i % MODULUS
    inverse = [1] * (u + v + 1)
    inverse[-1] = pow(factorial[-1], -1, MODULUS)
    for i in range(u + v, 0, -1):
        inverse[i - 1] = inverse[i] * i % MODULUS

    stops = sorted(zip(flat[::2], flat[1::2])) + [(u, v)]
    clear = []
    for x, y in stops:
        walks = factorial[x + y] * inverse[x] * inverse[y]
        for (a, b), free in zip(stops, clear):
            if b <= y:
                walks -= free * factorial[x + y - a - b] % MODULUS * inverse[x - a] * inverse[y - b]
        clear.append(walks % MODULUS)
    print(clear[-1])


main()
