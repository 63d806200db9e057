g = int(input())
a = [list(map(int, input().split())) for _ in range(g)]
order = sorted(range(g), key=lambda i: -sum(a[i]))
print(sum(a[i][j] for k, i in enumerate(order) for j in order[:k]))
