class Solution:
    def fewest_stamps(self, values, copies, fee):
        best = [0] + [10**9] * fee
        for value, left in zip(values, copies):
            bundle = 1
            while left:
                size = min(bundle, left)
                left -= size
                bundle *= 2
                weight = size * value
                if weight <= fee:
                    best = best[:weight] + [min(a, b + size) for a, b in zip(best[weight:], best)]
        return best[fee] if best[fee] < 10**9 else -1
