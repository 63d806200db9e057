from itertools import combinations


def count_signs(fence, size):
    signs = set()
    for letters in combinations(fence, size):
        signs.add(hash(letters))
    return len(signs) % (10**9 + 7)
