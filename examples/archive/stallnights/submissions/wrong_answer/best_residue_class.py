t, r = map(int, input().split())
e = list(map(int, input().split()))
print(max(0, max(sum(max(0, x) for x in e[start :: r + 1]) for start in range(r + 1))))
