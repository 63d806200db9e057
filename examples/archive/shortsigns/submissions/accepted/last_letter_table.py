def count_signs(fence, size):
    modulus = 10**9 + 7
    ending = {}
    total = [1] + [0] * size
    for letter in fence:
        old = ending.get(letter, [0] * (size + 1))
        fresh = [0, *total[:-1]]
        total = [(t + f - o) % modulus for t, f, o in zip(total, fresh, old)]
        ending[letter] = fresh
    return total[size]
