t, r = map(int, input().split())
e = list(map(int, input().split()))
blocked = [False] * t
total = 0
for night in sorted(range(t), key=lambda n: -e[n]):
    if e[night] > 0 and not blocked[night]:
        total += e[night]
        for other in range(max(0, night - r), min(t, night + r + 1)):
            blocked[other] = True
print(total)
