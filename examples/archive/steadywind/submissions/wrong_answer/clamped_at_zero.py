m, k = map(int, input().split())
v = list(map(int, input().split()))
prefix = [0]
for speed in v:
    prefix.append(prefix[-1] + speed)
best = 0.0
for length in range(k, min(m, 2 * k - 1) + 1):
    for start in range(m - length + 1):
        average = (prefix[start + length] - prefix[start]) / length
        if average > best:
            best = average
print(best)
