from math import comb


def count_signs(fence, size):
    return comb(len(fence), size) % (10**9 + 7)
