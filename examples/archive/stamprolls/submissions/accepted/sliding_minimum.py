from collections import deque


def fewest_stamps(values, copies, fee):
    unreachable = fee + 1
    best = [0] + [unreachable] * fee
    for value, limit in zip(values, copies):
        fresh = best[:]
        for start in range(min(value, fee + 1)):
            window = deque()
            for step, amount in enumerate(range(start, fee + 1, value)):
                if best[amount] < unreachable:
                    key = best[amount] - step
                    while window and window[-1][1] >= key:
                        window.pop()
                    window.append((step, key))
                while window and window[0][0] < step - limit:
                    window.popleft()
                if window:
                    fresh[amount] = min(fresh[amount], window[0][1] + step)
        best = fresh
    return best[fee] if best[fee] < unreachable else -1
