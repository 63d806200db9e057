m, k = map(int, input().split())
v = list(map(int, input().split()))
window = sum(v[:k])
best = window
for i in range(k, m):
    window += v[i] - v[i - k]
    best = max(best, window)
print(best / k)
