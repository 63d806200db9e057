from itertools import permutations

g = int(input())
a = [list(map(int, input().split())) for _ in range(g)]
best = None
for order in permutations(range(g)):
    total = sum(a[i][j] for k, i in enumerate(order) for j in order[:k])
    if best is None or total < best:
        best = total
print(best)
