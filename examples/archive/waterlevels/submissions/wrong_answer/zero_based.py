n, q = map(int, input().split())
changes = list(map(int, input().split()))
for _ in range(q):
    i, j = map(int, input().split())
    print(sum(changes[i:j]))
