length, n = map(int, input().split())
crossings, free = 1, length + 1
for vehicle in map(int, input().split()):
    if vehicle + 1 > free:
        crossings += 1
        free = length + 1
    free -= vehicle + 1
print(crossings, free)
