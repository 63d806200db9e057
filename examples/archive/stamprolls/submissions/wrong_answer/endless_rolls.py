def fewest_stamps(values, copies, fee):
    best = [0] + [10**9] * fee
    for amount in range(1, fee + 1):
        for value, limit in zip(values, copies):
            if limit and value <= amount:
                best[amount] = min(best[amount], best[amount - value] + 1)
    return best[fee] if best[fee] < 10**9 else -1
