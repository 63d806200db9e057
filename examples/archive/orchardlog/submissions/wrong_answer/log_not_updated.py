t, e = map(int, input().split())
p = list(map(int, input().split()))
for _ in range(e):
    kind, x, y = input().split()
    if kind == "ask":
        best = here = -(10**9)
        for v in p[int(x) - 1 : int(y)]:
            here = here + v if here > 0 else v
            if here > best:
                best = here
        print(best)
