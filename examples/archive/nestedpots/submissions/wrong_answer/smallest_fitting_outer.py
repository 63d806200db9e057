p = int(input())
widths = sorted(map(int, input().split()))
used = [False] * p
pairs = 0
outer = 0
for inner in range(p):
    if used[inner]:
        continue
    outer = max(outer, inner + 1)
    while outer < p and (used[outer] or widths[outer] < 2 * widths[inner]):
        outer += 1
    if outer == p:
        break
    used[outer] = True
    pairs += 1
print(p - pairs)
