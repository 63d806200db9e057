p = int(input())
widths = sorted(map(int, input().split()))
inner = 0
for outer in widths[1:]:
    if outer >= 2 * widths[inner]:
        inner += 1
print(p - inner)
