import sys

MODULUS = 10**9 + 9


def main():
    chant = sys.stdin.readline().strip()
    length = len(chant)
    border = [0] * (length + 1)
    k = 0
    for i in range(1, length):
        while k and chant[k] != chant[i]:
            k = border[k]
        if chant[k] == chant[i]:
            k += 1
        border[i + 1] = k
    places = [1] * (length + 1)
    for i in range(length, 0, -1):
        places[border[i]] += places[i]
    print(sum(i * places[i] for i in range(1, length + 1)) % MODULUS)


main()
