def fits(widths, pairs):
    offset = len(widths) - pairs
    return all(2 * widths[i] <= widths[offset + i] for i in range(pairs))


input()
widths = sorted(map(int, input().split()))
low, high = 0, len(widths) // 2
while low < high:
    middle = (low + high + 1) // 2
    if fits(widths, middle):
        low = middle
    else:
        high = middle - 1
print(len(widths) - low)
