def count_signs(fence, size):
    def signs_from(start, left):
        if left == 0:
            return 1
        following = {letter: fence.index(letter, start) for letter in set(fence[start:])}
        return sum(signs_from(place + 1, left - 1) for place in following.values())

    return signs_from(0, size) % (10**9 + 7)
