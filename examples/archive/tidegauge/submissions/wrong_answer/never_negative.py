n, q = map(int, input().split())
changes = list(map(int, input().split()))
level = [0]
for change in changes:
    level.append(level[-1] + change)
for _ in range(q):
    i, j = map(int, input().split())
    print(abs(level[j] - level[i - 1]))
