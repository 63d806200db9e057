n = int(input())
best = free = 0
for length in map(int, input().split()):
    if length > best:
        best = length
        free += 1
print(free)
