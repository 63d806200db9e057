import sys

data = list(map(int, sys.stdin.read().split()))
f = data[0]
order = list(range(1, f + 1))
for u, w in zip(data[2::2], data[3::2]):
    i, j = order.index(u), order.index(w)
    if i > j:
        order[i], order[j] = order[j], order[i]
print(*order)
