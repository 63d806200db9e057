t, e = map(int, input().split())
p = list(map(int, input().split()))
for _ in range(e):
    kind, x, y = input().split()
    x, y = int(x), int(y)
    if kind == "set":
        p[x - 1] = y
    else:
        best = here = 0
        for v in p[x - 1 : y]:
            here = here + v if here + v > 0 else 0
            if here > best:
                best = here
        print(best)
